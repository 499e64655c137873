"""As much of `.gitlab-ci.yml` as a pipeline's shape needs: included files, jobs, and whether changes have their own runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ruamel.yaml import YAML

from tests.forges.gitlab.fake.git import Repo

WORDS = {
    "after_script", "before_script", "cache", "default", "image", "include", "pages", "services", "spec", "stages", "variables",
    "workflow",
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """Jobs by name, with their stage. `for_changes`: a branch with an open change runs for the change alone."""

    jobs: dict[str, str] = field(default_factory=dict)
    for_changes: bool = False


def shape(repo: Repo, sha: str, path: str) -> Shape | None:
    """None without a file."""
    if repo.file(sha, path) is None:
        return None
    jobs: dict[str, str] = {}
    rules = ""
    for document in _documents(repo, sha, path):
        rules += str(document.get("workflow") or "")
        named = {
            name: job for name, job in document.items() if name not in WORDS and not name.startswith(".")
        }
        jobs |= {
            name: str(job.get("stage") or "test") for name, job in named.items() if isinstance(job, dict)
        }
    return Shape(jobs, "merge_request_event" in rules)


def _documents(repo: Repo, sha: str, path: str) -> Iterator[dict[str, Any]]:
    found = repo.file(sha, path)
    if found is None:
        return
    document = YAML(typ="safe", pure=True).load(found[2]) or {}
    yield document
    included = document.get("include") or []
    for one in included if isinstance(included, list) else [included]:
        pattern = str(one.get("local") if isinstance(one, dict) else one).lstrip("/")
        for entry in repo.entries(sha, deep=True) or []:
            if entry["type"] == "blob" and fnmatchcase(entry["path"], pattern):
                yield from _documents(repo, sha, entry["path"])
