"""The root `.gitlab-ci.yml` of a repository with several modules: ours, or a person's with our include put
in.

Of a person's file nothing is rewritten. The result is read again and must be the old content and our
additions, or else nothing is done.
"""

from __future__ import annotations

from collections.abc import Sequence

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.pipelines import gitlab_ci, gitlab_rules
from bot.pipelines.model import STAGES, Pipeline
from bot.pipelines.text import OURS, text_of
from bot.pipelines.written import CannotWrite
from bot.pipelines.yaml_additions import (
    Additions,
    NotSafe,
    find,
    item_beside,
    items_into,
    key_at_end,
    plain,
    put_in,
    read,
)

PATTERN = f"{gitlab_ci.FOLDER}/*.yml"
_SAME = f"{OURS}, the same for every module; the modules' own jobs are in {gitlab_ci.FOLDER}.\n\n"
# GitLab's own, when a file says nothing: https://docs.gitlab.com/ci/yaml/#stages
_DEFAULT_STAGES = ("build", "test", "deploy")


def text() -> str:
    """Ours. It has a job that always runs: without one, GitLab makes no pipeline for a change of no module,
    and whoever waits for its result would wait for ever.
    """
    either = [{"if": "$CI_COMMIT_BRANCH"}, {"if": "$CI_COMMIT_TAG"}]
    document = {
        "workflow": {"rules": [{"if": gitlab_rules.CHANGE}, dict(gitlab_rules.ONCE), *either]},
        "stages": list(STAGES),
        "include": [{"local": PATTERN}],
        "every-change": {
            "stage": STAGES[0],
            "variables": {"GIT_STRATEGY": "none"},
            "script": ["echo 'The jobs of a module run when its files have changed.'"],
            "timeout": "60 seconds",
        },
    }
    return _SAME + text_of(document)


def alone(root: str | None) -> bool:
    """Whether the root file may be the whole pipeline of one module: none is there, or that very one."""
    return root is None or (root.startswith(OURS) and not root.startswith(_SAME) and PATTERN not in root)


def with_modules(root: str | None, pipeline: Pipeline) -> tuple[str, tuple[str, ...]]:
    """The root file that includes the modules' files, and what was done to one that is not ours.

    Raises CannotWrite.
    """
    if root is None or root.startswith(_SAME) or (not pipeline.in_a_folder and root.startswith(OURS)):
        return text(), ()
    try:
        return _put_in(root, pipeline)
    except NotSafe as error:
        raise CannotWrite(
            f"`{gitlab_ci.FILE}` is not ours and could not be added to: {error}. Add `include: [{{local: "
            f"{PATTERN}}}]` and the stages {', '.join(pipeline.stages)} to it by hand, then say /retry."
        ) from error


def _put_in(root: str, pipeline: Pipeline) -> tuple[str, tuple[str, ...]]:
    top = read(root)
    taken = [name.value for name, _ in top.value if name.value.startswith(f"{pipeline.module}:")]
    if taken:
        raise NotSafe(f"it has a job called `{taken[0]}`")
    additions, notes = _include(root, find(top, "include"))
    more, stages = _stages(root, find(top, "stages"), pipeline.stages)
    if more:
        added = ", ".join(stage for stage in pipeline.stages if stage not in _names(find(top, "stages")))
        notes = [*notes, f"the stages {added} were added to `{gitlab_ci.FILE}`"]
    if find(top, "workflow") is None:
        notes = [
            *notes,
            f"`{gitlab_ci.FILE}` has no `workflow`: GitLab may run jobs for a branch and its change",
        ]
    result = put_in(root, [*additions, *more])
    _check(top, read(result), stages if more else None, included=bool(additions))
    return result, tuple(notes)


def _include(root: str, there: Node | None) -> tuple[Additions, list[str]]:
    """Our include beside those that are there, and the note about it; nothing when it is there already."""
    entry = f"{{local: {PATTERN}}}"
    notes = [f"`include: {PATTERN}` was added to `{gitlab_ci.FILE}`"]
    if there is None:
        return key_at_end(root, f"include:\n  - local: {PATTERN}\n"), notes
    if not isinstance(there, SequenceNode):
        return ([], []) if _local(there) == PATTERN else (item_beside(root, there, entry), notes)
    if PATTERN in {_local(one) for one in there.value}:
        return [], []
    return items_into(root, there, {len(there.value): [entry]}), notes


def _local(entry: Node) -> str | None:
    named = find(entry, "local") if isinstance(entry, MappingNode) else entry
    return str(named.value).removeprefix("/") if isinstance(named, ScalarNode) else None


def _stages(root: str, there: Node | None, wanted: Sequence[str]) -> tuple[Additions, list[str]]:
    """The stages that are missing, each where our order has it, and the list as it is then."""
    known = _names(there)
    missing = [stage for stage in wanted if stage not in known]
    places = {stage: _place(stage, known) for stage in missing}
    result: list[str] = []
    for index in range(len(known) + 1):
        result += [stage for stage in missing if places[stage] == index] + known[index : index + 1]
    if not missing:
        return [], result
    if there is None:
        return key_at_end(root, "stages:\n" + "".join(f"  - {stage}\n" for stage in result)), result
    if not isinstance(there, SequenceNode):
        raise NotSafe("its `stages` are no list")
    at = {place: [stage for stage in missing if places[stage] == place] for place in places.values()}
    return items_into(root, there, at), result


def _names(stages: Node | None) -> list[str]:
    # What GitLab takes when a file says nothing: https://docs.gitlab.com/ci/yaml/#stages
    if stages is None:
        return ["build", "test", "deploy"]
    return [str(one.value) for one in stages.value] if isinstance(stages, SequenceNode) else []


def _place(stage: str, known: Sequence[str]) -> int:
    """After the last of those that come before it with us, else before the first that comes after it."""
    order = {name: STAGES.index(name) for name in STAGES}
    rank = order[stage]  # type: ignore[index]  # a stage of our own pipeline
    before = [at for at, name in enumerate(known) if order.get(name, rank) < rank]  # type: ignore[call-overload]
    after = [at for at, name in enumerate(known) if order.get(name, rank) > rank]  # type: ignore[call-overload]
    return max(before) + 1 if before else min([*after, len(known)])


def _check(old: MappingNode, new: MappingNode, stages: list[str] | None, *, included: bool) -> None:
    """Raises NotSafe unless all that was there is there, and of ours nothing else."""
    wanted, found = plain(old), plain(new)
    text = "tag:yaml.org,2002:str"
    if included:
        there = wanted.get("include", [])
        wanted["include"] = [*(there if isinstance(there, list) else [there]), {"local": (text, PATTERN)}]
    if stages is not None:
        wanted["stages"] = [(text, stage) for stage in stages]
    if found != wanted:
        raise NotSafe("what is there would be read as something else")
