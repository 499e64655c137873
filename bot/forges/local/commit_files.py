"""`CommitFiles`: one commit on a branch, marked by its effect's id, on a head that may have moved."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.model import rfc3339
from bot.domain.performer import EffectContext
from bot.forges.local import commit, history, people, signing, tree
from bot.forges.local.git import ZERO, git, line, run
from bot.forges.local.ground import Ground, Missing
from bot.forges.local.protection import Rule, may_push
from bot.forges.local.tables import ForgeRepository
from bot.forges.local.telling import writing
from bot.forges.wanted import wanted as wanted_files


def commit_files(
    ground: Ground, effect_id: str, effect: e.CommitFiles, context: EffectContext
) -> e.CommitResult:
    """One commit, on top of a head that may have moved as long as nobody touched the same files."""
    files, moment = wanted_files(effect, context)
    at = _whole_second(moment) if moment else ground.moment()
    bot = ground.settings.bot_login
    may_commit(ground, effect.repository, effect.branch, bot)
    with writing(ground, effect.repository, bot) as folder:
        head = history.branch_head(folder, effect.branch)
        if head and (done := done_before(ground, folder, head, effect_id)):
            return committed(folder, effect.branch, done)
        if head and effect.fresh:
            raise Permanent("BranchTaken", f"{effect.branch} is there already, made by somebody else")
        parent = head or _start(folder, effect)
        if effect.expected_head and head != effect.expected_head:
            _untouched_since(folder, effect, files, head)
        clean = effect.prefix.strip("/") if effect.clean else None
        built = tree.build_tree(folder, parent, files, clean=clean)
        if parent and built == history.tree_of(folder, parent):
            if head is None:
                commit.move(folder, f"refs/heads/{effect.branch}", parent, ZERO)
            return committed(folder, effect.branch, parent, files=())
        message = commit.message_with(effect.message, {**effect.trailers, "Effect-Id": effect_id})
        author = commit.Author("pointsman[bot]", ground.settings.bot_email, at)
        sign = signing.options(ground.settings.home)
        sha = commit.write_commit(folder, built, [parent] if parent else [], message, author, signing=sign)
        if not commit.move(folder, f"refs/heads/{effect.branch}", sha, head or ZERO):
            raise Retryable(f"{effect.branch} moved while it was being committed to")
        return committed(folder, effect.branch, sha)


def done_before(ground: Ground, folder: Path, head: str, effect_id: str) -> str | None:
    """The commit this effect made, if a reply was lost; not somebody else's with our mark on it."""
    marked = history.find_effect(folder, head, effect_id, ground.settings.bot_email)
    return next((sha for sha in marked if signing.is_ours(folder, sha, ground.settings.home)), None)


def _whole_second(moment: datetime) -> str:
    """Git keeps no fractions."""
    return rfc3339(moment.replace(microsecond=0))


def may_commit(ground: Ground, name: str, branch: str, login: str) -> None:
    """Raises Missing, and Permanent for a branch that `login` may not put a commit on."""
    folder = ground.folder(name)
    with ground.read() as session:
        repository = session.get(ForgeRepository, name)
        held = people.permission(session, name, login)
    if repository is None:
        raise Missing(f"there is no repository {name!r}")
    if run(folder, "check-ref-format", f"refs/heads/{branch}").returncode:
        raise Permanent("InvalidBranch", f"{branch!r} cannot be the name of a branch")
    if not people.at_least(held, "write"):
        raise Permanent("NoWriteAccess", f"{login} has no write permission in {name}")
    rules = [Rule.model_validate(rule) for rule in repository.protection]
    if not may_push(rules, branch, login) and history.branch_head(folder, branch):
        raise Permanent("ProtectedBranch", f"{branch} of {name} is protected: a change is needed")


def _start(folder: Path, effect: e.CommitFiles) -> str | None:
    """Where a branch begins that is not there. A branch that should be there was deleted."""
    base = history.branch_head(folder, effect.base)
    if effect.expected_head and effect.expected_head != base:
        raise Permanent("BranchDeleted", f"the branch {effect.branch} was deleted")
    if base is None and history.refs(folder):
        raise Permanent("BranchDeleted", f"there is no branch {effect.base} to start {effect.branch} from")
    return base


def _untouched_since(folder: Path, effect: e.CommitFiles, files: dict[str, e.File], head: str | None) -> None:
    """Raise Permanent('HeadMoved') when somebody changed what this commit is about to write."""
    if head is None or effect.expected_head is None:
        return
    if history.resolve(folder, effect.expected_head) is None:
        raise Permanent("HeadMoved", f"{effect.branch} has no revision {effect.expected_head[:12]}")
    changed = history.paths(folder, effect.expected_head, head)
    below = f"{effect.prefix.strip('/')}/" if effect.prefix.strip("/") else ""
    both = [path for path in changed if path in files or (effect.clean and path.startswith(below))]
    if both:
        raise Permanent(
            "HeadMoved",
            f"{effect.branch} moved from {effect.expected_head[:12]} to {head[:12]}, "
            f"which changes {', '.join(both[:5])} as well",
        )


def committed(folder: Path, branch: str, sha: str, *, files: tuple[str, ...] | None = None) -> e.CommitResult:
    """What a commit is, read back from Git: the same answer the first time and after a lost reply."""
    about = line(folder, "show", "-s", "--format=%T%n%P%n%cI", sha).split("\n")
    parents = about[1].split()
    parent = parents[0] if parents else None
    signed = b"\ngpgsig " in git(folder, "cat-file", "commit", sha).partition(b"\n\n")[0]
    return e.CommitResult(
        sha=sha,
        tree=about[0],
        branch=branch,
        parent=parent,
        signed=signed,
        files=files if files is not None else history.paths(folder, parent or ZERO, sha),
        committed_at=rfc3339(datetime.fromisoformat(about[2])),
    )
