"""What a deployment strategy is: `provision` an environment; `plan`, `apply`, `probe`, `undo` a release.

One module of this folder is one strategy; `STRATEGY` in it is the class (registry.py finds it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from bot.domain.effect import Health, Provision, Provisioned, Target
from bot.domain.errors import Permanent
from bot.domain.performer import EffectContext
from bot.domain.release import namespace


class Exporter(Protocol):
    """The part of a forge that a deployment needs: the files of a revision."""

    def export(self, repository: str, revision: str, path: str, into: Path) -> None:
        """Write the files of `path` (empty: all) at a revision into the folder `into`."""
        ...


@dataclass(frozen=True)
class Scope:
    """What a secret may be read for. A secret of one scope does not exist in another."""

    tenant_id: str
    environment: str
    module_id: str


class Vault(Protocol):
    """Keeps secrets. Only names and `@vault:` references ever leave it towards a trace."""

    def names(self, scope: Scope) -> Sequence[str]:
        """Names of the scope's secrets, sorted."""
        ...

    def read(self, scope: Scope, name: str) -> str | None:
        """A secret's value, or None when the scope has no such secret."""
        ...


@dataclass(frozen=True)
class Tools:
    """What strategies are given: where to keep things, where files and secrets come from."""

    home: Path
    exporters: Mapping[str, Exporter]
    vault: Vault

    def exporter(self, forge: str) -> Exporter:
        """The exporter of a forge. Raises Permanent('UnknownForge')."""
        if forge not in self.exporters:
            known = ", ".join(sorted(self.exporters)) or "none"
            raise Permanent("UnknownForge", f"No forge is called {forge!r}; there are: {known}.")
        return self.exporters[forge]


class Strategy(Protocol):
    """One way of making a release run. Every verb is idempotent and raises Retryable or Permanent."""

    name: ClassVar[str]

    def provision(self, wanted: Provision, context: EffectContext) -> Provisioned:
        """Make the environment ready for the module; what is there already is found."""
        ...

    def plan(self, target: Target, context: EffectContext) -> tuple[str, ...]:
        """What `apply` would do now, one sentence each; does nothing."""
        ...

    def apply(self, target: Target, context: EffectContext) -> Health:
        """Make `target` the running release and say how it is. Unhealthy is an answer, not an error."""
        ...

    def probe(self, target: Target, context: EffectContext) -> Health:
        """How `target` is now; starts and stops nothing."""
        ...

    def undo(self, release: Target | None, failed: Target, context: EffectContext) -> Health:
        """Go back to `release`, or stop `failed` when there is none to go back to."""
        ...


def authorised(wanted: Provision | Target, context: EffectContext) -> Scope:
    """The scope of an effect. Raises Permanent('InvalidNamespaceAccess') outside its tenant's namespace."""
    own = namespace(context.tenant_id, wanted.environment)
    if wanted.namespace != own:
        raise Permanent(
            "InvalidNamespaceAccess",
            f"Tenant {context.tenant_id} may deploy {wanted.module_id} for {wanted.environment} to {own},"
            f" not to {wanted.namespace}.",
        )
    return Scope(context.tenant_id, wanted.environment, wanted.module_id)
