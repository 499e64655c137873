"""docs/events.md from `bot/domain/catalog.py`."""

from __future__ import annotations

from bot.domain.catalog import CATALOG, RESULT_ALIAS, SECTIONS, EventType, Open
from bot.domain.model import Model
from docs.generate.text import code, codes, doc, fields, page, table

INTRO = f"""\
Every fact is one of these types. A name under *also* is accepted on input and stored under the first
name; `{RESULT_ALIAS}` with a `result` becomes `TestsPassed` or `TestsFailed`. A type without a payload
model has an open payload: it is stored, shown and hashed like any other, and its fields are not
checked.

The envelope is CloudEvents 1.0 with the extension attributes of `bot/domain/event.py`. Send events to
`POST /v1/events`; a missing field or an unknown type is answered with 422 and the field's path, and
nothing is stored. What the bot itself decides, folds or reacts to takes a token with the scope
`events:any`; with `events:write` it is answered with 403 (the list makes itself, in `bot/intake/stated.py`).
An agent outside that a flow gives tasks to needs neither: `pointsman token create --agent ID` makes a token
that says how tasks given to this agent have ended, each named in `taskId`, and says nothing else:
`AgentTaskCompleted`, `AgentTaskFailed`, or `TestsPassed`, `TestsFailed`, `InfraProvisioned` where the flow
waits for these.
A new type: [recipes/event-type.md](recipes/event-type.md)."""


def text() -> str:
    """The page."""
    used = {entry.payload for entry in CATALOG.values() if entry.payload is not Open}
    payloads = sorted(used, key=lambda model: model.__name__)
    parts = [INTRO, *(_section(name) for name in SECTIONS), "## Payloads"]
    return page("Events", *parts, *(_payload(model) for model in payloads))


def _section(name: str) -> str:
    rows = [_entry(entry) for entry in CATALOG.values() if entry.section == name]
    return f"## {name}\n\n" + table(("type", "said by", "payload", "also"), rows)


def _entry(entry: EventType) -> tuple[str, str, str, str]:
    name = entry.payload.__name__
    payload = "open" if entry.payload is Open else f"[{name}](#{name.lower()})"
    return code(entry.name), entry.emitter, payload, codes(entry.aliases)


def _payload(model: type[Model]) -> str:
    body = table(("field", "type", "default", "meaning"), fields(model))
    return f"### {model.__name__}\n\n{doc(model)}\n\n{body}"
