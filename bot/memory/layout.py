"""Where artefacts lie: `memory/<trace>/`, for one environment `memory/<trace>/tenant-<t>/env-<e>/<module>/`.

`trace-` is put before a trace id that does not begin with it. What can not be a folder is percent-encoded.
"""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import quote

from bot.domain.trace import TraceState

ALL = "all"
"""The `environment` of a file that is about the whole trace."""
LONGEST = 120


def segment(name: str) -> str:
    """`name` as one folder or file name; different names stay different."""
    text = quote(name, safe="@+=,")
    if len(text) > LONGEST:
        return f"{text[:LONGEST]}~{sha256(name.encode()).hexdigest()[:12]}"
    return text if text.strip(".") else text.replace(".", "%2E") or "%00"


def module_of(state: TraceState) -> str:
    """The module; for an adopted change, which names none, its repository."""
    return state.module_id or state.repository.rpartition("/")[2] or "unassigned"


def trace_folder(trace_id: str) -> str:
    """`trace-` and the id, once."""
    return segment(trace_id if trace_id.startswith("trace-") else f"trace-{trace_id}")


def root(state: TraceState) -> str:
    """The folder of a trace."""
    return f"memory/{trace_folder(state.trace_id)}"


def shared(state: TraceState, path: str) -> str:
    """A file about the whole trace."""
    return f"{root(state)}/{path}"


def scoped(state: TraceState, environment: str, name: str) -> str:
    """A file about one environment."""
    tenant, module = segment(state.tenant_id), segment(module_of(state))
    return f"{root(state)}/tenant-{tenant}/env-{segment(environment)}/{module}/{name}"


def session(state: TraceState, session_id: str, name: str) -> str:
    """A file about one agent's session."""
    return f"{root(state)}/metadata/{segment(session_id)}/{name}"
