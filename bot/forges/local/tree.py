"""The tree of a commit, made in a temporary index: no work tree, nothing written that is not a plain file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.domain.effect import File
from bot.domain.errors import Permanent
from bot.forges.local.git import ZERO, git, line
from bot.forges.paths import checked_path, content

__all__ = ["Index", "build_tree", "checked_path"]

STRICT = ("-c", "core.protectHFS=true", "-c", "core.protectNTFS=true")


def build_tree(
    folder: Path, parent: str | None, files: Mapping[str, File], *, clean: str | None = None
) -> str:
    """The tree of `parent` with `files` (by path) in it, after emptying the folder `clean` ("": all).

    Raises Permanent('InvalidPath') when anything else would become of it: a path that Git leaves out, a file
    where a folder is.
    """
    with TemporaryDirectory(prefix="pointsman-tree-") as temporary:
        index = Index(folder, Path(temporary))
        if parent is not None:
            git(folder, "read-tree", parent, env=index.env)
        if clean is not None:
            index.remove(path for path in index.paths() if not clean or path.startswith(f"{clean}/".encode()))
        expected = index.paths()
        index.remove(path.encode() for path, file in files.items() if file.delete)
        written = {path: file for path, file in files.items() if not file.delete}
        index.write(written)
        expected -= {path.encode() for path, file in files.items() if file.delete}
        expected |= {path.encode() for path in written}
        if other := expected ^ index.paths():
            names = ", ".join(repr(path.decode(errors="replace")) for path in sorted(other)[:5])
            raise Permanent("InvalidPath", f"these paths cannot be written side by side: {names}")
        return line(folder, "write-tree", env=index.env)


@dataclass(frozen=True)
class Index:
    """A Git index in a folder of its own."""

    folder: Path
    scratch: Path

    @property
    def env(self) -> dict[str, str]:
        return {"GIT_INDEX_FILE": str(self.scratch / "index")}

    def paths(self) -> set[bytes]:
        """Everything in it, symlinks and submodules that were there before included."""
        listed = git(self.folder, "ls-files", "-z", "--cached", env=self.env)
        return {path for path in listed.split(b"\0") if path}

    def remove(self, paths: Iterable[bytes]) -> None:
        """Take paths out; those that are not there are no matter."""
        self._update([b"0 %b\t%b" % (ZERO.encode(), path) for path in paths])

    def write(self, files: Mapping[str, File]) -> None:
        """Put files in. Modes are 100644 and 100755 alone: no symlink, no submodule."""
        for number, file in enumerate(files.values()):
            (self.scratch / str(number)).write_bytes(content(file))
        names = "".join(f"{self.scratch / str(number)}\n" for number in range(len(files)))
        hashed = git(self.folder, "hash-object", "-w", "--no-filters", "--stdin-paths", stdin=names.encode())
        self._update(
            [
                f"{'100755' if file.executable else '100644'} {sha}\t{path}".encode()
                for (path, file), sha in zip(files.items(), hashed.decode().split(), strict=True)
            ]
        )

    def restore(self, entries: Mapping[bytes, tuple[str, str]]) -> None:
        """Put in what Git has already: mode and blob by path, mode `000000` for no file."""
        self._update(
            [
                b"%d %b\t%b" % (int(mode), sha.encode(), path)
                if int(mode)
                else b"0 %b\t%b" % (ZERO.encode(), path)
                for path, (mode, sha) in entries.items()
            ]
        )

    def _update(self, entries: list[bytes]) -> None:
        stdin = b"".join(entry + b"\0" for entry in entries)
        git(self.folder, *STRICT, "update-index", "-z", "--index-info", stdin=stdin, env=self.env)
