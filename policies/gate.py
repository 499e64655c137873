"""What a gate is: its fields are its YAML, `check` is its meaning, `reads` names what can change its answer.

A gate is one file in `policies/gates/`; being there is all the registration it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from policies.facts import ReleaseFacts
from policies.schema import CLOSED
from policies.verdict import Verdict

if TYPE_CHECKING:
    from policies.model import Policy

Phase = Literal["change", "deployment"]
Section = Literal["freeze", "approvals", "delay", "quality", "security"]
SECTIONS: tuple[Section, ...] = ("freeze", "approvals", "delay", "quality", "security")
"""The order in which a person reads a verdict."""

REVISION = frozenset(
    {
        "ChangeOpened",
        "ChangeUpdated",
        "ChangeReopened",
        "ChangeMerged",
        "FactsGathered",
        "pointsman.ApprovalsCarried",
    }
)
"""What changes the revision, the people or the policy that every gate looks at."""


class Gate(Protocol):
    """One condition of a release."""

    name: ClassVar[str]
    section: ClassVar[Section]
    phase: ClassVar[Phase]
    """`deployment`: can only hold after the merge, so it does not keep a change from being merged."""
    reads: ClassVar[frozenset[str]]
    """Event types that can change its answer, beside REVISION."""

    def check(self, facts: ReleaseFacts, now: datetime, policy: Policy) -> Verdict:
        """The verdict at a moment. Pure. `policy` is for gates that speak of roles or of other gates."""
        ...


class GateModel(BaseModel):
    """The fields of a gate: closed to unknown keys, and perhaps with a short form."""

    model_config = CLOSED

    short: ClassVar[str] = ""
    """The field whose value may stand for the whole: `minimum-delay: 10m` for `{delay: 10m}`."""

    def evidence(self) -> frozenset[str]:
        """Kinds of reports that it reads, and that the bot therefore takes from pipelines."""
        return frozenset()

    @model_validator(mode="before")
    @classmethod
    def _in_full(cls, value: Any) -> Any:
        short = cls.short and not isinstance(value, (Mapping, cls))
        return {cls.short: value} if short else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        full = handler(core)
        if not cls.short:
            return full
        alone = handler.resolve_ref_schema(full)["properties"][cls.short.replace("_", "-")]
        return {"anyOf": [alone, full]}
