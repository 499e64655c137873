"""What is wrong with a policy whose words are all right: rules that nobody can fulfil, names of nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from policies import compliance
from policies.approvals import Rule, electorate, leaves
from policies.complaint import Complaint
from policies.errors import did_you_mean
from policies.gates.approvals import Approvals
from policies.lint_commands import said
from policies.model import Item, Policy
from policies.roles import SEEDED
from policies.source import Path


def complaints(policy: Policy, commands: frozenset[str] | None = None) -> Iterator[Complaint]:
    """Everything that is wrong. `commands`: the names there are; None: nobody has said."""
    if not policy.environments:
        yield Complaint(("environments",), "there is no environment to release to")
    yield from _orders(policy)
    yield from _scopes(policy)
    yield from _twice(policy)
    yield from said(policy.commands, commands)
    for path, item in _items(policy):
        if isinstance(item.gate, Approvals):
            yield from _approvals(policy, item.gate, (*path, "approvals"))


def _items(policy: Policy) -> Iterator[tuple[Path, Item]]:
    for name, environment in policy.environments.items():
        for index, item in enumerate(environment.gates):
            yield ("environments", name, "gates", index), item
        if policy.complies(name):
            asked = ("regulated",) if policy.regulated else ("environments", name, "compliance")
            yield from ((asked, item) for item in compliance.more(environment.items))
    if policy.changes_to_this_file:
        yield ("changes-to-this-file",), policy.changes_to_this_file


def _orders(policy: Policy) -> Iterator[Complaint]:
    before: dict[str, set[str]] = {}
    for name, environment in policy.environments.items():
        named = [
            (("environments", name, "after", index), other) for index, other in enumerate(environment.after)
        ]
        for index, item in enumerate(environment.gates):
            others = getattr(item.gate, "environments", ()) if item.gate.name == "promoted-from" else ()
            named += [(("environments", name, "gates", index), other) for other in others]
        yield from _unknown(policy.environments, named, "environment")
        before[name] = {other for _, other in named}
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        yield Complaint(("environments", circle[0], "after"), f"waits for itself: {' after '.join(circle)}")


def _scopes(policy: Policy) -> Iterator[Complaint]:
    for index, freeze in enumerate(policy.freezes):
        named = [
            (("freezes", index, "environments", at), name) for at, name in enumerate(freeze.environments)
        ]
        yield from _unknown(policy.environments, named, "environment")
    for name, role in policy.roles.items():
        scoped = [(("roles", name, "environments", at), other) for at, other in enumerate(role.environments)]
        yield from _unknown(policy.environments, scoped, "environment")


def _unknown(known: Iterable[str], named: Sequence[tuple[Path, str]], what: str) -> Iterator[Complaint]:
    for path, name in named:
        if name not in set(known):
            yield Complaint(path, f"there is no {what} {name!r}", did_you_mean(name, known))


def _twice(policy: Policy) -> Iterator[Complaint]:
    freezes: set[str] = set()
    for index, freeze in enumerate(policy.freezes):
        if freeze.name in freezes:
            yield Complaint(("freezes", index, "name"), f"two freezes are called {freeze.name!r}")
        freezes.add(freeze.name)
    for name, environment in policy.environments.items():
        gates: set[tuple[str, str | None]] = set()
        for index, item in enumerate(environment.gates):
            if (item.gate.name, item.when) in gates:
                yield Complaint(
                    ("environments", name, "gates", index), f"the gate {item.gate.name!r} is written twice"
                )
            gates.add((item.gate.name, item.when))


def _approvals(policy: Policy, gate: Approvals, path: Path) -> Iterator[Complaint]:
    known = {*policy.roles, *SEEDED, *_filled(policy)}
    undefined = [leaf for leaf in leaves(gate) if leaf.role and leaf.role not in known]
    for leaf in undefined:
        yield Complaint(
            _where(gate, leaf, path), f"there is no role {leaf.role!r}", did_you_mean(str(leaf.role), known)
        )
    if undefined:
        return
    dead = _dead(policy, gate, path)
    if dead:
        yield dead
    everybody = [electorate(leaf, policy) for leaf in leaves(gate)]
    people = {login for some in everybody if some is not None for login in some}
    if _filled(policy) & {leaf.role for leaf in leaves(gate)}:
        return
    if gate.people and None not in everybody and len(people) < gate.people:
        message = f"asks for {gate.people} different people, but names {len(people)}"
        yield Complaint((*path, "people"), message)


def _dead(policy: Policy, rule: Rule, path: Path) -> Complaint | None:
    """Why a rule can never be fulfilled: the first dead branch of `all`, or all branches of `any` dead."""
    if rule.branches is None:
        return _dead_leaf(policy, rule, path)
    word = "all" if rule.any_ is None else "any"
    found = [_dead(policy, branch, (*path, word, index)) for index, branch in enumerate(rule.branches)]
    dead = [complaint for complaint in found if complaint]
    return dead[0] if dead and (word == "all" or len(dead) == len(found)) else None


def _dead_leaf(policy: Policy, leaf: Rule, path: Path) -> Complaint | None:
    known = electorate(leaf, policy)
    if known is None or len(known) >= leaf.needed or leaf.role in _filled(policy):
        return None
    if leaf.role and not known:
        return Complaint(
            (*path, "role"), f"nobody holds the role {leaf.role!r}: name users or teams under `roles`"
        )
    people = ", ".join(known.values())
    message = f"asks for {leaf.needed} approvals by {leaf.label}, but names {len(known)}: {people}"
    return Complaint((*path, "count"), message)


def _filled(policy: Policy) -> set[str]:
    """Roles that some tenant fills. Where no tenant does, a rule that asks for one stays unfulfilled."""
    overlays = [overlay.get("roles") for overlay in policy.tenants.values()]
    return {name for roles in overlays if isinstance(roles, dict) for name in roles}


def _where(rule: Rule, leaf: Rule, path: Path) -> Path:
    if rule is leaf:
        return (*path, "role")
    for index, branch in enumerate(rule.branches or ()):
        if any(inner is leaf for inner in leaves(branch)):
            return _where(branch, leaf, (*path, "all" if rule.any_ is None else "any", index))
    return path
