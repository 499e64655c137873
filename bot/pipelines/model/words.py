"""The words that a pipeline is made of: nothing here is more than itself to a shell or to any CI system."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Literal, get_args

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field

Stage = Literal["build", "test", "scan", "package", "deploy"]
STAGES: tuple[Stage, ...] = get_args(Stage)
_ANY_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 - only whether an expression can be read is asked
_FIELDS = 5


def _free(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"`{name}` means something to a CI system; call the job otherwise")
    return name


def _inside(path: str) -> str:
    if not path or path.startswith(("/", "~")) or ".." in PurePosixPath(path).parts:
        raise ValueError(f"`{path}` does not stay inside the project")
    if re.search(r"[^\w./*@+ -]", path):
        raise ValueError(f"`{path}` has a character that a CI system reads as more than itself")
    return path


def _pattern(text: str) -> str:
    """Every CI system delimits patterns in its own way, so the neutral one is bare.

    Here it must only be one.
    """
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"`{text}` is not a regular expression: {error}") from error
    if re.search(r"\(\?<?[=!]", text):
        raise ValueError(f"`{text}` looks ahead or behind, which GitLab's engine can not")
    return text


def _fixed(image: str) -> str:
    """An image that anybody can move to other bytes is no statement about a build."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    if "@" not in image and tag in ("", "latest"):
        raise ValueError(f"the image `{image}` names no version; add a tag or a digest")
    return image


def _cron(text: str) -> str:
    """Five fields that all three systems read alike: numbers, no names, no `L` or `#`."""
    if re.fullmatch(r"[0-9*,/-]+( [0-9*,/-]+){4}", text) is None or len(text.split()) != _FIELDS:
        raise ValueError(f"`{text}` is not five fields of numbers, `*`, `,`, `-` and `/`")
    try:
        CronSim(text, _ANY_DAY)
    except CronSimError as error:
        raise ValueError(f"`{text}` is no time table: {error}") from error
    return text


# Written by hand into shells of every system: no blanks, quotes or dollar signs.
JobName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
# Words that GitLab reads at the top of a file, and those that an older YAML reads as something else.
RESERVED = frozenset(
    ["image", "services", "stages", "types", "variables", "cache", "include", "default", "workflow", "spec"]
) | frozenset(["pages", "nil", "true", "false", "null", "yes", "no", "on", "off", "y", "n"])
# Names of files and patterns of paths, in every system: nothing that one of them reads as more than itself.
ModulePath = Annotated[
    str, Field(pattern=r"^(\.|[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*)$")
]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
RefPattern = Annotated[str, Field(pattern=r"^[A-Za-z0-9._/*-]+$")]
RefName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]*$")]
OwnJobName = Annotated[JobName, AfterValidator(_free)]
RelativePath = Annotated[str, AfterValidator(_inside)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Cron = Annotated[str, AfterValidator(_cron)]
Variables = dict[VariableName, Annotated[str, Field(max_length=4096)]]
# What a person reads beside a field of a form; GitHub reads no expression there, others may.
Prose = Annotated[str, Field(pattern=r"^[A-Za-z0-9 .,:;()'/_-]*$", max_length=200)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$", max_length=200)]
ImageName = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*"
        r"(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$",
        max_length=300,
    ),
    AfterValidator(_fixed),
]
EnvironmentName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=63)]
Url = Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?$")]
FORGE_TOKEN = "@forge-token"  # noqa: S105 - the name of a reference
# `@vault:name` is how the seeds spell a secret (001, "Secret reference syntax"); the other is the run's own.
SecretReference = Annotated[str, Field(pattern=r"^@(vault:[a-z][a-z0-9-]{0,62}|forge-token)$")]


def store_name(reference: str) -> str:
    """The secret's name in stores that have no hyphens: `@vault:registry-token` is `REGISTRY_TOKEN`."""
    return vault_name(reference).replace("-", "_").upper()


def vault_name(reference: str) -> str:
    """The secret's own name: `@vault:registry-token` is `registry-token`."""
    return reference.removeprefix("@vault:").removeprefix("@")
