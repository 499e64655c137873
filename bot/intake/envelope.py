"""From what senders write to our envelope: CloudEvents 1.0, our camelCase, and the shapes of the seeds.

    {"eventType": "AgentTaskCompleted", "traceId": "trace-1", "emittedBy": "developer-agent", "payload":
    {"taskId": "T1"}}

The tenant comes from the token and never from the body; so does the actor, unless the token may speak for
others. A missing id is derived from the content, so that the same thing sent twice is one fact.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from typing import Any

import rfc8785
from pydantic import AwareDatetime, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from bot.domain.catalog import CATALOG, canonical_type, payload
from bot.domain.errors import Invalid
from bot.domain.event import Context, Draft, Event, derived_id
from bot.intake.stated import decided_here
from bot.intake.tokens import Caller
from bot.projections import trace_keys
from policies.authorise import Needs, may

FIELDS = ("id", "source", "type", "time", "trace_id", *Context.model_fields)
SYNONYMS = {
    "event": "type", "eventtype": "type", "eventid": "id", "timestamp": "time", "emittedby": "source",
    "triggeredby": "actor", "submittedby": "actor", "approvedby": "actor",
}  # fmt: skip
NAMES = {name.replace("_", ""): name for name in FIELDS} | SYNONYMS
OURS = frozenset({"specversion", "datacontenttype", "dataschema", "data", "payload", "data_base64"})
NEVER_FROM_OUTSIDE = frozenset({"tenantid", "sequence", "causationid"})
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}")
"""Trace ids become folder names and parts of other ids."""
PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]{1,500}")
BEGINNERS = {entry.name for entry in CATALOG.values() if entry.section == "Intake and planning of work"}
"""Types that may begin a trace."""
WIDER = ("sprint_id", "milestone_id", "project_id")
"""What a fact about planning belongs to when it names no trace."""
ANY_FACT = Needs(scope="events:any")
MOMENT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


class Forbidden(Exception):
    """The token may not state this type of fact."""


def read_event(raw: Any, caller: Caller, received: datetime) -> Event:
    """One event.

    Raises Invalid with the path of the first wrong field, Forbidden for a type the token may not state.
    """
    if not isinstance(raw, dict):
        raise Invalid("InvalidEnvelope", "an event is a JSON object", path="")
    envelope, beside = _split(raw)
    data = _data(raw, beside)
    type_ = canonical_type(_text(envelope, "type", required=True), data)
    # What the token of one agent may state depends on its tasks (bot/intake/agents.py).
    if caller.agent is None and type_ in decided_here() and not may(caller.asker, ANY_FACT):
        raise Forbidden(f"{type_} is decided here; stating it needs the scope 'events:any'")
    context = _context(envelope, data, caller)
    data = _complete(type_, data, context)
    event_id = _text(envelope, "id") or derived_id(caller.tenant, "content", rfc8785_text(raw))
    return Event(
        **context,
        id=event_id,
        source=_source(envelope) or f"api/{caller.actor}",
        type=type_,
        time=_time(envelope, received),
        tenant_id=caller.tenant,
        trace_id=_trace(envelope, data, context, type_, event_id),
        data=data,
    )


def rfc8785_text(value: Any) -> str:
    """Canonical JSON. Raises Invalid for numbers that JSON implementations disagree about."""
    try:
        return rfc8785.dumps(value).decode()
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise Invalid("InvalidPayload", f"data: {error}", path="data") from error


def _split(raw: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Envelope fields by our names, and what stood beside them."""
    envelope: dict[str, Any] = {}
    beside: dict[str, Any] = {}
    for key, value in raw.items():
        plain = key.replace("_", "").lower()
        if key in OURS or plain in NEVER_FROM_OUTSIDE:
            continue
        if plain in NAMES:
            # `type` and `eventType` in one event: the standard's own name wins.
            if NAMES[plain] not in envelope or plain not in SYNONYMS:
                envelope[NAMES[plain]] = value
        else:
            beside[key] = value
    return envelope, beside


def _data(raw: dict[str, Any], beside: dict[str, Any]) -> dict[str, Any]:
    name = "data" if "data" in raw else "payload"
    data = raw.get(name, {})
    if "data_base64" in raw:
        try:
            data = json.loads(base64.b64decode(raw["data_base64"], validate=True))
        except (binascii.Error, ValueError, TypeError) as error:
            raise Invalid(
                "InvalidPayload", "data_base64 is not base64 of JSON", path="data_base64"
            ) from error
    if not isinstance(data, dict):
        raise Invalid("InvalidPayload", f"{name} must be a JSON object", path=name)
    return beside | data


def _text(envelope: dict[str, Any], name: str, *, required: bool = False) -> str:
    value = envelope.get(name)
    path = to_camel(name)
    if value is None and not required:
        return ""
    if value is None:
        raise Invalid("MissingField", f"{path} is required", path=path)
    if not isinstance(value, str) or not PRINTABLE.fullmatch(value):
        raise Invalid("InvalidField", f"{path} must be a text of 1 to 500 printable characters", path=path)
    return value


def _source(envelope: dict[str, Any]) -> str:
    source = _text(envelope, "source")
    if trace_keys.OURS.fullmatch(source):
        message = "source must not be 'pointsman' or begin with 'webhooks/': so we name what we saw ourselves"
        raise Invalid("InvalidField", message, path="source")
    return source


def _context(envelope: dict[str, Any], data: dict[str, Any], caller: Caller) -> dict[str, Any]:
    found = {name: _text(envelope, name) for name in Context.model_fields}
    for name in Context.model_fields:
        inside = data.get(to_camel(name))
        if (
            not found[name]
            and name not in {"actor", "status", "subject"}
            and isinstance(inside, str)
            and PRINTABLE.fullmatch(inside)
        ):
            found[name] = inside
    if not may(caller.asker, ANY_FACT) or not found["actor"]:
        found["actor"] = caller.actor
    return {name: value for name, value in found.items() if value}


def _complete(type_: str, data: dict[str, Any], context: dict[str, str]) -> dict[str, Any]:
    """The payload in its model's own form. Fields that stand in the envelope need not be said twice."""
    model = CATALOG[type_].payload
    lifted = {to_camel(name): context[name] for name in model.model_fields if name in context}
    return payload(Draft(type=type_, data=lifted | data)).to_json()


def _time(envelope: dict[str, Any], received: datetime) -> datetime:
    """The sender's time, but never later than ours: nobody can put a fact into the future."""
    if envelope.get("time") is None:
        return received
    try:
        said = MOMENT.validate_python(_text(envelope, "time"), strict=False)
    except ValidationError as error:
        raise Invalid("InvalidField", "time must be an RFC 3339 moment with its zone", path="time") from error
    return min(said.astimezone(UTC), received)


def _trace(
    envelope: dict[str, Any], data: dict[str, Any], context: dict[str, str], type_: str, event_id: str
) -> str:
    trace = (
        _text(envelope, "trace_id")
        or (data.get("traceId") if isinstance(data.get("traceId"), str) else "")
        or ""
    )
    if not trace:
        wider = next((context[name] for name in WIDER if name in context), "")
        trace = wider or (f"trace-{derived_id(event_id)[:16]}" if type_ in BEGINNERS else "")
    if not trace:
        raise Invalid("MissingField", "traceId is required", path="traceId")
    if not NAME.fullmatch(trace):
        raise Invalid(
            "InvalidField", "traceId must be letters, digits and . _ : @ + - (at most 128)", path="traceId"
        )
    return trace
