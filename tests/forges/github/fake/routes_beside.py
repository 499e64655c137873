"""What a repository keeps beside its code: releases, issues, environments, and what runs left behind."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

from tests.forges.github.fake import answers
from tests.forges.github.fake.hub import Issue, Json, Refused, Repository, now
from tests.forges.github.fake.routes_reports import run_of
from tests.forges.github.fake.server import Call, Reply, elsewhere, paged, route

VARIABLE = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*")


def _invalid(resource: str, field: str, code: str = "invalid") -> Refused:
    return Refused(422, "Validation Failed", [{"resource": resource, "field": field, "code": code}])


def _release(call: Call, wanted: Mapping[str, str]) -> Json:
    for one in call.repo.releases:
        if all(str(one[name]) == value for name, value in wanted.items()):
            return one
    raise Refused(404, "Not Found")


@route("GET", "/repos/{owner}/{repo}/releases/tags/{tag}", contents="read")
def release_of_tag(call: Call) -> Reply:
    return Reply(200, _release(call, {"tag_name": call.arguments["tag"], "draft": "False"}))


@route("POST", "/repos/{owner}/{repo}/releases", contents="write")
def create_release(call: Call) -> Reply:
    repo, said = call.repo, call.json
    tag = said["tag_name"]
    if any(one["tag_name"] == tag for one in repo.releases):
        raise _invalid("Release", "tag_name", "already_exists")
    if len(said.get("body") or "") > 125_000:
        raise _invalid("Release", "body", "too_long")
    if repo.git.ref(f"refs/tags/{tag}") is None:
        sha = repo.git.resolve(said.get("target_commitish") or repo.default_branch)
        if sha is None:
            raise _invalid("Release", "target_commitish")
        repo.git.point(f"refs/tags/{tag}", sha)
        repo.pushed(f"refs/tags/{tag}", None, sha, call.login)
    number = repo.hub.number()
    made = {
        "id": number, "node_id": "RE", "url": "x", "assets": [], "tag_name": tag, "draft": bool(said.get("draft")),
        "target_commitish": said.get("target_commitish") or repo.default_branch, "name": said.get("name"),
        "body": said.get("body"), "prerelease": bool(said.get("prerelease")), "created_at": now(), "published_at": now(),
        "html_url": f"https://github.com/{repo.full_name}/releases/tag/{tag}", "author": answers.user(repo.hub, call.login),
    }  # fmt: skip
    repo.releases.append(made)
    _tell_release(repo, made, "published", call.login)
    return Reply(201, made)


@route("PATCH", "/repos/{owner}/{repo}/releases/{release}", contents="write")
def edit_release(call: Call) -> Reply:
    made = _release(call, {"id": call.arguments["release"]})
    made |= {name: value for name, value in call.json.items() if name in made}
    _tell_release(call.repo, made, "edited", call.login)
    return Reply(200, made)


def _tell_release(repo: Repository, release: Json, action: str, by: str) -> None:
    repo.hub.tell("release", {"action": action, "release": release} | answers.about(repo, by))


@route("GET", "/repos/{owner}/{repo}/issues", issues="read")
def issues(call: Call) -> Reply:
    """Changes are issues as well. The newest first, as `sort` and `direction` are by default."""
    repo, state = call.repo, call.query.get("state", "open")
    listed = [(one.number, one.state, answers.issue(repo, one)) for one in repo.issues.values()]
    listed += [(one.number, one.state, answers.issue_of_pull(repo, one)) for one in repo.pulls.values()]
    listed.sort(key=lambda item: item[0], reverse=call.query.get("direction", "desc") == "desc")
    return paged(call, [said for _, held, said in listed if state in {"all", held}])


@route("GET", "/repos/{owner}/{repo}/issues/{number}", issues="read")
def issue(call: Call) -> Reply:
    repo, number = call.repo, int(call.arguments["number"])
    if number in repo.pulls:
        return Reply(200, answers.issue_of_pull(repo, repo.pulls[number]))
    if number in repo.deleted_issues:
        raise Refused(410, "This issue was deleted")
    if number not in repo.issues:
        raise Refused(404, "Not Found")
    return Reply(200, answers.issue(repo, repo.issues[number]))


@route("POST", "/repos/{owner}/{repo}/issues", issues="write")
def create_issue(call: Call) -> Reply:
    repo, said = call.repo, call.json
    if not repo.has_issues:
        raise Refused(410, "Issues has been disabled in this repository.")
    if len(said["title"]) > 256:
        raise Refused(
            422, "Validation Failed", [{"message": "title is too long (maximum is 256 characters)"}]
        )
    if len(said.get("body") or "") > 65_536:
        raise Refused(
            422, "Validation Failed", [{"message": "body is too long (maximum is 65536 characters)"}]
        )
    if any(len(name) > 50 for name in said.get("labels", ())):
        raise Refused(422, "Validation Failed", [{"message": "name is too long (maximum is 50 characters)"}])
    made = Issue(
        repo.next_number(), said["title"], said.get("body"), call.login, list(said.get("labels", ()))
    )
    repo.issues[made.number] = made
    return Reply(201, answers.issue(repo, made))


def _environment(call: Call) -> Json:
    found = call.repo.environments.get(call.arguments["environment"])
    if found is None:
        raise Refused(404, "Not Found")
    return found


def _told_environment(name: str, made: Json) -> Json:
    said = {"id": made["id"], "node_id": "EN", "name": name, "url": "x", "html_url": "x"}
    return said | {"created_at": now(), "updated_at": now(), "protection_rules": []}


@route("GET", "/repos/{owner}/{repo}/environments", actions="read")
def environments(call: Call) -> Reply:
    said = [_told_environment(name, made) for name, made in call.repo.environments.items()]
    return paged(call, said, "environments")


@route("GET", "/repos/{owner}/{repo}/environments/{environment}", actions="read")
def environment(call: Call) -> Reply:
    return Reply(200, _told_environment(call.arguments["environment"], _environment(call)))


@route("PUT", "/repos/{owner}/{repo}/environments/{environment}", administration="write")
def make_environment(call: Call) -> Reply:
    """What is not said of one that is there is taken from it, its reviewers first."""
    there, name = call.repo.environments, call.arguments["environment"]
    made = there.setdefault(name, {"id": call.hub.number(), "variables": {}})
    made["reviewers"] = call.json.get("reviewers") or []
    return Reply(200, _told_environment(name, made))


@route("GET", "/repos/{owner}/{repo}/environments/{environment}/variables", environments="read")
def variables(call: Call) -> Reply:
    assert int(call.query.get("per_page", "10")) <= 30, "GitHub gives thirty at most"
    said = [
        {"name": name, "value": value, "created_at": now(), "updated_at": now()}
        for name, value in sorted(_environment(call)["variables"].items())
    ]
    return paged(call, said, "variables")


@route("POST", "/repos/{owner}/{repo}/environments/{environment}/variables", environments="write")
def make_variable(call: Call) -> Reply:
    held, name = _environment(call)["variables"], call.json["name"].upper()
    if not VARIABLE.fullmatch(name):
        raise Refused(422, "Variable names can only contain alphanumeric characters and underscores")
    if name in held:
        raise Refused(409, "Already exists - Variable already exists")
    held[name] = call.json["value"]
    return Reply(201, {})


@route("PATCH", "/repos/{owner}/{repo}/environments/{environment}/variables/{name}", environments="write")
def edit_variable(call: Call) -> Reply:
    held, name = _environment(call)["variables"], call.arguments["name"].upper()
    if name not in held:
        raise Refused(404, "Not Found")
    held[name] = call.json["value"]
    return Reply(204)


def keep(repo: Repository, run: Json, name: str, archive: bytes | Mapping[str, bytes]) -> Json:
    """A run kept an artefact: files, or the bytes of what should be an archive of them."""
    if isinstance(archive, Mapping):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
            for path, content in archive.items():
                opened.writestr(path, content)
        archive = packed.getvalue()
    made = {"id": repo.hub.number(), "run": run["id"], "name": name, "archive": archive, "expired": False}
    repo.artefacts.append(made)
    return made


@route("GET", "/repos/{owner}/{repo}/actions/runs/{run}/artifacts", actions="read")
def artefacts(call: Call) -> Reply:
    run = run_of(call)
    listed = [_told_artefact(one) for one in call.repo.artefacts[::-1] if one["run"] == run["id"]]
    return paged(call, listed, "artifacts")


def _told_artefact(one: Json) -> Json:
    return {
        "id": one["id"],
        "node_id": "AR",
        "name": one["name"],
        "size_in_bytes": one.get("size", len(one["archive"])),
        "url": "x",
        "archive_download_url": "x",
        "expired": one["expired"],
        "created_at": now(),
        "updated_at": now(),
        "expires_at": now(),
    }


@route("GET", "/repos/{owner}/{repo}/actions/artifacts/{artefact}/zip", actions="read")
def download(call: Call) -> Reply:
    for one in call.repo.artefacts:
        if str(one["id"]) == call.arguments["artefact"]:
            if one["expired"]:
                raise Refused(410, "Artifact has expired")
            return elsewhere(call, f"/storage/{call.repo.full_name}/{one['id']}.zip")
    raise Refused(404, "Not Found")


@route("GET", "/storage/{owner}/{repo}/{file}")
def storage(call: Call) -> Reply:
    number = call.arguments["file"].removesuffix(".zip")
    return Reply(200, next(one["archive"] for one in call.repo.artefacts if str(one["id"]) == number))
