"""`include: local`: other files of the same revision, merged under the one that includes them.

    include:
      - local: .gitlab/ci/pointsman/*.yml      # `*` is anything but `/`, `**` is anything

Meaning as in GitLab (https://docs.gitlab.com/ci/yaml/#includelocal): files are merged in their order, a later
one over an earlier one, the including file over all of them; mappings key by key, anything else whole. An
included file that includes others is an error here, and so is every other kind of include.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.forges.local.runner.document import Document, Path, read
from bot.forges.local.runner.errors import PipelineError

# GitLab's own limit: https://docs.gitlab.com/administration/settings/continuous_integration/#maximum-includes
MAX_FILES = 150


def resolve(document: Document, tree: Mapping[str, str]) -> Document:
    """The document with what it includes. `tree` is the revision: path -> text. Raises PipelineError."""
    if "include" not in document.data:
        return document
    names = list(_names(document, tree))
    if len(names) > MAX_FILES:
        raise _wrong(document, ("include",), f"{len(names)} files are included, more than {MAX_FILES}", "")
    merged = Document({}, {})
    for name in names:
        merged = _over(merged, _included(name, tree[name]))
    own = {name: value for name, value in document.data.items() if name != "include"}
    return _over(merged, Document(own, document.positions, {}))


def _names(document: Document, tree: Mapping[str, str]) -> Iterator[str]:
    said = document.data["include"]
    for index, entry in enumerate(said if isinstance(said, list) else [said]):
        path: Path = ("include", index) if isinstance(said, list) else ("include",)
        pattern = _local(document, path, entry)
        found = [name for name in tree if _expression(pattern).fullmatch(name)]
        if not found and "*" not in pattern:
            raise _wrong(document, path, f"the file `{pattern}` is not there", "correct the path")
        yield from sorted(found)


def _local(document: Document, path: Path, entry: Any) -> str:
    """The pattern of one entry, relative to the top of the repository."""
    named = entry.get("local") if isinstance(entry, dict) and set(entry) == {"local"} else entry
    if not isinstance(named, str) or "://" in named:
        raise _wrong(
            document, path, "this kind of include is not supported by the embedded runner", "use `local:`"
        )
    if not named.endswith((".yml", ".yaml")):
        raise _wrong(document, path, f"`{named}` does not end in .yml or .yaml", "name a YAML file")
    return named.removeprefix("/")


def _expression(pattern: str) -> re.Pattern[str]:
    wild = {"**": ".*", "*": "[^/]*"}
    parts = re.split(r"(\*\*|\*)", pattern)
    return re.compile("".join(wild.get(part) or re.escape(part) for part in parts))


def _included(name: str, text: str) -> Document:
    try:
        inner = read(text)
    except PipelineError as error:
        error.file = name
        raise
    inner = inner._replace(files=dict.fromkeys(inner.positions, name))
    if "include" in inner.data:
        message = "an included file that includes others is not supported by the embedded runner"
        raise _wrong(inner, ("include",), message, "include them in the first file")
    return inner


def _over(below: Document, above: Document) -> Document:
    """`above` merged over `below`; of what it replaces no place is remembered."""
    replaced = set(_leaves(above.data, ()))
    kept = {
        path: place
        for path, place in below.positions.items()
        if not any(path[:length] in replaced for length in range(1, len(path) + 1))
    }
    files = {path: name for path, name in below.files.items() if path in kept and path not in above.positions}
    return Document(_merged(below.data, above.data), kept | above.positions, files | dict(above.files))


def _leaves(data: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        name: _merged(below[name], value)
        if isinstance(value, dict) and isinstance(below.get(name), dict)
        else value
        for name, value in above.items()
    }
    return {**below, **both}


def _wrong(document: Document, path: Path, message: str, suggestion: str) -> PipelineError:
    line, column = document.position(path)
    file = document.file(path)
    return PipelineError(message, line=line, column=column, suggestion=suggestion, file=file)
