"""New repositories, the rules of their branches, and the webhooks of each."""

from __future__ import annotations

from urllib.parse import unquote

from tests.forges.github.fake import answers
from tests.forges.github.fake.hub import WEB, Json, Refused, Repository
from tests.forges.github.fake.server import RANK, Call, Reply, paged, route


def _may(call: Call, **needs: str) -> bool:
    """All of them, in an organisation or a repository; of a user, whether they may make repositories."""
    bearer = call.bearer
    assert bearer
    if bearer.permissions is None:
        return bearer.login in call.hub.makers
    return all(RANK[bearer.permissions.get(name, "none")] >= RANK[level] for name, level in needs.items())


@route("POST", "/orgs/{org}/repos")
def create(call: Call) -> Reply:
    org = call.arguments["org"]
    account = call.hub.accounts.get(org)
    if account is None or account.kind != "Organization":
        raise Refused(404, "Not Found")
    assert call.bearer
    if not _may(call, administration="write") or call.bearer.repositories:
        raise Refused(403, "Resource not accessible by integration")
    return _made(call, org)


@route("POST", "/user/repos")
def create_of_user(call: Call) -> Reply:
    if call.bearer is None or call.bearer.permissions is not None:
        raise Refused(403, "Resource not accessible by integration")
    return _made(call, call.login)


def _made(call: Call, owner: str) -> Reply:
    said = call.json
    full_name = f"{owner}/{said['name']}"
    if any(name.casefold() == full_name.casefold() for name in call.hub.repositories):
        text = "name already exists on this account"
        problem = {"resource": "Repository", "code": "custom", "field": "name", "message": text}
        raise Refused(422, "Repository creation failed.", [problem])
    if len(said.get("description") or "") > 350:
        raise Refused(422, "Validation Failed", [{"field": "description", "code": "too_long"}])
    repo = call.hub.repository(full_name)
    repo.description, repo.private = said.get("description"), bool(said.get("private"))
    repo.default_branch = call.hub.first_branch
    if call.login != owner:
        repo.people[call.login] = "admin"
    if said.get("auto_init"):
        _begin(repo, call.login)
    return Reply(201, answers.repository(repo))


def _begin(repo: Repository, by: str) -> None:
    text = f"# {repo.name}\n{repo.description or ''}".encode()
    tree = repo.git.write_tree(None, [("100644", repo.git.blob(text), "README.md")])
    author = repo.hub.signature(by)
    sha = repo.git.commit(tree, [], "Initial commit", author, WEB)
    repo.verified.add(sha)
    repo.git.run("symbolic-ref", "HEAD", f"refs/heads/{repo.default_branch}")
    repo.move(repo.default_branch, sha, by)


@route("POST", "/repos/{owner}/{repo}/branches/{branch}/rename", administration="write")
def rename(call: Call) -> Reply:
    repo, old, new = call.repo, call.arguments["branch"], call.json["new_name"]
    head = repo.head(old)
    if head is None:
        raise Refused(404, "Branch not found")
    if not _may(call, administration="write", contents="write"):
        raise Refused(403, "Resource not accessible by integration")
    repo.git.point(f"refs/heads/{old}", None)
    repo.git.point(f"refs/heads/{new}", head)
    if repo.default_branch == old:
        repo.default_branch = new
    said = {"name": new, "commit": answers.commit(repo, head), "protected": False, "protection_url": "x"}
    return Reply(201, said | {"protection": {"enabled": False}, "_links": {"html": "x", "self": "x"}})


@route("GET", "/repos/{owner}/{repo}/rulesets", metadata="read")
def rulesets(call: Call) -> Reply:
    named = ("id", "name", "target", "enforcement", "source", "source_type")
    return paged(call, [{name: one[name] for name in named} for one in call.repo.rulesets])


@route("POST", "/repos/{owner}/{repo}/rulesets", administration="write")
def create_ruleset(call: Call) -> Reply:
    repo, said = call.repo, call.json
    if any(one["name"] == said["name"] for one in repo.rulesets):
        raise Refused(422, "Validation Failed", ["Name must be unique"])
    made: Json = {"id": call.hub.number(), "source": repo.full_name, "source_type": "Repository"} | said
    repo.rulesets.append(made)
    return Reply(201, made)


@route("GET", "/repos/{owner}/{repo}/rules/branches/{branch}", metadata="read")
def rules(call: Call) -> Reply:
    repo = call.repo
    source = {"ruleset_source_type": "Repository", "ruleset_source": repo.full_name}
    said = [
        one | source | {"ruleset_id": ruleset["id"]}
        for ruleset in repo.rulesets
        if repo.is_ruled(unquote(call.arguments["branch"]), ruleset)
        for one in ruleset["rules"]
    ]
    return paged(call, said)


def _hook(call: Call, number: int, said: Json) -> Json:
    config = {name: value for name, value in said["config"].items() if name != "secret"}
    return {
        "type": "Repository",
        "id": number,
        "name": "web",
        "active": said["active"],
        "events": said["events"],
        "config": config,
        "url": "x",
    }


@route("GET", "/repos/{owner}/{repo}/hooks", repository_hooks="read")
def hooks(call: Call) -> Reply:
    return paged(call, call.repo.hooks)


@route("POST", "/repos/{owner}/{repo}/hooks", repository_hooks="write")
def create_hook(call: Call) -> Reply:
    if any(one["config"]["url"] == call.json["config"]["url"] for one in call.repo.hooks):
        raise Refused(422, "Validation Failed", [{"message": "Hook already exists on this repository"}])
    made = _hook(call, call.hub.number(), call.json)
    call.repo.hooks.append(made)
    return Reply(201, made)


@route("PATCH", "/repos/{owner}/{repo}/hooks/{hook}", repository_hooks="write")
def edit_hook(call: Call) -> Reply:
    there = next(one for one in call.repo.hooks if str(one["id"]) == call.arguments["hook"])
    there |= _hook(call, there["id"], call.json)
    return Reply(200, there)
