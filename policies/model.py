"""The policy file: these models are its YAML, its JSON Schema and its documentation.

Everything is closed to unknown keys. Gates are written by name, `{name: fields}`, or
`{when: CEL, name: fields}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, cast

from pydantic import (
    BaseModel,
    Field,
    GetJsonSchemaHandler,
    PrivateAttr,
    StrictBool,
    StrictInt,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from bot.cel import CelError
from policies.approvals import leaves as leaves_of
from policies.errors import dotted
from policies.facts import CONDITIONS, ReleaseFacts, values
from policies.freezes import Freeze
from policies.gate import Gate, GateModel
from policies.gates import GATES
from policies.gates.approvals import Approvals
from policies.gates.commit_signatures import CommitSignatures
from policies.gates.coverage import Coverage
from policies.layers import leaves
from policies.roles import Role, Team
from policies.schema import CLOSED, ONE_OR_MORE, CommandName, Line, Word, Words, wrong
from policies.source import Map, Place
from policies.trust import Trust

ALWAYS_ON = frozenset({"freeze"})
"""Gates that are never written in a list: their fields live at the top level."""


def _bare_gates() -> list[str]:
    """Gates that may be written as their name alone."""
    return sorted(name for name, gate in GATES.items() if name not in ALWAYS_ON and _asks_nothing(gate))


def _asks_nothing(gate: type[BaseModel]) -> bool:
    try:
        gate.model_validate({})
    except ValidationError:
        return False
    return True


class Item(BaseModel):
    """One gate of an environment, perhaps under a condition."""

    model_config = CLOSED

    _last: tuple[ReleaseFacts, datetime, bool] | None = PrivateAttr(default=None)

    when: str | None = Field(
        default=None, description="CEL over change.*, release.*, tests.*, now; see policies/facts.py"
    )

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {value: {}}
        if not isinstance(value, Mapping):
            return value
        return {key: {} if inner is None and key != "when" else inner for key, inner in value.items()}

    @field_validator("when")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                CONDITIONS.compile(value)
        except CelError as error:
            raise wrong(error.message, error.suggestion) from None
        return value

    @model_validator(mode="after")
    def _one_gate(self) -> Self:
        given = [
            name for name in type(self).model_fields if name != "when" and getattr(self, name) is not None
        ]
        if len(given) != 1:
            raise wrong(
                f"an entry is one gate, this one has {len(given) or 'none'}: write one entry for each"
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        full = handler(core) | {"minProperties": 1, "maxProperties": 2}
        return {"anyOf": [{"enum": _bare_gates()}, full]}

    @cached_property
    def gate(self) -> Gate:
        """The one gate of this entry."""
        found = (getattr(self, name) for name in type(self).model_fields if name != "when")
        return cast("Gate", next(gate for gate in found if gate is not None))

    def applies(self, facts: ReleaseFacts, now: datetime) -> bool:
        """Whether the condition holds. Raises CelError when it can not be decided."""
        if self.when is None:
            return True
        last = self._last
        # Asked twice in one verdict by gates that look at others. The same facts: they can not change.
        if last is None or last[0] is not facts or last[1] != now:
            last = (facts, now, CONDITIONS.compile(self.when).holds(values(facts, now)))
            self._last = last
        return last[2]


if TYPE_CHECKING:
    GateItem = Item
else:
    GateItem = create_model(
        "GateItem",
        __base__=Item,
        **{
            name.replace("-", "_"): (gate | None, None)
            for name, gate in GATES.items()
            if name not in ALWAYS_ON
        },
    )


class Deploy(BaseModel):
    """How an environment is deployed.

    `retries` beyond the first attempt, then the last known good comes back.
    """

    model_config = CLOSED

    strategy: Word = "process"
    retries: Annotated[StrictInt, Field(ge=0, le=10)] = 2
    rollback: Literal["automatic", "manual", "never"] = "automatic"


class Environment(BaseModel):
    """One environment. `after` names those that must run the same version healthily first."""

    model_config = CLOSED

    after: Annotated[Words, ONE_OR_MORE] = ()
    gates: tuple[GateItem, ...] = ()
    compliance: StrictBool = False
    """What the pack `compliance` asks of every environment is asked here."""
    deploy: Deploy = Deploy()

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """Every gate, `after` among them."""
        promoted = [GateItem.model_validate({"promoted-from": list(self.after)})] if self.after else []
        return (*promoted, *self.gates)


class Merge(BaseModel):
    """Who merges a change once everything is approved, and how."""

    model_config = CLOSED

    when: Literal["approved", "manual"] = "approved"
    method: Literal["merge", "squash", "rebase"] = "squash"
    update_branch: StrictBool = True


class Commands(BaseModel):
    """Which comment commands there are here, and other names for them. Names are without the slash.

    `disable: [hotfix]` switches some off; `aliases: {ship-it: approve-release production}` makes `/ship-it`
    say the same, whatever is written behind it too. No alias has the name of a command, or of one of a forge.
    """

    model_config = CLOSED

    disable: Annotated[Words, ONE_OR_MORE] = ()
    aliases: dict[CommandName, Line] = Field(default_factory=dict)


class Issues(BaseModel):
    """For what an issue is opened on the forge: a release that was `rollback`, or a deployment given up
    (`failure`). Without this section, for nothing.
    """

    model_config = CLOSED

    on: Annotated[tuple[Literal["rollback", "failure"], ...], ONE_OR_MORE] = ()
    labels: Annotated[Words, ONE_OR_MORE] = ()


class Policy(BaseModel):
    """The resolved policy of one repository, or of one of its tenants."""

    model_config = CLOSED

    version: Literal[1]
    extends: str = "default"
    roles: dict[Word, Role] = Field(default_factory=dict)
    teams: dict[Word, Team] = Field(default_factory=dict)
    """Teams inside teams, and teams where the forge has none."""
    environments: dict[Word, Environment] = Field(default_factory=dict)
    mode: Literal["observe", "enforce"] = "enforce"
    merge: Merge = Merge()
    release_page: StrictBool = True
    """Whether the forge gets a page with notes for what is released everywhere."""
    issues: Issues = Issues()
    changes_to_this_file: GateItem | None = None
    trust: Trust = Trust()
    regulated: StrictBool = False
    """Every environment is under compliance rules; of a tenant: for that tenant."""
    freezes: tuple[Freeze, ...] = ()
    commands: Commands = Commands()
    tenants: dict[Word, dict[str, Any]] = Field(default_factory=dict)

    _tenants: dict[str, Policy] = PrivateAttr(default_factory=dict)
    _digest: str = PrivateAttr(default="")
    _compliant: dict[str, tuple[Item, ...]] = PrivateAttr(default_factory=dict)
    _converted: Mapping[Place, str] = PrivateAttr(default_factory=dict)
    _data: Map = PrivateAttr(default_factory=lambda: Map(Place("", 1, 1)))

    def seal(self, digest: str, tenants: Mapping[str, Policy]) -> Self:
        """Part of loading: what the text was, and the policies of its tenants."""
        self._digest = digest
        for policy in tenants.values():
            policy.seal(digest, {})
        self._tenants = dict(tenants)
        return self

    def trace(self, data: Map, converted: Mapping[Place, str]) -> Self:
        """Part of loading: what it was read from, and which of it the seeds' shapes had said."""
        self._data, self._converted = data, converted
        return self

    @property
    def digest(self) -> str:
        """SHA-256 of the text it was read from, hexadecimal."""
        return self._digest

    @property
    def origins(self) -> Mapping[str, Place]:
        """Path of each value -> where it was written: in the file, in one below it, or in a pack."""
        return {path: place for path, (_, place) in self.written.items()}

    @property
    def converted(self) -> Mapping[Place, str]:
        """Place of a value -> the seeds' word that it was converted from."""
        return self._converted

    @cached_property
    def written(self) -> Mapping[str, tuple[Any, Place]]:
        """Path of each value -> the value as it was written, and where."""
        found = leaves(self._data, self._data.place)
        return {dotted(path): (value, place) for path, value, place in found}

    def of(self, tenant: str) -> Policy:
        """The policy as it is for a tenant."""
        return self._tenants.get(tenant, self)

    def items(self, facts: ReleaseFacts) -> tuple[Item, ...]:
        """The gates that a release must mind, the freeze left out."""
        extra = (self.changes_to_this_file,) if self.changes_to_this_file and facts.touches_policy else ()
        asked = facts.compliance_mode or self.complies(facts.environment)
        return (*self.gates_of(facts.environment, compliance=asked), *extra)

    def complies(self, environment: str) -> bool:
        """Whether the policy puts an environment under compliance rules."""
        return self.regulated or self.environments[environment].compliance

    def gates_of(self, environment: str, *, compliance: bool) -> tuple[Item, ...]:
        """The gates of an environment, those of compliance mode among them when it is asked for."""
        written = self.environments[environment].items
        if not compliance:
            return written
        if environment not in self._compliant:
            from policies import compliance as rules

            self._compliant[environment] = (*written, *rules.more(written))
        return self._compliant[environment]

    def every_gate(self, *, compliance: bool = False) -> Iterator[Gate]:
        """The gates of all environments. `compliance`: as they are for a release that asks for it."""
        for name in self.environments:
            for item in self.gates_of(name, compliance=compliance or self.complies(name)):
                yield item.gate

    def approval_gates(
        self, environment: str, *, policy_file: bool = False, compliance: bool = False
    ) -> list[Approvals]:
        """The approval gates of an environment, conditional ones included."""
        items = [*self.gates_of(environment, compliance=compliance or self.complies(environment))]
        items += [self.changes_to_this_file] if self.changes_to_this_file and policy_file else []
        return [item.gate for item in items if isinstance(item.gate, Approvals)]

    @cached_property
    def asks_code_owners(self) -> bool:
        """Whether some rule asks the owners of files."""
        gates = (gate for name in self.environments for gate in self.approval_gates(name, policy_file=True))
        return any(leaf.code_owners for gate in gates for leaf in leaves_of(gate))

    @cached_property
    def accepts_reviews(self) -> bool:
        """Whether a forge's own reviews count anywhere."""
        gates = (gate for name in self.environments for gate in self.approval_gates(name, policy_file=True))
        return any("reviews" in gate.accept for gate in gates)

    def evidence(self, *, compliance: bool = False) -> frozenset[str]:
        """Kinds of reports that some gate reads (bot/domain/payloads/evidence.py)."""
        gates = [gate for gate in self.every_gate(compliance=compliance) if isinstance(gate, GateModel)]
        return frozenset[str]().union(*(gate.evidence() for gate in gates))

    def asks_signatures(self, *, compliance: bool = False) -> bool:
        """Whether some gate asks which commits are signed."""
        return any(isinstance(gate, CommitSignatures) for gate in self.every_gate(compliance=compliance))

    @cached_property
    def compares_coverage(self) -> bool:
        """Whether some gate asks for the coverage of the base branch."""
        return any(isinstance(gate, Coverage) and gate.no_drop for gate in self.every_gate())

    def reads(self, environment: str) -> frozenset[str]:
        """Event types that can change the verdict of an environment."""
        from policies.gate import REVISION
        from policies.gates.freeze import FreezeGate

        always = REVISION | FreezeGate.reads | {"ReleaseRejected"}
        items = self.gates_of(environment, compliance=self.complies(environment))
        return always.union(*(item.gate.reads for item in items))
