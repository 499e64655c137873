"""The seeds' own shapes of a policy, written as our words.

    securityPolicy:
      requireApprovalFor: [{environment: production, roles: [ProductOwner, ReleaseManager]}]
      requireSignedImages: true
      enforceChangeFreeze: true
      allowedApprovers: {vetclinic: [{user: jane.doe, role: ProductOwner}]}
    releasePolicy:
      environments:
        production: {requiresApproval: true, roles: [ReleaseManager, SecurityReviewer]}

What they become lies beneath the file's own words, and each value keeps the place of the word it came from.
Any one of the roles of `requireApprovalFor` approves; of a `releasePolicy` (seed 003, compliance mode) one of
each role does, two people at least.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool
from pydantic.alias_generators import to_camel

from policies.errors import dotted
from policies.layers import EVERY, merge, without
from policies.schema import Duration, Word, Words
from policies.source import Map, Place, Seq, paths

SHAPES = ("securityPolicy", "releasePolicy")
EITHER = ("ProductOwner", "ReleaseManager")
"""Who approves when a shape asks for approval and names nobody (seed 003, RBAC)."""
TOGETHER = 2
Gate = tuple[Any, Place]
"""As it is written among gates, and the place of the word that asks for it."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class ApprovalFor(_Shape):
    """Any one of the roles approves the environment."""

    environment: Word
    roles: Annotated[Words, Field(min_length=1)]


class Approver(_Shape):
    """Somebody holds a role, within one tenant."""

    user: Word
    role: Word


class SecurityPolicy(_Shape):
    """Seed 003, "Policy-Driven Enforcement Example"."""

    require_approval_for: tuple[ApprovalFor, ...] = ()
    require_signed_images: StrictBool = False
    require_signed_artifacts: StrictBool = False
    enforce_change_freeze: Literal[True] = True
    """Freezes always hold here; to have none, write none."""
    allowed_approvers: dict[Word, tuple[Approver, ...]] = Field(default_factory=dict)


class EnvironmentPolicy(_Shape):
    """Seed 003, "Release Policy in Compliance Mode"."""

    requires_approval: StrictBool = True
    roles: Words = ()
    min_delay_before_deploy: Duration | None = None
    require_signed_artifacts: StrictBool = False
    require_signed_images: StrictBool = False
    require_justification: StrictBool = False
    auto_deploy: StrictBool = True


class ReleasePolicy(_Shape):
    """`autoDeploy: false` for all environments also leaves the merge to people (seed 000)."""

    environments: dict[Word, EnvironmentPolicy] = Field(default_factory=dict)
    auto_deploy: StrictBool = True


def convert(file: Map) -> Map:
    """The file with the seeds' shapes in our words; the file itself when it has none.

    Expects shapes that `SecurityPolicy` and `ReleasePolicy` have accepted.
    """
    converted = Map(file.place)
    for name, read in zip(SHAPES, (_security, _release), strict=True):
        shape = file.get(name)
        if isinstance(shape, Map):
            converted = merge(converted, read(shape))
    return merge(converted, without(file, *SHAPES)) if set(SHAPES) & file.keys() else file


def places(file: Map) -> dict[Place, str]:
    """Where each value and key of the shapes was written -> its path."""
    found: dict[Place, str] = {}
    for name in SHAPES:
        if isinstance(file.get(name), Map):
            found |= {place: dotted((name, *path)) for place, _, path in paths(file[name])}
    return found


def _security(shape: Map) -> Map:
    layer = Map(shape.place)
    for item in shape.get("requireApprovalFor", ()):
        rule = _map(item.keys_at["roles"], any=_listed(item["roles"], _role))
        gate = _map(item.keys_at["roles"], approvals=rule)
        layer = merge(layer, _gates(item["environment"], item.values_at["environment"], [(gate, gate.place)]))
    signed = list(_signed(shape))
    return _with_approvers(merge(layer, _gates(EVERY, shape.place, signed)) if signed else layer, shape)


def _with_approvers(layer: Map, shape: Map) -> Map:
    tenants = shape.get("allowedApprovers")
    return merge(layer, _approvers(tenants)) if isinstance(tenants, Map) else layer


def _approvers(tenants: Map) -> Map:
    found = Map(tenants.place)
    for tenant, people in tenants.items():
        held = Map(tenants.keys_at[tenant])
        for person in people:
            role, place = person["role"], person.values_at["user"]
            users = held[role]["users"] if role in held else Seq(place)
            users.put(person["user"], place)
            held.put(role, _map(place, users=users), place, place)
        found.put(tenant, _map(held.place, roles=held), tenants.keys_at[tenant], tenants.values_at[tenant])
    return _map(found.place, tenants=found)


def _release(shape: Map) -> Map:
    layer = Map(shape.place)
    if shape.get("autoDeploy") is False:
        place = shape.keys_at["autoDeploy"]
        layer = merge(layer, _map(place, merge=_map(place, when="manual")))
        layer = merge(layer, _gates(EVERY, place, [("manual", place)]))
    environments = shape.get("environments") or Map(shape.place)
    for name, said in environments.items():
        place = environments.keys_at[name]
        layer = merge(layer, _gates(name, place, _environment(said or Map(place))))
    return layer


def _environment(said: Map) -> Iterator[Gate]:
    if said.get("requiresApproval", True):
        rule = _together(said)
        yield _map(rule.place, approvals=rule), rule.place
    if "minDelayBeforeDeploy" in said:
        place = said.values_at["minDelayBeforeDeploy"]
        yield _map(place, **{"minimum-delay": said["minDelayBeforeDeploy"]}), place
    yield from _signed(said)
    if said.get("autoDeploy") is False:
        yield "manual", said.keys_at["autoDeploy"]


def _together(said: Map) -> Map:
    """One of each role, and two people at least; either of two when nobody is named."""
    roles = said.get("roles")
    place = said.keys_at.get("roles", said.keys_at.get("requiresApproval", said.place))
    if roles:
        rule = _map(place, all=_listed(roles, _role))
        rule.put("people", TOGETHER, place, place)
    else:
        either = Seq(place)
        for role in EITHER:
            either.put(_role(role, place), place)
        rule = _map(place, any=either)
    if said.get("requireJustification"):
        at = said.keys_at["requireJustification"]
        rule.put("justification", True, at, at)  # noqa: FBT003  a value of the file
    return rule


def _signed(said: Map) -> Iterator[Gate]:
    names = ("requireSignedImages", "requireSignedArtifacts")
    asked = [said.keys_at[name] for name in names if said.get(name) is True]
    yield from (("signed-artifacts", place) for place in asked[:1])


def _gates(environment: str, place: Place, gates: Iterable[Gate]) -> Map:
    listed = Seq(place)
    for gate, at in gates:
        listed.put(gate, at)
    named = _map(place, **{environment: _map(place, gates=listed)})
    return _map(place, environments=named)


def _role(name: Any, place: Place) -> Map:
    return _map(place, role=name)


def _listed(items: Seq, make: Any) -> Seq:
    found = Seq(items.place)
    for item, place in zip(items, items.items_at, strict=True):
        found.put(make(item, place), place)
    return found


def _map(place: Place, **values: Any) -> Map:
    found = Map(place)
    for key, value in values.items():
        found.put(key, value, place, value.place if isinstance(value, (Map, Seq)) else place)
    return found
