"""Merging without a work tree: `git merge-tree` (Git 2.38 or newer) makes the tree, commit-tree the commits.

The commit that will be the merge is written to the change's row before the branch moves; what the branch says
then decides whether it happened, so a process that dies in between leaves nothing half done (telling.tell
finishes it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.forges.local import commit, history, people, signing
from bot.forges.local.changes import Impossible
from bot.forges.local.git import git, line, run
from bot.forges.local.ground import Ground
from bot.forges.local.protection import Rule, rules_for
from bot.forges.local.tables import ForgeChange, ForgeCheck, ForgeRepository, ForgeReview
from bot.forges.local.telling import get_change, writing

Method = Literal["merge", "squash", "rebase"]
PASSED = ("success", "neutral")
"""Neutral is what an observing policy says: it blocks nobody."""


@dataclass(frozen=True)
class Wish:
    """What to merge, how, and what the commit says. `expected_head` is the revision that was agreed on."""

    repository: str
    number: int
    expected_head: str
    method: Method
    message: str
    trailers: Mapping[str, str]
    up_to_date: bool = False


def merge(ground: Ground, wish: Wish, *, login: str) -> ForgeChange:
    """The merged change. Raises Impossible (NotMergedYet among them: a required check is still pending)."""
    with writing(ground, wish.repository, login) as folder:
        with ground.read() as session:
            change = get_change(session, wish.repository, wish.number)
            if change.state == "merged":
                return _same(change, wish)
            _allowed(session, folder, change, wish)
        target = f"refs/heads/{change.target}"
        onto = history.resolve(folder, target)
        if onto is None:
            raise Impossible("BranchDeleted", f"the target branch {change.target} was deleted")
        if wish.up_to_date and not history.is_ancestor(folder, onto, change.head):
            raise Impossible("BranchBehind", f"{change.source} is behind {change.target}")
        sha = _commit(ground, folder, change, onto, wish, login)
        with ground.write() as session:
            get_change(session, wish.repository, wish.number).merging = sha
        commit.move(folder, target, sha, onto)
    with ground.read() as session:
        return get_change(session, wish.repository, wish.number)


def _same(change: ForgeChange, wish: Wish) -> ForgeChange:
    if change.head != wish.expected_head:
        raise Impossible(
            "HeadMoved",
            f"change {change.number} was merged at {change.head[:12]}, not {wish.expected_head[:12]}",
        )
    return change


def _allowed(session: Session, folder: Path, change: ForgeChange, wish: Wish) -> None:
    if change.state == "closed":
        raise Impossible("ChangeClosed", f"change {change.number} is closed")
    head = history.branch_head(folder, change.source)
    if head is None:
        raise Impossible("BranchDeleted", f"the branch {change.source} of change {change.number} was deleted")
    if head != wish.expected_head:
        raise Impossible(
            "HeadMoved", f"the head of change {change.number} is {head[:12]}, not {wish.expected_head[:12]}"
        )
    repository = session.get_one(ForgeRepository, change.repository)
    rules = rules_for([Rule.model_validate(rule) for rule in repository.protection], change.target)
    for rule in rules:
        _checks_passed(session, change, rule)
        _approved(session, change, rule)


def _checks_passed(session: Session, change: ForgeChange, rule: Rule) -> None:
    wanted = select(ForgeCheck).where(
        ForgeCheck.repository == change.repository, ForgeCheck.revision == change.head
    )
    said = {check.name: check.conclusion for check in session.scalars(wanted)}
    failed = [name for name in rule.checks if said.get(name) not in {None, *PASSED}]
    if failed:
        raise Impossible(
            "RequiredCheckFailed", f"{change.target} is protected: {', '.join(failed)} did not succeed"
        )
    waiting = [name for name in rule.checks if said.get(name) is None]
    if waiting:
        raise Impossible(
            "RequiredCheckPending",
            f"{change.target} is protected: {', '.join(waiting)} has not succeeded yet",
        )


def _approved(session: Session, change: ForgeChange, rule: Rule) -> None:
    wanted = select(ForgeReview).where(ForgeReview.change_id == change.id).order_by(col(ForgeReview.id))
    last = {review.author: review for review in session.scalars(wanted) if review.state != "commented"}
    counted = [
        review.author
        for review in last.values()
        if review.state == "approved"
        and review.revision == change.head
        and review.author != change.author
        and people.at_least(people.permission(session, change.repository, review.author), "write")
    ]
    if len(counted) < rule.approvals:
        raise Impossible(
            "ApprovalsMissing",
            f"{change.target} is protected: {len(counted)} of {rule.approvals} approving reviews of the head",
        )


def _commit(ground: Ground, folder: Path, change: ForgeChange, onto: str, wish: Wish, login: str) -> str:
    """The commit that the target shall point to."""
    work = Work(folder, author(ground, login), signing.options(ground.settings.home))
    message = commit.message_with(wish.message, wish.trailers)
    if wish.method == "rebase":
        return work.rebase(change, onto, wish.trailers)
    tree = work.merged_tree(onto, change.head, change)
    parents = [onto, change.head] if wish.method == "merge" else [onto]
    return work.commit(tree, parents, message)


def author(ground: Ground, login: str) -> commit.Author:
    """Whose name is on a commit made for `login`, now."""
    settings = ground.settings
    email = settings.bot_email if login == settings.bot_login else f"{login}@users.pointsman.invalid"
    return commit.Author(login, email, ground.moment())


@dataclass(frozen=True)
class Work:
    """A folder, whose name is on the commits, how they are signed."""

    folder: Path
    author: commit.Author
    signing: tuple[str, ...]

    def commit(self, tree: str, parents: list[str], message: str) -> str:
        return commit.write_commit(self.folder, tree, parents, message, self.author, signing=self.signing)

    def merged_tree(self, ours: str, theirs: str, change: ForgeChange) -> str:
        """The tree of both. Raises Impossible('MergeConflict') that names the files."""
        done = run(
            self.folder, "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs
        )
        tree, *conflicts = [part for part in done.stdout.decode(errors="replace").split("\0") if part]
        if done.returncode == 0:
            return tree
        raise Impossible(
            "MergeConflict",
            f"change {change.number} conflicts with {change.target} in {', '.join(conflicts)}",
        )

    def rebase(self, change: ForgeChange, onto: str, trailers: Mapping[str, str]) -> str:
        """The commits of the change, one after the other, on top of `onto`; authors and messages stay.

        The last one gets `trailers` after its own: whatever it says of traces, the merge is its merger's.
        """
        base = history.merge_base(self.folder, onto, change.head)
        listed = line(
            self.folder, "rev-list", "--reverse", "--no-merges", "--topo-order", change.head, f"^{base}"
        )
        commits = listed.split()
        for number, sha in enumerate(commits, 1):
            onto = self._pick(sha, onto, change, trailers if number == len(commits) else {})
        return onto

    def _pick(self, sha: str, onto: str, change: ForgeChange, trailers: Mapping[str, str]) -> str:
        parent = line(self.folder, "rev-parse", f"{sha}^")
        if parent == onto:
            there = history.tree_of(self.folder, sha)
            return self._rewritten(sha, there, onto, trailers) if trailers else sha
        # merge-tree takes its base from the history (`--merge-base` came with Git 2.40): give the trees one.
        base = self.commit(history.tree_of(self.folder, parent), [], "base\n")
        ours = self.commit(history.tree_of(self.folder, onto), [base], "ours\n")
        theirs = self.commit(history.tree_of(self.folder, sha), [base], "theirs\n")
        tree = self.merged_tree(ours, theirs, change)
        return self._rewritten(sha, tree, onto, trailers)

    def _rewritten(self, sha: str, tree: str, parent: str, trailers: Mapping[str, str]) -> str:
        name, email, date = line(self.folder, "show", "-s", "--format=%an%n%ae%n%aI", sha).split("\n")
        said = git(self.folder, "show", "-s", "--format=%B", sha).decode(errors="replace")
        message = commit.message_with(said, trailers)
        env = {
            **self.author.environment(),
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_AUTHOR_DATE": date,
        }
        sign = ["-S"] if self.signing else []
        return line(
            self.folder,
            *self.signing,
            "commit-tree",
            tree,
            "-p",
            parent,
            *sign,
            "-F",
            "-",
            stdin=message.encode(),
            env=env,
        )
