"""One lint each: a system and the file's top mapping in, faults out. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.messages import lints as say
from bot.pipelines import github_steps
from bot.pipelines.yaml_additions import find

System = Literal["github", "gitlab", "azure"]
_TOP_OF_GITLAB = frozenset(
    ["workflow", "stages", "default", "variables", "include", "image", "services", "cache", "spec", "pages"]
)
_TESTS = re.compile(r"test|unit|spec|lint|check|valid|verif|render|qualit|\bqa\b", re.IGNORECASE)
_DEPLOYS = re.compile(r"^(deploy|apply|rollout|roll-out|release-to|promote)", re.IGNORECASE)
_SECRET = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)$", re.IGNORECASE)
_REFERENCE = re.compile(r"^(@|\$|%|\{\{|<|$)|^(true|false|none|null|\d+)$", re.IGNORECASE)
# What others write: titles, names of branches, messages.
# https://docs.github.com/actions/concepts/security/script-injections
_STRANGERS = re.compile(
    r"\$\{\{[^}]*(github\.(head_ref|ref_name|event\.[\w.]*(title|body|message|name|email|ref|label))"
    r"|inputs\.\w+)[^}]*\}\}"
)
_HOW = {"github": "${{ secrets.NAME }}", "gitlab": "$NAME", "azure": "$(name)"}
_NAMES = {"github": "GitHub Actions", "gitlab": "GitLab CI", "azure": "Azure Pipelines"}
_GATE = {
    "github": "add `environment:` to it, and reviewers to that environment",
    "gitlab": "add `environment:` and `when: manual` to it, and protect that environment",
    "azure": "make it a `deployment:` with an `environment:` that has an approval",
}


class Fault(NamedTuple):
    """A rule, the node that breaks it, and what is said about it."""

    rule: str
    node: Node
    said: say.Said


def actions(system: System, top: MappingNode) -> Iterator[Fault]:
    """An action by tag or branch is whatever its owner makes of it tomorrow."""
    for key, value in _walk(top) if system == "github" else ():
        if key != "uses" or not isinstance(value, ScalarNode) or value.value.startswith("./"):
            continue
        uses = str(value.value)
        if re.search(r"@([0-9a-f]{40}|sha256:[0-9a-f]{64})$", uses) is None:
            pinned = github_steps.pinned(uses.partition("@")[0])
            said = say.action_unpinned_known(uses, pinned) if pinned else say.action_unpinned(uses)
            yield Fault("unpinned-action", value, said)


def images(_system: System, top: MappingNode) -> Iterator[Fault]:
    """An image without a version is another one tomorrow."""
    for key, value in _walk(top):
        if key not in ("image", "container") or not isinstance(value, ScalarNode):
            continue
        image = str(value.value)
        if re.fullmatch(r"[\w.:/@-]+", image) is None:
            continue  # a variable
        tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
        if "@" not in image and tag in ("", "latest"):
            yield Fault("unpinned-image", value, say.image_unpinned(image))


def variables(system: System, top: MappingNode) -> Iterator[Fault]:
    """A variable that is called like a secret and says what it is."""
    for key, value in _walk(top):
        if key not in ("env", "variables") or not isinstance(value, MappingNode):
            continue
        for name, said in value.value:
            plain = isinstance(said, ScalarNode) and not _REFERENCE.search(str(said.value))
            if plain and _SECRET.search(str(name.value)):
                yield Fault("plain-secret", said, say.secret_as_variable(name.value, _HOW[system]))


def commands(system: System, top: MappingNode) -> Iterator[Fault]:
    """What a stranger writes, put into a command before the shell reads it."""
    for key, value in _walk(top) if system == "github" else ():
        if key == "run" and isinstance(value, ScalarNode):
            for found in _STRANGERS.finditer(str(value.value)):
                yield Fault("expression-in-command", value, say.expression_in_command(found[0]))


def gates(system: System, top: MappingNode) -> Iterator[Fault]:
    """A job that deploys, and no environment that somebody could guard."""
    for name, stage, node, job in _jobs(system, top):
        deploys = _DEPLOYS.match(name.rpartition(":")[2]) or stage == "deploy"
        if deploys and find(job, "environment") is None and not _by_hand(job):
            yield Fault("deploy-without-gate", node, say.deploys_without_gate(name, _GATE[system]))


def tests(system: System, top: MappingNode) -> Iterator[Fault]:
    """A pipeline that only builds says nothing of what it built. A file that only includes others is none."""
    jobs = list(_jobs(system, top))
    included = find(top, "include") is not None or find(top, "extends") is not None
    if not jobs:
        if not included and find(top, "template") is None:
            yield Fault("missing-stage", top, say.no_job(_NAMES[system]))
    elif not included and not any(_TESTS.search(f"{name} {stage}") for name, stage, _, _ in jobs):
        yield Fault("missing-stage", top, say.no_tests())


RULES: tuple[Callable[[System, MappingNode], Iterator[Fault]], ...] = (
    actions,
    images,
    variables,
    commands,
    gates,
    tests,
)


def _by_hand(job: MappingNode) -> bool:
    return any(key == "when" and getattr(value, "value", "") == "manual" for key, value in _walk(job))


def _jobs(system: System, top: MappingNode) -> Iterator[tuple[str, str, Node, MappingNode]]:
    """Every job: its name, its stage, where it begins, what it says."""
    match system:
        case "github":
            yield from _named(find(top, "jobs"))
        case "gitlab":
            for name, _, node, job in _named(top):
                if name not in _TOP_OF_GITLAB and not name.startswith("."):
                    yield name, _said(job, "stage"), node, job
        case "azure":
            yield from _azure(top, "")


def _named(jobs: Node | None) -> Iterator[tuple[str, str, Node, MappingNode]]:
    for name, job in jobs.value if isinstance(jobs, MappingNode) else ():
        if isinstance(job, MappingNode):
            yield str(name.value), "", name, job


def _azure(top: MappingNode, stage: str) -> Iterator[tuple[str, str, Node, MappingNode]]:
    for one in _listed(find(top, "stages")):
        yield from _azure(one, _said(one, "stage"))
    for one in _listed(find(top, "jobs")):
        name = _said(one, "displayName") or _said(one, "job") or _said(one, "deployment")
        yield name, stage, one, one
    if isinstance(find(top, "steps"), SequenceNode):
        yield "steps", stage, top, top


def _listed(node: Node | None) -> Iterator[MappingNode]:
    for one in node.value if isinstance(node, SequenceNode) else ():
        if isinstance(one, MappingNode):
            yield one


def _said(node: MappingNode, key: str) -> str:
    found = find(node, key)
    return str(found.value) if isinstance(found, ScalarNode) else ""


def _walk(node: Node) -> Iterator[tuple[str, Node]]:
    """Every key with its value, at any depth."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield str(key.value), value
            yield from _walk(value)
    elif isinstance(node, SequenceNode):
        for value in node.value:
            yield from _walk(value)
