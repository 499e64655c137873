"""Git data, branches, comparisons, archives, activity."""

from __future__ import annotations

import base64

from tests.forges.github.fake import answers
from tests.forges.github.fake.git import GitFailed, Signature
from tests.forges.github.fake.hub import WEB, Json, Refused, Repository
from tests.forges.github.fake.server import Call, Reply, elsewhere, paged, route

PROTECTED = "Repository rule violations found\n\nChanges must be made through a pull request.\n\n"


def _object(repo: Repository, sha: str) -> Json:
    return {"sha": sha, "type": repo.git.kind(sha), "url": f"{repo.hub.url}/o/{sha}"}


def _ref(repo: Repository, ref: str) -> Json:
    sha = repo.git.ref(ref)
    if sha is None:
        raise Refused(404, "Not Found")
    return {"ref": ref, "node_id": "REF", "url": f"{repo.hub.url}/ref", "object": _object(repo, sha)}


@route("GET", "/repos/{owner}/{repo}/git/ref/{ref}", contents="read")
def get_ref(call: Call) -> Reply:
    return Reply(200, _ref(call.repo, f"refs/{call.arguments['ref']}"))


def _may_move(call: Call, ref: str) -> None:
    if call.repo.guard(ref.removeprefix("refs/heads/")):
        raise Refused(422, PROTECTED)


@route("POST", "/repos/{owner}/{repo}/git/refs", contents="write")
def create_ref(call: Call) -> Reply:
    repo, ref, sha = call.repo, call.json["ref"], call.json["sha"]
    if repo.git.ref(ref):
        raise Refused(422, "Reference already exists")
    if repo.git.kind(sha) not in {"commit", "tag"}:
        raise Refused(422, "Object does not exist")
    _may_move(call, ref)
    repo.git.point(ref, sha)
    repo.pushed(ref, None, sha, call.login)
    return Reply(201, _ref(repo, ref))


@route("PATCH", "/repos/{owner}/{repo}/git/refs/{ref}", contents="write")
def update_ref(call: Call) -> Reply:
    repo, ref, sha = call.repo, f"refs/{call.arguments['ref']}", call.json["sha"]
    before = repo.git.ref(ref)
    if before is None:
        raise Refused(422, "Reference does not exist")
    _may_move(call, ref)
    if not call.json.get("force") and not repo.git.is_ancestor(before, sha):
        raise Refused(422, "Update is not a fast forward")
    repo.git.point(ref, sha)
    repo.pushed(ref, before, sha, call.login)
    return Reply(200, _ref(repo, ref))


@route("GET", "/repos/{owner}/{repo}/git/commits/{sha}", contents="read")
def get_commit(call: Call) -> Reply:
    repo, sha = call.repo, call.arguments["sha"]
    if repo.git.kind(sha) != "commit":
        raise Refused(404, "Not Found")
    return Reply(200, answers.git_commit(repo, sha))


@route("POST", "/repos/{owner}/{repo}/git/commits", contents="write")
def create_commit(call: Call) -> Reply:
    repo, said = call.repo, call.json
    if (
        any(repo.git.kind(sha) != "commit" for sha in said["parents"])
        or repo.git.kind(said["tree"]) != "tree"
    ):
        raise Refused(422, "Object does not exist")
    author = call.hub.signature(call.login)
    bot = call.hub.accounts[call.login].kind == "Bot"
    if named := said.get("author"):
        author = Signature(named["name"], named["email"], named.get("date", ""))
    signs = bot and not named  # what names somebody is not signed
    sha = repo.git.commit(said["tree"], said["parents"], said["message"], author, WEB if signs else author)
    if signs:
        repo.verified.add(sha)
    return Reply(201, answers.git_commit(repo, sha))


@route("GET", "/repos/{owner}/{repo}/git/trees/{sha}", contents="read")
def get_tree(call: Call) -> Reply:
    repo, sha = call.repo, call.arguments["sha"]
    if repo.git.kind(sha) not in {"tree", "commit"}:
        raise Refused(404, "Not Found")
    listed = repo.git.listing(sha, recursive="recursive" in call.query)
    items = []
    for mode, kind, item, size, path in listed:
        one = {"path": path, "mode": mode, "type": kind, "sha": item, "url": f"{repo.hub.url}/x"}
        items.append(one | ({"size": size} if size is not None else {}))
    return Reply(
        200,
        {"sha": repo.git.line("rev-parse", f"{sha}^{{tree}}"), "url": "x", "tree": items, "truncated": False},
    )


@route("POST", "/repos/{owner}/{repo}/git/trees", contents="write")
def create_tree(call: Call) -> Reply:
    repo, said = call.repo, call.json
    base = said.get("base_tree")
    there = {path for *_, path in repo.git.listing(base)} if base else set()
    entries: list[tuple[str, str | None, str]] = []
    for item in said["tree"]:
        if "content" in item:
            sha = repo.git.blob(item["content"].encode())
        elif item["sha"] is None:
            if item["path"] not in there:
                raise Refused(422, "GitRPC::BadObjectState")
            sha = None
        else:
            sha = item["sha"]
        if item["path"].startswith(".github/workflows/") and not may_write_workflows(call):
            raise Refused(403, "Resource not accessible by integration")
        entries.append((item["mode"], sha, item["path"]))
    try:
        made = repo.git.write_tree(base, entries)
    except GitFailed as error:
        raise Refused(422, "tree.path contains a malformed path component") from error
    return Reply(201, {"sha": made, "url": "x", "tree": [], "truncated": False})


def may_write_workflows(call: Call) -> bool:
    """Whether the token may bring in files below .github/workflows."""
    assert call.bearer
    return call.bearer.permissions is None or call.bearer.permissions.get("workflows") == "write"


@route("GET", "/repos/{owner}/{repo}/git/blobs/{sha}", contents="read")
def get_blob(call: Call) -> Reply:
    repo, sha = call.repo, call.arguments["sha"]
    if repo.git.kind(sha) != "blob":
        raise Refused(404, "Not Found")
    content = repo.git.run("cat-file", "blob", sha)
    if "raw" in call.exchange.headers.get("accept", ""):
        return Reply(200, content)
    encoded = base64.b64encode(content).decode()
    return Reply(
        200,
        {
            "sha": sha,
            "node_id": "B",
            "url": "x",
            "size": len(content),
            "content": encoded,
            "encoding": "base64",
        },
    )


@route("POST", "/repos/{owner}/{repo}/git/blobs", contents="write")
def create_blob(call: Call) -> Reply:
    said = call.json
    content = (
        base64.b64decode(said["content"]) if said.get("encoding") == "base64" else said["content"].encode()
    )
    return Reply(201, {"sha": call.repo.git.blob(content), "url": "x"})


@route("GET", "/repos/{owner}/{repo}/git/tags/{sha}", contents="read")
def get_tag(call: Call) -> Reply:
    repo, sha = call.repo, call.arguments["sha"]
    if repo.git.kind(sha) != "tag":
        raise Refused(404, "Not Found")
    target = repo.git.line("rev-parse", f"{sha}^{{}}")
    return Reply(
        200,
        {"sha": sha, "node_id": "T", "url": "x", "tag": "x", "message": "x", "object": _object(repo, target)},
    )


@route("POST", "/repos/{owner}/{repo}/git/tags", contents="write")
def create_tag(call: Call) -> Reply:
    repo, said = call.repo, call.json
    about = f"object {said['object']}\ntype {said['type']}\ntag {said['tag']}\ntagger {call.login} <x@example.org> 0 +0000\n\n{said['message']}\n"
    sha = repo.git.line("hash-object", "-t", "tag", "-w", "--stdin", stdin=about.encode())
    return Reply(
        201,
        {
            "sha": sha,
            "node_id": "T",
            "url": "x",
            "tag": said["tag"],
            "message": said["message"],
            "object": _object(repo, said["object"]),
        },
    )


@route("GET", "/repos/{owner}/{repo}/commits", contents="read")
def commits(call: Call) -> Reply:
    repo = call.repo
    start = repo.git.resolve(call.query.get("sha", repo.default_branch))
    if start is None:
        raise Refused(404, "Not Found")
    size, page = int(call.query.get("per_page", "30")), int(call.query.get("page", "1"))
    listed = repo.git.log(start, limit=size, skip=size * (page - 1))
    return Reply(200, [answers.commit(repo, sha) for sha in listed])


@route("GET", "/repos/{owner}/{repo}/compare/{basehead}", contents="read")
def compare(call: Call) -> Reply:
    repo = call.repo
    base, _, head = call.arguments["basehead"].partition("...")
    one, other = repo.git.resolve(base), repo.git.resolve(head)
    if one is None or other is None:
        raise Refused(404, "Not Found")
    start = repo.git.merge_base(one, other)
    assert start
    new = repo.git.log(other, f"^{one}")[::-1]
    return Reply(
        200,
        {
            "base_commit": answers.commit(repo, one),
            "merge_base_commit": answers.commit(repo, start),
            "ahead_by": len(new),
            "behind_by": len(repo.git.log(one, f"^{other}")),
            "total_commits": len(new),
            "commits": [answers.commit(repo, sha) for sha in new],
            "files": [
                {"filename": path, "status": status} for status, path, _ in repo.git.changed(start, other)
            ],
        },
    )


@route("GET", "/repos/{owner}/{repo}/branches/{branch}", contents="read")
def branch(call: Call) -> Reply:
    repo, name = call.repo, call.arguments["branch"]
    head = repo.head(name)
    if head is None:
        raise Refused(404, "Branch not found")
    rule = repo.protection.get(name)
    contexts = list(rule.checks) if rule else []
    checks = {"enforcement_level": "non_admins" if contexts else "off", "contexts": contexts, "checks": []}
    protection = {"enabled": bool(rule), "required_status_checks": checks}
    return Reply(
        200,
        {
            "name": name,
            "commit": answers.commit(repo, head),
            "protected": bool(rule),
            "protection": protection,
            "protection_url": "x",
        },
    )


@route("POST", "/repos/{owner}/{repo}/merges", contents="write")
def merges(call: Call) -> Reply:
    repo, said = call.repo, call.json
    onto, head = repo.head(said["base"]), repo.git.resolve(said["head"])
    if onto is None or head is None:
        raise Refused(404, "Base does not exist" if onto is None else "Head does not exist")
    if repo.guard(said["base"]):
        raise Refused(409, PROTECTED)
    if repo.git.is_ancestor(head, onto):
        return Reply(204)
    tree = repo.git.merged_tree(onto, head)
    if tree is None:
        raise Refused(409, "Merge conflict")
    message = said.get("commit_message") or f"Merge {said['head']} into {said['base']}"
    sha = repo.git.commit(tree, [onto, head], message, call.hub.signature(call.login), WEB)
    repo.verified.add(sha)
    repo.move(said["base"], sha, call.login)
    return Reply(201, answers.commit(repo, sha))


@route("GET", "/repos/{owner}/{repo}/activity", contents="read")
def activity(call: Call) -> Reply:
    repo, ref, actor = call.repo, call.query.get("ref"), call.query.get("actor")
    found = [one for one in repo.activity if ref in {None, one["ref"]} and actor in {None, one["actor"]}]
    size = int(call.query.get("per_page", "30"))
    return Reply(200, [one | {"actor": answers.user(call.hub, one["actor"])} for one in found[:size]])


@route("GET", "/repos/{owner}/{repo}/tarball/{ref}", contents="read")
def tarball(call: Call) -> Reply:
    sha = call.repo.git.resolve(call.arguments["ref"])
    if sha is None:
        raise Refused(404, "Not Found")
    return elsewhere(call, f"/codeload/{call.repo.full_name}/legacy.tar.gz/{sha}")


@route("GET", "/codeload/{owner}/{repo}/legacy.tar.gz/{sha}")
def archive(call: Call) -> Reply:
    sha = call.arguments["sha"]
    prefix = f"{call.repo.owner}-{call.repo.name}-{sha[:7]}/"
    return Reply(200, call.repo.git.run("archive", "--format=tar.gz", f"--prefix={prefix}", sha))


@route("GET", "/repos/{owner}/{repo}/pulls/{number}/files", pull_requests="read")
def pull_files(call: Call) -> Reply:
    repo = call.repo
    pull = repo.pulls[int(call.arguments["number"])]
    start = repo.git.merge_base(pull.base_sha, pull.head_sha)
    listed: list[Json] = []
    for status, path, previous in repo.git.changed(start, pull.head_sha):
        one: Json = {
            "sha": "x",
            "filename": path,
            "status": status,
            "additions": 1,
            "deletions": 0,
            "changes": 1,
        }
        listed.append(one | ({"previous_filename": previous} if previous else {}))
    return paged(call, listed)
