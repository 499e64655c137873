"""Names of git objects. GitLab's API names blobs and folders, but not the tree of a commit: it follows from
them.

https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any


def blob_id(content: bytes) -> str:
    """The name of a file's content."""
    return _name("blob", content)


def tree_id(entries: Iterable[dict[str, Any]]) -> str:
    """The name of the folder that has these `entries` of the tree API (`name`, `mode`, `id`)."""
    lines = [(entry["name"], entry["mode"].lstrip("0"), entry["id"]) for entry in entries]
    # Git sorts a folder as if its name ended with a slash.
    lines.sort(key=lambda line: (line[0] + ("/" if line[1] == "40000" else "")).encode())
    body = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(sha) for name, mode, sha in lines)
    return _name("tree", body)


def _name(kind: str, body: bytes) -> str:
    # Git's own hash, which is no protection here: two trees are compared that the same server holds.
    return hashlib.sha1(f"{kind} {len(body)}\0".encode() + body, usedforsecurity=False).hexdigest()
