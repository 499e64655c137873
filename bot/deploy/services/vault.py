"""Secrets in files `<root>/<tenant>/<environment>/<module>/<name>`; settings name them `@vault:<name>`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.deploy.port import Scope, Vault
from bot.deploy.services.places import checked
from bot.domain.errors import Permanent

REFERENCE = "@vault:"


class FolderVault:
    """One file per secret; the folder's permissions are the vault's door."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _folder(self, scope: Scope) -> Path:
        parts = (scope.tenant_id, scope.environment, scope.module_id)
        return self.root.joinpath(*(checked(part, "scope") for part in parts))

    def names(self, scope: Scope) -> list[str]:
        """Names of the scope's secrets, sorted."""
        folder = self._folder(scope)
        return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []

    def read(self, scope: Scope, name: str) -> str | None:
        """A secret without the newline that editors put at the end; None when there is none."""
        path = self._folder(scope) / checked(name, "secret")
        return path.read_text().rstrip("\n") if path.is_file() else None


def resolve(values: Mapping[str, str], scope: Scope, vault: Vault) -> tuple[dict[str, str], tuple[str, ...]]:
    """`values` with references replaced, and the secrets among them. Raises Permanent('SecretsMissing')."""
    plain, secrets, missing = dict(values), [], []
    for variable, value in values.items():
        if not value.startswith(REFERENCE):
            continue
        secret = vault.read(scope, value.removeprefix(REFERENCE))
        if secret is None:
            missing.append(value)
            continue
        plain[variable] = secret
        secrets.append(secret)
    if missing:
        raise Permanent(
            "SecretsMissing",
            f"The vault has no {', '.join(sorted(missing))} for {scope.module_id} in {scope.environment}"
            f" of tenant {scope.tenant_id}.",
        )
    return plain, tuple(secrets)
