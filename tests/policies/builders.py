"""Facts and policies for tests, with only what a test is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.domain.payloads import Actor
from bot.domain.release import Approval
from policies import Policy, ReleaseFacts, load

HEAD = "a" * 40
OLD = "b" * 40
MERGED = "c" * 40
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
"""A Wednesday."""

TEXT = """\
version: 1
roles:
  ProductOwner: {users: [jane.doe], teams: [acme/product]}
  ReleaseManager: {teams: [acme/release]}
  StudioApprover: {users: [sam], permissions: [override.freeze]}
  Deployer: {users: [dan]}
environments:
  staging:
    gates: [tests-passed]
  production:
    after: [staging]
    gates:
      - tests-passed
      - coverage: {minimum: 80}
      - approvals:
          all:
            - {role: ProductOwner}
            - any: [{role: ReleaseManager}, {team: acme/sre, count: 2}]
      - minimum-delay: 10m
      - when: 'change.labels.exists(l, l == "schema")'
        approvals: {team: acme/dba}
    deploy: {strategy: gitops, retries: 3, rollback: automatic}
mode: enforce
merge: {when: approved, method: squash, update-branch: true}
changes-to-this-file: {approvals: {role: ReleaseManager}}
freezes:
  - {name: weekend, environments: [production], cron: "0 18 * * FRI", duration: 62h, timezone: Europe/Paris}
  - name: year-end
    from: 2026-12-18
    to: 2027-01-04
    timezone: Europe/Paris
    allow: {labels: [hotfix]}
tenants:
  vetclinic-001:
    extends: compliance
    roles:
      ProductOwner: {users: [jane.doe]}
      SecurityReviewer: {users: [kim]}
"""


def policy(text: str = TEXT) -> Policy:
    return load(text)


def of_gates(*gates: str, roles: str = "", more: str = "") -> Policy:
    """A policy whose one environment, production, has these gates (beside the default's tests-passed)."""
    lines = "".join(f"\n      - {gate}" for gate in gates)
    held = f"roles: {roles}\n" if roles else ""
    return load(f"version: 1\n{held}environments:\n  production:\n    gates:{lines or ' []'}\n{more}")


def facts(**said: Any) -> ReleaseFacts:
    """A tested and covered release of booking 1.2.0 by bob."""
    known: dict[str, Any] = {
        "module": "booking",
        "version": "1.2.0",
        "environment": "production",
        "revision": HEAD,
        "tests": {HEAD: "passed"},
        "coverage": {HEAD: 85.0},
        "author": "bob",
        "committers": ("bob",),
        "last_pusher": "bob",
    }
    return ReleaseFacts(**(known | said))


def approval(approver: str, role: str = "ProductOwner", **said: Any) -> Approval:
    known: dict[str, Any] = {
        "id": f"approval-{approver}",
        "environment": "production",
        "revision": HEAD,
        "approver": approver,
        "role": role,
        "method": "comment",
        "approved_at": NOON,
    }
    return Approval(**(known | said))


def people(**teams: str) -> dict[str, Actor]:
    """`people(ann="acme/sre")`: what the forge says of ann."""
    return {
        login: Actor(login=login, permission="write", teams=tuple(said.split()))
        for login, said in teams.items()
    }
