"""What the API answers, as models: OpenAPI and the answers come from the same place.

Wire names are camelCase.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from bot.domain import payloads as p

TRACE = r"^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$"
NAME = r"^[^\x00-\x1f\x7f]{1,200}$"
LINE = r"^[^\x00-\x08\x0a-\x1f\x7f]+$"
Name = Annotated[str, StringConstraints(pattern=NAME)]


class Wire(BaseModel):
    """camelCase outside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Submission(p.ModuleGenerated):
    """Generated code of one module, as `pointsman submit` sends it."""

    repository: Name
    forge: Name = "local"
    module_id: Name
    target_branch: Name = "main"
    trace_id: str | None = Field(default=None, pattern=TRACE, description="Continue (or begin) this trace.")

    def payload(self) -> p.ModuleGenerated:
        """What goes into the log."""
        said = self.model_dump(by_alias=True, exclude_unset=True)
        said.pop("traceId", None)
        return p.ModuleGenerated.model_validate(said)


class Repository(Wire):
    """A repository of a forge."""

    repository: Name
    forge: Name = "local"


class Accepted(Wire):
    """Stored; what follows shows in the trace."""

    trace_id: str
    event_id: str
    url: str = Field(description="The trace in Studio.")


class CommandLine(Wire):
    """One command as it would stand in a comment."""

    line: str = Field(
        min_length=2, max_length=2000, pattern=LINE, examples=["/approve-release production checked by hand"]
    )
    via: Literal["api", "cli", "studio"] = "api"


class Issued(Wire):
    """Where the answer to a command will be."""

    correlation: str
    trace_id: str


class CommandAnswer(Wire):
    """What became of a command. `failed`: the facts it needs could not be had."""

    state: Literal["pending", "done", "refused", "failed"]
    correlation: str
    command: str = ""
    line: str = ""
    reply: str = Field(default="", description="Markdown.")
    reason_code: str = ""
    message: str = ""


class TraceItem(Wire):
    """One trace in a list. `sentence` is what happened last."""

    trace_id: str
    tenant_id: str
    module_id: str
    version: str
    forge: str
    repository: str
    flow_state: str
    change_url: str
    sentence: str
    sequence: int
    updated_at: str


class TraceList(Wire):
    """A page of traces."""

    traces: list[TraceItem]
    next: str | None = Field(
        default=None, description="Give it as `cursor` for the page that follows; null on the last."
    )


class TraceDocument(Wire):
    """Everything that happened in a trace, and where it stands."""

    trace_id: str
    events: list[dict[str, Any]]
    state: dict[str, Any]


class EventList(Wire):
    """A page of a trace's events."""

    events: list[dict[str, Any]]
    last: int = Field(description="Sequence of the last one; give it as `after`.")


class FirstBad(Wire):
    """Where the chain breaks first."""

    trace_id: str
    sequence: int


class Verification(BaseModel):
    """Whether the hash chain holds (names as on the command line)."""

    ok: bool
    traces: int
    events: int
    first_bad: FirstBad | None
    reason: str | None = None


class SnapshotState(Wire):
    """How the stored state compares with the fold."""

    sequence: int
    equal: bool | None = Field(description="Null when the stored state was folded by another release.")


class Replayed(Wire):
    """The state folded again from the first event to `until`."""

    trace_id: str
    until: int
    state: dict[str, Any]
    snapshot: SnapshotState


class Artefact(Wire):
    """One file of a trace."""

    path: str
    bytes: int
    sha256: str
    media_type: str


class ArtefactList(Wire):
    """The files of a trace."""

    trace_id: str
    artefacts: list[Artefact]


class WaitingRelease(Wire):
    """One environment of a trace that is not deployed yet, and why."""

    trace_id: str
    release_id: str
    module_id: str
    version: str
    environment: str
    revision: str
    state: str
    phase: str
    reason_code: str
    message: str
    who_can: list[str]
    next_change_at: str | None
    change_url: str
    verdict: dict[str, Any]


class ReleaseList(Wire):
    """What waits."""

    releases: list[WaitingRelease]


class DeadLetterItem(Wire):
    """Something that came in and could not be applied."""

    id: int
    source: str
    kind: str
    delivery_id: str
    trace_id: str
    error: str
    message: str
    at: str
    status: str


class DeadLetterList(Wire):
    """A page of dead letters."""

    dead_letters: list[DeadLetterItem]


class Retried(Wire):
    """The dead letter that is applied again."""

    id: int
    status: Literal["retried"] = "retried"


class Health(Wire):
    """What is well and what is not."""

    ok: bool
    checks: dict[str, str] = {}
