"""Does the deployment effects: provisioning, applying, going back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.deploy import registry
from bot.deploy.port import Exporter, Strategy, Tools, Vault
from bot.deploy.services.vault import FolderVault
from bot.domain.effect import ApplyRelease, Effect, Provision, UndoRelease
from bot.domain.errors import Permanent, Retryable
from bot.domain.model import Model
from bot.domain.performer import EffectContext


class Deployer:
    """The performer of `target: deploy`. `exporters`: the forges by name; the vault: a folder of `home`."""

    def __init__(self, home: Path, exporters: Mapping[str, Exporter], vault: Vault | None = None) -> None:
        home = home.absolute()
        self.strategies = registry.load(Tools(home, exporters, vault or FolderVault(home / "vault")))

    def perform(self, effect_id: str, effect: Effect, context: EffectContext) -> Model:  # noqa: ARG002 - see below
        # Strategies look for the release itself, which is a better mark than the effect's id.
        try:
            return self._perform(effect, context)
        except OSError as error:
            raise Retryable(f"The deployment could not use its files: {error.strerror or error}.") from error

    def _strategy(self, name: str) -> Strategy:
        return registry.choose(self.strategies, name)

    def _perform(self, effect: Effect, context: EffectContext) -> Model:
        match effect:
            case Provision():
                return self._strategy(effect.strategy).provision(effect, context)
            case ApplyRelease():
                return self._strategy(effect.strategy).apply(effect.release, context)
            case UndoRelease():
                return self._strategy(effect.strategy).undo(effect.release, effect.failed, context)
            case _:
                raise Permanent("UnknownEffect", f"{effect.kind} is no deployment effect.")
