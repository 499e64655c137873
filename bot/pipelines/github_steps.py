"""The steps of a job of a workflow: code, caches, artefacts, commands, results. Pure."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any

from ruamel.yaml import YAML

from bot.pipelines import metadata
from bot.pipelines.model import FORGE_TOKEN, Cache, Job, Pipeline, store_name
from bot.pipelines.text import block, noted

# Of a change GitHub would check out a merge that nobody ever sees; what is tested is what is approved.
HEAD = "${{ github.event.pull_request.head.sha || github.sha }}"
# Artefacts lose the folders that all their paths share. A second path at the top, where nothing is, keeps
# them.
TOP = ".pointsman-keeps-folders"
# https://docs.github.com/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
_IDENTITY = r"""IDENTITY_TOKEN="$(curl --fail --silent --show-error \
  --get --data-urlencode "audience=AUDIENCE" \
  --header "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$ACTIONS_ID_TOKEN_REQUEST_URL" \
  | sed -n 's/.*"value" *: *"\([^"]*\)".*/\1/p')"
[ -n "$IDENTITY_TOKEN" ]
echo "::add-mask::$IDENTITY_TOKEN"
export IDENTITY_TOKEN
"""


def of(pipeline: Pipeline, one: Job) -> list[dict[str, Any]]:
    """All steps of a job."""
    commands = "".join(f"{step.rstrip()}\n" for step in one.steps)
    script = _from_git(one) + (_token(one) if one.identity else "") + commands
    return [
        _use("actions/checkout", {"ref": HEAD, "persist-credentials": False}),
        *(_restored(pipeline, cache) for cache in kept_caches(pipeline, one)),
        *(_download(other) for other in pipeline.before(one) if other.artefacts),
        _commands(one, one.name, script),
        *_after(one),
        *_uploads(one),
    ]


def literal(text: str) -> str:
    """GitHub puts expressions into everything it reads; a text that looks like one becomes one that says
    it.
    """
    return text.replace("${{", "${{ '${{' }}")


def _from_git(one: Job) -> str:
    # In a container the folder belongs to the machine's user, which Git takes for somebody else's.
    git = "git -c safe.directory='*'" if one.container else "git"
    read = f'COMMIT_MESSAGE="$({git} log -1 --format=%B)"\nREVISION="$({git} rev-parse HEAD)"\n'
    return read + metadata.shell(message="COMMIT_MESSAGE", revision="REVISION")


def _token(one: Job) -> str:
    return _IDENTITY.replace("AUDIENCE", one.identity.audience if one.identity else "")


def _commands(one: Job, name: str, script: str, **more: Any) -> dict[str, Any]:
    """Secrets are seen by the job's own commands, by no action beside them."""
    secrets = {variable: f"${{{{ {_secret(reference)} }}}}" for variable, reference in one.secrets.items()}
    env = {"env": secrets} if secrets else {}
    return {"name": name, **more, "shell": "bash", **env, "run": block(literal(script))}


def _secret(reference: str) -> str:
    return "github.token" if reference == FORGE_TOKEN else f"secrets.{store_name(reference)}"


def _after(one: Job) -> list[dict[str, Any]]:
    if not one.after:
        return []
    commands = "".join(f"{step.rstrip()}\n" for step in one.after)
    return [_commands(one, f"after {one.name}", commands, **{"if": "${{ always() }}"})]


def kept_caches(pipeline: Pipeline, one: Job) -> tuple[Cache, ...]:
    """None where tags begin a run: what is released may not come from what a branch has left behind.

    A branch that is called after releases counts as one. https://docs.zizmor.sh/audits/#cache-poisoning
    """
    releases = pipeline.on.tags or any("release" in name for name in pipeline.on.branches)
    return () if releases else one.caches


def _restored(pipeline: Pipeline, cache: Cache) -> dict[str, Any]:
    keys = ", ".join(f"'{key}'" for key in cache.keys)
    given = {
        "path": block("".join(f"{path}\n" for path in cache.paths)),
        "key": f"{pipeline.module}-{cache.name}-${{{{ hashFiles({keys}) }}}}",
    }
    return _use("actions/cache", given)


def _artefact(one: Job) -> str:
    """Every combination of a matrix keeps an artefact of its own name; a dot is in no name of a job."""
    return f"{one.name}.${{{{ strategy.job-index }}}}" if one.matrix else one.name


def _download(other: Job) -> dict[str, Any]:
    # By pattern: a job that kept nothing has no artefact, which is no failure of this one.
    given = {"pattern": f"{other.name}.*" if other.matrix else other.name, "merge-multiple": True}
    return _use("actions/download-artifact", given)


def _uploads(one: Job) -> list[dict[str, Any]]:
    found = []
    if one.artefacts:
        found.append(_upload(_artefact(one), one.artefacts.paths, always=one.artefacts.always))
    if one.reports:
        paths = tuple(path for path in (one.reports.junit, one.reports.cobertura) if path)
        found.append(_upload(f"reports.{_artefact(one)}", paths, always=True))
    return found


def _upload(name: str, paths: tuple[str, ...], *, always: bool) -> dict[str, Any]:
    given = {
        "name": name,
        "path": block("".join(f"{literal(path)}\n" for path in (*paths, TOP))),
        "if-no-files-found": "warn",
        "include-hidden-files": True,
    }
    condition = {"if": "${{ !cancelled() }}"} if always else {}
    return _use("actions/upload-artifact", given, **condition)


def _use(name: str, given: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A step that is an action: `uses: actions/checkout@<commit> # <version>`."""
    pinned = _lock()[name]
    step = {**more, "uses": f"{name}@{pinned['commit']}", "with": given}
    return noted(step, "uses", pinned["version"])


def pinned(name: str) -> str | None:
    """How an action is named by commit, when it is one that generated workflows use."""
    known = _lock().get(name)
    return f"{name}@{known['commit']} # {known['version']}" if known else None


@lru_cache(maxsize=1)
def _lock() -> dict[str, dict[str, str]]:
    text = resources.files("bot.pipelines").joinpath("actions.yaml").read_text(encoding="utf-8")
    return dict(YAML(typ="safe", pure=True).load(text))
