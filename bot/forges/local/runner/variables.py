"""Variables of a run: the predefined ones, and `$NAME` inside the value of another.

Predefined: https://docs.gitlab.com/ci/variables/predefined_variables/ ; expansion: GitLab's runner replaces
`$NAME` and `${NAME}`, `$$` stands for one dollar sign, an unknown name for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator

from bot.forges.local.runner.errors import PipelineError

# `A: $B$B`, `B: $C$C`, ... doubles with every line.
MAX_CHARACTERS = 64 * 1024
# Written by whoever could push. A dollar sign in it refers to nothing, and GitLab's limit keeps it below what
# the system takes as one variable.
RAW = frozenset({"CI_COMMIT_MESSAGE"})
MAX_MESSAGE_BYTES = 100_000

Source = Literal["push", "merge_request_event", "web", "api", "schedule", "trigger"]
_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})")


class RunContext(BaseModel):
    """Why a pipeline would run, and for what.

    Exactly one of `branch` and `tag` is given; for `merge_request_event` the branch is the change's own and
    `change` its number. `variables` are the forge's and win over the file's. `masked` are values that never
    appear in a log.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    branch: str | None = None
    tag: str | None = None
    default_branch: str = "main"
    source: Source = "push"
    change: int | None = None
    target_branch: str | None = None
    sha: str = ""
    message: str = ""
    pipeline_id: str = "0"
    project: str = "project"
    variables: dict[str, str] = {}
    environments: dict[str, dict[str, str]] = {}
    """Name of an environment -> what jobs that name it get."""
    masked: tuple[SecretStr, ...] = ()

    @model_validator(mode="after")
    def _one_ref(self) -> RunContext:
        if (self.branch is None) is (self.tag is None):
            raise ValueError("give exactly one of branch and tag")
        if (self.source == "merge_request_event") is (self.change is None):
            raise ValueError("a change number belongs to the source merge_request_event, and only to it")
        return self


def predefined(context: RunContext) -> dict[str, str]:
    """The CI_* variables that are known before a job is chosen."""
    found = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_DEFAULT_BRANCH": context.default_branch,
        "CI_PIPELINE_SOURCE": context.source,
        "CI_PIPELINE_ID": context.pipeline_id,
        "CI_PROJECT_NAME": context.project,
        "CI_COMMIT_REF_NAME": context.branch or context.tag or "",
    }
    if context.sha:
        found |= commit(context.sha)
    if context.message:
        cut = context.message.encode()[:MAX_MESSAGE_BYTES]
        found["CI_COMMIT_MESSAGE"] = cut.decode(errors="ignore")
    if context.tag is not None:
        found["CI_COMMIT_TAG"] = context.tag
    elif context.change is None:
        # GitLab leaves it out in a change's pipeline, and rules rely on that.
        found["CI_COMMIT_BRANCH"] = context.branch or ""
    if context.change is not None:
        found["CI_MERGE_REQUEST_IID"] = str(context.change)
        found["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"] = context.branch or ""
        found["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] = context.target_branch or context.default_branch
    return found


def commit(sha: str) -> dict[str, str]:
    """The variables that name the commit; the short form has eight digits."""
    return {"CI_COMMIT_SHA": sha, "CI_COMMIT_SHORT_SHA": sha[:8]}


def expand(variables: Mapping[str, str]) -> dict[str, str]:
    """Every value with its references resolved.

    Those in RAW are texts of strangers and stay as they are. Raises PipelineError when variables refer to
    each other in a circle or grow beyond MAX_CHARACTERS.
    """
    done: dict[str, str] = {}
    for name in variables:
        _expand_one(name, variables, done, ())
    return {name: done[name] for name in variables}


def expand_text(text: str, variables: Mapping[str, str]) -> str:
    """`text` with references replaced by values that are themselves already expanded."""
    return _REFERENCE.sub(lambda found: _replacement(found, variables), text)


def _replacement(found: re.Match[str], variables: Mapping[str, str]) -> str:
    return "$" if found["dollar"] else variables.get(found["name"] or found["braced"], "")


def _expand_one(
    name: str, variables: Mapping[str, str], done: dict[str, str], above: tuple[str, ...]
) -> None:
    if name in done:
        return
    if name in RAW:
        done[name] = variables[name]
        return
    if name in above:
        circle = " -> ".join([*above[above.index(name) :], name])
        raise PipelineError(
            f"variables refer to each other: {circle}", suggestion="remove one of the references"
        )
    if len(above) > 100:  # noqa: PLR2004 - far below the interpreter's own limit of nested calls
        raise PipelineError(
            f"the variable `{name}` is reached through more than 100 others", suggestion="write the value out"
        )
    for found in _REFERENCE.finditer(variables[name]):
        reference = found["name"] or found["braced"]
        if reference in variables:
            _expand_one(reference, variables, done, (*above, name))
    done[name] = expand_text(variables[name], done)
    if len(done[name]) > MAX_CHARACTERS:
        raise PipelineError(
            f"the variable `{name}` grows beyond {MAX_CHARACTERS} characters", suggestion="write it shorter"
        )
