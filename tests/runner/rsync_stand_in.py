"""The three copies that gitlab-ci-local asks of rsync, so that the comparison needs no rsync to be installed.

rsync -a --delete --delete-excluded --exclude-from=LIST --exclude PATTERN ./ TARGET/    the project, made anew
rsync --exclude PATTERN -rRa --files-from=LIST . TARGET/.                               artefacts out
rsync -a SOURCE/. TARGET                                                                artefacts in

Anything else ends with 64, so that a newer gitlab-ci-local can not be misread in silence.
"""

import shutil
import sys
from pathlib import Path

KNOWN = {"-a", "-rRa", "--delete", "--delete-excluded", "--exclude"}


def main(arguments: list[str]) -> int:
    flags = {argument for argument in arguments if argument.startswith("-") and "=" not in argument}
    if flags - KNOWN:
        sys.stderr.write(f"rsync stand-in: not known: {arguments}\n")
        return 64
    lists = dict(
        argument.split("=", 1) for argument in arguments if "=" in argument and argument.startswith("-")
    )
    source, target = map(Path, arguments[-2:])
    if "--delete" in flags:
        make_anew(source, target, Path(lists["--exclude-from"]).read_text().splitlines())
    elif "--files-from" in lists:
        for name in filter(None, Path(lists["--files-from"]).read_text().replace("\0", "\n").splitlines()):
            copy(source / name, target / name)
    else:
        copy(source, target)
    return 0


def make_anew(source: Path, target: Path, untracked: list[str]) -> None:
    """The state folder, `.gitlab-ci-local`, is untracked too, and the target lies in it."""
    left_out = {".gitlab-ci-local", *(line.strip("/") for line in untracked)}
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True, ignore=lambda _, names: left_out & set(names))


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
