"""Who may do what in the houses of the tests: people, their roles, and policies."""

from __future__ import annotations

PEOPLE = ("ada", "jane.doe", "joe", "sam", "dana", "mallory")
"""ada writes code, jane.doe and joe own the product, sam lifts freezes, dana deploys, mallory has no role."""
ROLES = """\
version: 1
roles:
  ProductOwner: {users: [jane.doe, joe]}
  StudioApprover: {users: [sam], permissions: [override.freeze]}
  Deployer: {users: [dana]}
"""
DEPLOY = "deploy: {strategy: process, retries: 0, rollback: automatic}"
AUTOMATIC = f"{ROLES}environments:\n  staging:\n    gates: [tests-passed]\n    {DEPLOY}\n"
"""What has passed its tests is merged and deployed."""
APPROVED = f"""\
{ROLES}environments:
  production:
    gates: [tests-passed, {{approvals: {{role: ProductOwner}}}}]
    {DEPLOY}
"""
"""An owner has to agree."""
