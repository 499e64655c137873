"""Changes: opening, editing, merging, comments, labels, reactions."""

from __future__ import annotations

from tests.forges.github.fake import answers
from tests.forges.github.fake.hub import WEB, Comment, Pull, Refused, Repository, now
from tests.forges.github.fake.routes_repository import may_write_workflows
from tests.forges.github.fake.server import Call, Reply, paged, route

TALK = {"pull_requests": "write", "issues": "write"}


def _pull(call: Call) -> Pull:
    found = call.repo.pulls.get(int(call.arguments["number"]))
    if found is None:
        raise Refused(404, "Not Found")
    return found


@route("GET", "/repos/{owner}/{repo}/pulls", pull_requests="read")
def pulls(call: Call) -> Reply:
    repo, wanted = call.repo, call.query
    found = [pull for pull in repo.pulls.values() if wanted.get("state", "open") in {"all", pull.state}]
    if head := wanted.get("head"):
        found = [pull for pull in found if f"{repo.owner}:{pull.head_ref}" == head]
    if base := wanted.get("base"):
        found = [pull for pull in found if pull.base_ref == base]
    found.sort(key=lambda pull: (pull.updated_at if wanted.get("sort") == "updated" else "", pull.number))
    listed = found if wanted.get("direction") == "asc" else found[::-1]
    short = [answers.pull(repo, pull) for pull in listed]
    for one in short:  # lists say less
        for name in ("merged", "mergeable", "mergeable_state", "merged_by"):
            del one[name]
    return paged(call, short)


@route("POST", "/repos/{owner}/{repo}/pulls", pull_requests="write")
def open_pull(call: Call) -> Reply:
    repo, said = call.repo, call.json
    head, base = repo.head(said["head"]), repo.head(said["base"])
    for field, there in (("head", head), ("base", base)):
        if there is None:
            raise Refused(
                422, "Validation Failed", [{"resource": "PullRequest", "field": field, "code": "invalid"}]
            )
    assert head and base
    same = [
        p
        for p in repo.pulls.values()
        if p.state == "open" and (p.head_ref, p.base_ref) == (said["head"], said["base"])
    ]
    if same:
        text = f"A pull request already exists for {repo.owner}:{said['head']}."
        raise Refused(
            422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": text}]
        )
    if repo.git.is_ancestor(head, base):
        text = f"No commits between {said['base']} and {said['head']}"
        raise Refused(
            422, "Validation Failed", [{"resource": "PullRequest", "code": "custom", "message": text}]
        )
    number = repo.next_number()
    made = Pull(number, said["title"], said.get("body"), call.login, said["head"], said["base"], head, base)
    repo.pulls[number] = made
    call.hub.tell_pull(repo, made, "opened", call.login)
    return Reply(201, answers.pull(repo, made))


@route("GET", "/repos/{owner}/{repo}/pulls/{number}", pull_requests="read")
def get_pull(call: Call) -> Reply:
    return Reply(200, answers.pull(call.repo, _pull(call)))


@route("PATCH", "/repos/{owner}/{repo}/pulls/{number}", pull_requests="write")
def edit_pull(call: Call) -> Reply:
    repo, pull, said = call.repo, _pull(call), call.json
    changed = {
        name: said[name] for name in ("title", "body") if name in said and getattr(pull, name) != said[name]
    }
    for name, value in changed.items():
        setattr(pull, name, value)
    if changed:
        pull.updated_at = now()
        call.hub.tell_pull(repo, pull, "edited", call.login, changes={})
    state = said.get("state", pull.state)
    if state != pull.state:
        if state == "open" and (pull.merged_at or repo.head(pull.head_ref) is None):
            text = "state cannot be changed. " + (
                "" if pull.merged_at else f"The {pull.head_ref} branch has been deleted."
            )
            raise Refused(
                422,
                "Validation Failed",
                [{"resource": "PullRequest", "field": "state", "code": "custom", "message": text}],
            )
        pull.state, pull.updated_at = state, now()
        call.hub.tell_pull(repo, pull, "reopened" if state == "open" else "closed", call.login)
    return Reply(200, answers.pull(repo, pull))


def _checks_allow(repo: Repository, pull: Pull) -> None:
    rule = repo.guard(pull.base_ref)
    if rule is None:
        return
    said = {run["name"]: run["conclusion"] for run in repo.checks if run["head_sha"] == pull.head_sha}
    said |= {one["context"]: one["state"] for one in repo.statuses if one["sha"] == pull.head_sha}
    for name in rule.checks:
        if said.get(name) not in {"success", "neutral", "skipped"}:
            how = "is failing" if said.get(name) not in {None, "pending"} else "is expected"
            raise Refused(405, f'Required status check "{name}" {how}.')
    if rule.reviews:
        raise Refused(405, "At least 1 approving review is required by reviewers with write access.")


def _workflows_allow(call: Call, base: str, pull: Pull) -> None:
    git = call.repo.git
    changed = git.changed(git.merge_base(base, pull.head_sha), pull.head_sha)
    if any(path.startswith(".github/workflows/") for _, path, _ in changed) and not may_write_workflows(call):
        raise Refused(403, "Resource not accessible by integration")


@route("PUT", "/repos/{owner}/{repo}/pulls/{number}/merge", contents="write")
def merge(call: Call) -> Reply:
    repo, pull, said = call.repo, _pull(call), call.json
    method = said.get("merge_method", "merge")
    if pull.state != "open":
        raise Refused(405, "Pull Request is not mergeable")
    if "sha" in said and said["sha"] != pull.head_sha:
        raise Refused(409, "Head branch was modified. Review and try the merge again.")
    if method not in repo.methods:
        raise Refused(405, f"{method.capitalize()} merges are not allowed on this repository.")
    _checks_allow(repo, pull)
    base = repo.head(pull.base_ref)
    assert base
    tree = repo.git.merged_tree(base, pull.head_sha)
    if tree is None:
        raise Refused(405, "Pull Request is not mergeable")
    _workflows_allow(call, base, pull)
    title = said.get("commit_title") or f"{pull.title} (#{pull.number})"
    message = f"{title}\n\n{said.get('commit_message', '')}".strip() + "\n"
    author = call.hub.signature(call.login)
    if method == "rebase":
        sha = _rebased(repo, base, pull.head_sha)
    else:
        parents = [base, pull.head_sha] if method == "merge" else [base]
        sha = repo.git.commit(tree, parents, message, author, WEB)
        repo.verified.add(sha)
    pull.state, pull.base_sha, pull.merge_commit_sha, pull.merged_by = "closed", base, sha, call.login
    pull.merged_at = pull.updated_at = now()
    repo.move(pull.base_ref, sha, call.login, "pr_merge")
    _close_issues(repo, pull)
    call.hub.tell_pull(repo, pull, "closed", call.login)
    return Reply(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def _close_issues(repo: Repository, pull: Pull) -> None:
    if pull.base_ref == repo.default_branch:
        for issue in answers.closing(repo, pull):
            issue.state = "closed"


def _rebased(repo: Repository, onto: str, head: str) -> str:
    """The commits anew; GitHub is their committer."""
    start = repo.git.merge_base(onto, head)
    for sha in repo.git.log(head, f"^{start}")[::-1]:
        said = repo.git.about(sha)
        parent = said["parents"].split()[0]
        base = repo.git.commit(repo.git.tree(parent), [], "base", WEB, WEB)
        ours = repo.git.commit(repo.git.tree(onto), [base], "ours", WEB, WEB)
        theirs = repo.git.commit(said["tree"], [base], "theirs", WEB, WEB)
        tree = repo.git.merged_tree(ours, theirs)
        assert tree
        onto = repo.git.commit(
            tree, [onto], said["message"], type(WEB)(said["an"], said["ae"], said["at"]), WEB
        )
    return onto


@route("GET", "/repos/{owner}/{repo}/issues/{number}/comments", pull_requests="read", issues="read")
def comments(call: Call) -> Reply:
    number = _pull(call).number
    listed = [one for one in call.repo.comments.values() if one.number == number]
    return paged(call, [answers.comment(call.repo, one) for one in listed])


def write_comment(repo: Repository, number: int, login: str, body: str) -> Comment:
    made = Comment(repo.hub.number(), number, login, body, now(), now())
    repo.comments[made.id] = made
    repo.pulls[number].updated_at = now()
    answers.tell_comment(repo, made, "created", login)
    return made


@route("POST", "/repos/{owner}/{repo}/issues/{number}/comments", **TALK)
def create_comment(call: Call) -> Reply:
    if len(call.json["body"]) > 65_536:
        raise Refused(
            422, "Validation Failed", [{"message": "Body is too long (maximum is 65536 characters)"}]
        )
    made = write_comment(call.repo, _pull(call).number, call.login, call.json["body"])
    return Reply(201, answers.comment(call.repo, made))


@route("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment}", **TALK)
def edit_comment(call: Call) -> Reply:
    made = call.repo.comments.get(int(call.arguments["comment"]))
    if made is None:
        raise Refused(404, "Not Found")
    if made.body != call.json["body"]:
        made.body, made.updated_at = call.json["body"], now()
        answers.tell_comment(call.repo, made, "edited", call.login)
    return Reply(200, answers.comment(call.repo, made))


@route("POST", "/repos/{owner}/{repo}/issues/comments/{comment}/reactions", **TALK)
def react(call: Call) -> Reply:
    repo, number, content = call.repo, int(call.arguments["comment"]), call.json["content"]
    if number not in repo.comments:
        raise Refused(404, "Not Found")
    given = (number, call.login, content)
    status = 200 if given in repo.reactions else 201
    repo.reactions.add(given)
    said = {
        "id": 1,
        "node_id": "R",
        "user": answers.user(call.hub, call.login),
        "content": content,
        "created_at": now(),
    }
    return Reply(status, said)


@route("POST", "/repos/{owner}/{repo}/issues/{number}/labels", **TALK)
def add_labels(call: Call) -> Reply:
    pull = _pull(call)
    for name in call.json["labels"]:
        if name not in pull.labels:
            pull.labels.append(name)
            call.hub.tell_pull(call.repo, pull, "labeled", call.login, label=answers.label(name))
    return Reply(200, [answers.label(name) for name in pull.labels])


@route("DELETE", "/repos/{owner}/{repo}/issues/{number}/labels/{name}", **TALK)
def remove_label(call: Call) -> Reply:
    pull, name = _pull(call), call.arguments["name"]
    if name not in pull.labels:
        raise Refused(404, "Label does not exist")
    pull.labels.remove(name)
    call.hub.tell_pull(call.repo, pull, "unlabeled", call.login, label=answers.label(name))
    return Reply(200, [answers.label(one) for one in pull.labels])
