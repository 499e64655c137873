"""What Git has in a repository: commits, differences, trees, files."""

from __future__ import annotations

import io
import zipfile

from bot.forges.local import history
from bot.forges.local.git import ZERO, GitFailed, git, line, run
from tests.forges.azure.fake import told
from tests.forges.azure.fake.calls import Reply, Request, answers
from tests.forges.azure.fake.state import Failure, Json, Repo


def modes(repo: Repo, revision: str) -> dict[str, str]:
    printed = git(repo.folder, "ls-tree", "-r", "-z", revision).decode().split("\0")
    return {text.partition("\t")[2]: text[:6] for text in printed if text}


def known(repo: Repo, sha: str) -> history.Commit:
    if run(repo.folder, "cat-file", "-e", f"{sha}^{{commit}}").returncode:
        raise Failure(
            404,
            "GitUnresolvableToCommitException",
            f"TF401175:The version descriptor <Commit: {sha} > could not be resolved to a version in the "
            f"repository {repo.name}",
        )
    return history.commits(repo.folder, sha, limit=1)[0]


@answers("GET", "commits")
def commits(call: Request) -> Json:
    repo = call.repo
    if "commitId" in call.route:
        return told.commit(repo, known(repo, call.route["commitId"]), call.org, short=False)
    version, kind = (call.query[f"searchCriteria.itemVersion.{name}"] for name in ("version", "versionType"))
    head = known(repo, repo.head(f"refs/heads/{version}") if kind == "branch" else version)
    listed = history.commits(repo.folder, head.sha)
    if call.query.get("searchCriteria.showOldestCommitsFirst", "").lower() == "true":
        listed = listed[::-1]
    return told.listed([told.commit(repo, one, call.org, short=True) for one in call.skipped(listed)])


@answers("GET", "changes")
def changes(call: Request) -> Json:
    repo, one = call.repo, known(call.repo, call.route["commitId"])
    parents = line(repo.folder, "show", "-s", "--format=%P", one.sha).split()
    found = _differences(repo, parents[0] if parents else None, one.sha)
    return {"changes": _page(call, found, "skip", "top"), "changeCounts": {"Edit": len(found)}}


@answers("GET", "commitDiffs")
def diffs(call: Request) -> Json:
    repo = call.repo
    assert (call.query["baseVersionType"], call.query["targetVersionType"]) == ("commit", "commit")
    base, target = known(repo, call.query["baseVersion"]).sha, known(repo, call.query["targetVersion"]).sha
    common = history.merge_base(repo.folder, base, target)
    parted = call.query.get("diffCommonCommit", "").lower() == "true"
    found = _differences(repo, common if parted else base, target)
    page = _page(call, found, "$skip", "$top")
    return {
        "allChangesIncluded": len(page) == len(found),
        "changeCounts": {"Edit": len(found)},
        "changes": page,
        "commonCommit": common,
        "baseCommit": base,
        "targetCommit": target,
        "aheadCount": 1,
        "behindCount": 0,
    }


def _page(call: Request, found: list[Json], skip: str, top: str) -> list[Json]:
    first = call.number(skip, 0)
    return found[first : first + call.number(top, 100)]


def _differences(repo: Repo, before: str | None, after: str) -> list[Json]:
    """Folders are listed as well."""
    found: list[Json] = []
    for path in history.paths(repo.folder, before or ZERO, after):
        folder = path.rpartition("/")[0]
        if folder and not any(one["item"]["path"] == f"/{folder}" for one in found):
            item = {"gitObjectType": "tree", "path": f"/{folder}", "isFolder": True, "objectId": ZERO}
            found.append({"item": item, "changeType": "edit"})
        item = {"gitObjectType": "blob", "path": f"/{path}", "objectId": ZERO}
        found.append({"item": item, "changeType": "edit"})
    return found


@answers("GET", "trees")
def tree(call: Request) -> Json | Reply:
    repo, sha = call.repo, call.route["sha1"]
    deep = call.query.get("recursive", "").lower() == "true"
    try:
        options = ["-r", "-t"] if deep else []
        printed = git(repo.folder, "ls-tree", "-l", "-z", *options, sha).decode().split("\0")
    except GitFailed as error:
        raise Failure(404, "GitObjectDoesNotExistException", f"TF401192: {sha} does not exist") from error
    entries = [_entry(text) for text in printed if text]
    if "application/zip" in call.accept:
        return _archive(repo, sha, entries)
    return {"objectId": sha, "url": sha, "treeEntries": entries, "size": 0, "_links": {}}


def _entry(text: str) -> Json:
    about, _, path = text.partition("\t")
    mode, kind, sha, size = about.split()
    return {
        "objectId": sha,
        "relativePath": path,
        "mode": mode.lstrip("0"),
        "gitObjectType": kind,
        "url": sha,
        "size": 0 if size == "-" else int(size),
    }


def _archive(repo: Repo, sha: str, entries: list[Json]) -> Reply:
    """The names in it begin with the tree's id."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for one in entries:
            if one["gitObjectType"] == "blob":
                archive.writestr(f"{sha}/{one['relativePath']}", _blob(repo, one["objectId"]))
    return Reply(packed.getvalue(), kind="application/zip")


def _blob(repo: Repo, sha: str) -> bytes:
    return git(repo.folder, "cat-file", "blob", sha)


@answers("GET", "blobs")
def blob(call: Request) -> Reply:
    return Reply(_blob(call.repo, call.route["sha1"]), kind="application/octet-stream")


@answers("GET", "items")
def item(call: Request) -> Reply:
    repo, path = call.repo, call.query["path"].lstrip("/")
    assert call.query["versionDescriptor.versionType"] == "commit"
    sha = known(repo, call.query["versionDescriptor.version"]).sha
    done = run(repo.folder, "cat-file", "blob", f"{sha}:{path}")
    if done.returncode:
        raise Failure(
            404,
            "GitItemNotFoundException",
            f"TF401174: The item '/{path}' could not be found in the repository.",
        )
    return Reply(done.stdout, kind="application/octet-stream")
