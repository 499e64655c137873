"""`PrepareEnvironment`: an environment of GitHub Actions and its variables."""

from __future__ import annotations

import re
from urllib.parse import quote

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.github.account import Needs
from bot.forges.github.errors import Answered
from bot.forges.github.ground import MISSING, Ground

LOOK: Needs = {"actions": "read", "metadata": "read"}
MAKE: Needs = {"administration": "write", "metadata": "read"}
VARIABLES: Needs = {"environments": "write", "metadata": "read"}
NAME = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*")
"""https://docs.github.com/en/actions/reference/workflows-and-actions/variables#naming-conventions-for-configuration-variables"""
LARGEST = 48 * 1024
PAGE = 30
"""Variables that GitHub lists at a time."""
CONFLICT = 409


def prepare_environment(
    ground: Ground, _effect_id: str, effect: e.PrepareEnvironment, _context: EffectContext
) -> e.Done:
    """Make it if it is missing, then what its variables lack. One that is there is left as it is: to say it
    again would take its reviewers away.
    """
    wanted = _wanted(effect)
    repository, path = effect.repository, f"/environments/{quote(effect.environment, safe='')}"
    if not _is_there(ground, repository, effect.environment):
        _make(ground, effect, path)
    have = _variables(ground, repository, path) if wanted else {}
    for name, value in wanted.items():
        if name not in have:
            _add(ground, repository, path, name, value)
        elif have[name] != value:
            said = {"name": name, "value": value}
            ground.client.send("PATCH", repository, f"{path}/variables/{name}", said, needs=VARIABLES)
    return e.Done(id=effect.environment)


def _wanted(effect: e.PrepareEnvironment) -> dict[str, str]:
    """By the names that GitHub keeps: it does not tell small letters from capitals."""
    wanted = {_checked(name, value): value for name, value in effect.variables.items()}
    if len(wanted) < len(effect.variables):
        raise Permanent("InvalidVariable", "two variables differ in small letters and capitals alone")
    return wanted


def _checked(name: str, value: str) -> str:
    """The name as GitHub keeps it. Raises Permanent('InvalidVariable')."""
    kept = name.upper()
    if not NAME.fullmatch(kept):
        raise Permanent(
            "InvalidVariable",
            f"{name!r} cannot be a variable on GitHub: letters, digits and _, no digit first, not GITHUB_",
        )
    if len(value.encode()) > LARGEST:
        raise Permanent("InvalidVariable", f"the value of {name} is larger than {LARGEST // 1024} KiB")
    return kept


def _is_there(ground: Ground, repository: str, environment: str) -> bool:
    """Looked for in the list as well: made again by mistake, one would lose its reviewers."""
    try:
        ground.client.get(repository, f"/environments/{quote(environment, safe='')}", needs=LOOK)
    except Answered as error:
        if error.status != MISSING:
            raise
        listed = ground.client.pages(repository, "/environments", inside="environments", needs=LOOK)
        return any(one["name"].casefold() == environment.casefold() for one in listed)
    return True


def _variables(ground: Ground, repository: str, path: str) -> dict[str, str]:
    listed = ground.client.pages(
        repository, f"{path}/variables", inside="variables", params={"per_page": PAGE}, needs=VARIABLES
    )
    return {one["name"]: one["value"] for one in listed}


def _make(ground: Ground, effect: e.PrepareEnvironment, path: str) -> None:
    try:
        ground.client.send("PUT", effect.repository, path, {}, needs=MAKE)
    except Answered as error:
        if error.status != MISSING:
            raise
        what = f"the environment {effect.environment} in {effect.repository}"
        todo = "let an administrator make it"
        raise Permanent("NoWriteAccess", f"{ground.login} may not make {what}: {todo}") from error


def _add(ground: Ground, repository: str, path: str, name: str, value: str) -> None:
    said = {"name": name, "value": value}
    try:
        ground.client.send("POST", repository, f"{path}/variables", said, needs=VARIABLES)
    except Answered as error:
        if error.status == CONFLICT:
            raise Retryable(f"the variable {name} was made meanwhile") from error
        raise
