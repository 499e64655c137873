"""Our own lints of pipeline files, whoever wrote them. Pure: texts in, findings out.

unpinned-action  unpinned-image  plain-secret  deploy-without-gate  missing-stage  expression-in-command
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatch

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node

from bot.domain import secrets
from bot.messages import lints as say
from bot.pipelines import lint_rules
from bot.pipelines.lint_rules import Fault, System

PLACES: Mapping[str, System] = {
    ".github/workflows/*.yml": "github",
    ".github/workflows/*.yaml": "github",
    ".gitlab-ci.yml": "gitlab",
    ".gitlab/ci/pointsman/*.yml": "gitlab",
    "azure-pipelines.yml": "azure",
    ".azure-pipelines/*.yml": "azure",
}


@dataclass(frozen=True)
class Finding:
    """What is wrong where (line from 1), and the fix."""

    path: str
    line: int
    rule: str
    message: str
    suggestion: str

    def to_json(self) -> dict[str, object]:
        """As `pipeline check` answers."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}; {self.suggestion}"


def system_of(path: str) -> System | None:
    """The CI system that reads a file of this name, or None."""
    return next((system for pattern, system in PLACES.items() if fnmatch(path, pattern)), None)


def check(files: Mapping[str, str]) -> tuple[Finding, ...]:
    """Everything that is wrong with the pipeline files among `files` (path -> text), by file and line."""
    found = {finding for path, text in files.items() for finding in _of_file(path, text)}
    return tuple(sorted(found, key=lambda one: (one.path, one.line, one.rule)))


def _of_file(path: str, text: str) -> Iterator[Finding]:
    system = system_of(path)
    if system is None:
        return
    for secret in secrets.scan(path, text):
        yield Finding(path, secret.line, "plain-secret", *say.secret_in_plain_text(secret.kind))
    try:
        top = YAML().compose(text)
    except YAMLError as error:
        yield _unreadable(path, error)
        return
    for fault in _faults(system, top):
        yield Finding(path, fault.node.start_mark.line + 1, fault.rule, *fault.said)


def _faults(system: System, top: Node | None) -> Iterator[Fault]:
    if not isinstance(top, MappingNode):
        return
    for rule in lint_rules.RULES:
        yield from rule(system, top)


def _unreadable(path: str, error: YAMLError) -> Finding:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    why = re.sub(r"\s+", " ", str(getattr(error, "problem", "") or error)).strip()
    return Finding(path, mark.line + 1 if mark else 1, "not-yaml", *say.not_yaml(why))
