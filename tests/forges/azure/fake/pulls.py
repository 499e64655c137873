"""Pull requests and their life; merging happens some time after it was asked for."""

from __future__ import annotations

from bot.forges.local import history
from bot.forges.local.commit import Author, move
from bot.forges.local.git import ZERO, line, run
from tests.forges.azure.fake import told
from tests.forges.azure.fake.calls import Reply, Request, answers
from tests.forges.azure.fake.links import linked_to
from tests.forges.azure.fake.policies import evaluations
from tests.forges.azure.fake.state import PULL, Failure, Json, Organisation, Person, Pull, Repo, Update, now

CREATED, UPDATED, MERGED = "git.pullrequest.created", "git.pullrequest.updated", "git.pullrequest.merged"
STATUS_UPDATE = "StatusUpdateNotification"


def pushed(org: Organisation, repo: Repo, by: Person, update: Update) -> None:
    """Open changes of a branch get its new head, when the forge looks at it."""
    for one in repo.pulls.values():
        if one.status == "active" and f"refs/heads/{one.source}" == update.ref and update.new != ZERO:
            if org.looks_at_pushes:
                look(org, repo, one)
                where = f"pull request {one.id} ({one.title}) in {repo.name}"
                text = f"{by.display} updated the source branch of {where}"
                org.tell(UPDATED, told.pull(repo, one, org), text, "PushNotification")
                _attempted(org, repo, one)
        elif one.status == "active" and f"refs/heads/{one.target}" == update.ref:
            try_merge(repo, one)


def look(org: Organisation, repo: Repo, one: Pull) -> None:
    """Notice the head of a change, and try to merge it."""
    one.head = repo.head(f"refs/heads/{one.source}")
    one.iterations.append((one.head, repo.head(f"refs/heads/{one.target}")))
    try_merge(repo, one)


def try_merge(repo: Repo, one: Pull) -> None:
    """The merge that the forge keeps to itself, to know whether there are conflicts."""
    one.onto = repo.head(f"refs/heads/{one.target}")
    if one.onto == ZERO or history.resolve(repo.folder, one.head) is None:
        return
    done = run(repo.folder, "merge-tree", "--write-tree", "--no-messages", one.onto, one.head)
    one.merge_status = "succeeded" if done.returncode == 0 else "conflicts"
    if done.returncode == 0:
        message = f"Merge pull request {one.id} from {one.source} into {one.target}"
        one.merge = _commit(repo, done.stdout.decode().split()[0], [one.onto, one.head], message, one.by)


def _commit(repo: Repo, tree: str, parents: list[str], message: str, by: Person) -> str:
    options = [word for parent in parents for word in ("-p", parent)]
    env = Author(by.display, by.mail, now()).environment()
    return line(repo.folder, "commit-tree", tree, *options, "-F", "-", stdin=message.encode(), env=env)


def _attempted(org: Organisation, repo: Repo, one: Pull) -> None:
    org.tell(MERGED, told.pull(repo, one, org), f"{one.by.display} has created a pull request merge commit")


def get(call: Request) -> Pull:
    found = call.repo.pulls.get(int(call.route["pullRequestId"]))
    if found is None:
        raise Failure(
            404,
            "GitPullRequestNotFoundException",
            f"TF401180: The requested pull request was not found. ({call.route['pullRequestId']})",
        )
    return found


@answers("GET", "pullRequests")
def pulls(call: Request) -> Json:
    repo = call.repo
    if "pullRequestId" in call.route:
        one = get(call)
        _work(call.org, repo, one)
        return told.pull(repo, one, call.org)
    wanted = {
        "status": call.query.get("searchCriteria.status", "active"),
        "source": call.query.get("searchCriteria.sourceRefName"),
        "target": call.query.get("searchCriteria.targetRefName"),
    }
    found = [
        one
        for one in reversed(repo.pulls.values())
        if wanted["status"] in {"all", one.status}
        and wanted["source"] in {None, f"refs/heads/{one.source}"}
        and wanted["target"] in {None, f"refs/heads/{one.target}"}
    ]
    return told.listed([told.pull(repo, one, call.org) for one in call.skipped(found)])


@answers("POST", "pullRequests")
def create(call: Request) -> Reply:
    repo, said, org = call.repo, call.body, call.org
    call.need(PULL, "PullRequestContribute")
    source, target = (said[name].removeprefix("refs/heads/") for name in ("sourceRefName", "targetRefName"))
    head, onto = repo.head(said["sourceRefName"]), repo.head(said["targetRefName"])
    if ZERO in {head, onto}:
        raise Failure(
            409, "GitPullRequestStaleException", "TF401398: The source or the target branch no longer exists"
        )
    if len(said.get("description") or "") > 4000:
        raise Failure(
            400, "InvalidArgumentValueException", "Invalid argument value. Parameter name: description"
        )
    if any((one.source, one.target, one.status) == (source, target, "active") for one in repo.pulls.values()):
        raise Failure(
            409,
            "GitPullRequestExistsException",
            "TF401179: An active pull request for the source and target branch already exists.",
        )
    number = org.number("pull")
    labels = [label["name"] for label in said.get("labels") or []]
    one = Pull(number, said["title"], said.get("description") or "", call.by, source, target, head, onto)
    one.labels, one.draft = labels, bool(said.get("isDraft"))
    repo.pulls[number] = one
    one.iterations.append((head, onto))
    answer = told.pull(repo, one, org)
    try_merge(repo, one)
    org.tell(
        CREATED, told.pull(repo, one, org), f"{call.by.display} created pull request {number} ({one.title})"
    )
    _attempted(org, repo, one)
    return Reply(answer, 201)


@answers("PATCH", "pullRequests")
def update(call: Request) -> Json:
    repo, one, said, org = call.repo, get(call), call.body, call.org
    call.need(PULL, "PullRequestContribute")
    if one.status != "active" and said.get("status") != "active":
        raise Failure(
            400, "GitPullRequestNotEditableException", f"TF401181: The pull request {one.id} cannot be edited"
        )
    if len(said.get("description") or "") > 4000:
        raise Failure(
            400, "InvalidArgumentValueException", "Invalid argument value. Parameter name: description"
        )
    one.title, one.body = said.get("title", one.title), said.get("description", one.body)
    wanted = said.get("status")
    if "completionOptions" in said and wanted is None:
        one.options = {**(one.options or {}), **said["completionOptions"]}
    if wanted == "completed":
        _complete(call, repo, one)
    elif wanted == "abandoned" and one.status == "active":
        one.status, one.closed, one.closed_by = "abandoned", now(), call.by
        org.tell(
            UPDATED,
            told.pull(repo, one, org),
            f"{call.by.display} abandoned pull request {one.id}",
            STATUS_UPDATE,
        )
    elif wanted == "active" and one.status == "abandoned":
        if repo.head(f"refs/heads/{one.source}") == ZERO:
            raise Failure(
                400, "GitPullRequestCannotBeActivated", "TF401398: The pull request cannot be activated"
            )
        one.status, one.closed, one.closed_by = "active", None, None
        look(org, repo, one)
        org.tell(
            UPDATED,
            told.pull(repo, one, org),
            f"{call.by.display} reactivated pull request {one.id}",
            STATUS_UPDATE,
        )
    return told.pull(repo, one, org)


def _complete(call: Request, repo: Repo, one: Pull) -> None:
    """Asked for now; done when it is looked at again."""
    given = (call.body.get("lastMergeSourceCommit") or {}).get("commitId")
    if given != one.head:
        raise Failure(409, "GitPullRequestStaleException", "TF401192: The pull request source has changed.")
    blocking = [e for e in evaluations(repo, one) if e["status"] not in {"approved", "notApplicable"}]
    if blocking:
        raise Failure(
            403,
            "GitPullRequestUpdateRejectedByPolicyException",
            "TF401177: The pull request cannot be completed: a policy is not satisfied.",
        )
    call.write()
    one.options, one.queued, one.closed_by = call.body["completionOptions"], now(), call.by
    one.merge_status, one.polls = "queued", call.org.slow_merges


def _work(org: Organisation, repo: Repo, one: Pull) -> None:
    """What the forge does by itself while somebody waits."""
    if one.queued is None or one.status != "active":
        return
    if one.polls > 0:
        one.polls -= 1
        return
    by, options = one.closed_by, one.options or {}
    assert by is not None
    target = f"refs/heads/{one.target}"
    onto = repo.head(target)
    sha = _merged(repo, one, onto, options, by)
    if sha is None or repo.head(f"refs/heads/{one.source}") == ZERO:
        one.queued, one.closed_by, one.merge_status = None, None, "conflicts"
        return
    move(repo.folder, target, sha, onto)
    one.merge, one.merge_status, one.status, one.closed = sha, "succeeded", "completed", now()
    from tests.forges.azure.fake.repositories import record  # each tells the other what happened

    record(org, repo, by, [Update(target, onto, sha)])
    if options.get("transitionWorkItems"):
        for item in linked_to(org, repo, one.id):
            item["fields"]["System.State"] = "Done"
    org.tell(
        UPDATED,
        told.pull(repo, one, org),
        f"{by.display} completed pull request {one.id} ({one.title})",
        STATUS_UPDATE,
    )
    _attempted(org, repo, one)


def _merged(repo: Repo, one: Pull, onto: str, options: Json, by: Person) -> str | None:
    """The commit that the target will be at, or None for a conflict."""
    strategy, message = options["mergeStrategy"], options.get("mergeCommitMessage") or f"Merged PR {one.id}"
    if strategy == "rebase":
        return _rebased(repo, one, onto)
    done = run(repo.folder, "merge-tree", "--write-tree", "--no-messages", onto, one.head)
    if done.returncode:
        return None
    parents = [onto, one.head] if strategy == "noFastForward" else [onto]
    return _commit(repo, done.stdout.decode().split()[0], parents, message, by)


def _rebased(repo: Repo, one: Pull, onto: str) -> str | None:
    base = history.merge_base(repo.folder, onto, one.head)
    listed = line(repo.folder, "rev-list", "--reverse", "--no-merges", one.head, f"^{base}").split()
    for sha in listed:
        about = history.commits(repo.folder, sha, limit=1)[0]
        # One commit on top of the other: trees are enough, as the fake's rebases are of few commits.
        done = run(repo.folder, "merge-tree", "--write-tree", "--no-messages", onto, sha)
        if done.returncode:
            return None
        env = Author(about.author_name, about.author, about.authored_at).environment()
        tree = done.stdout.decode().split()[0]
        onto = line(
            repo.folder, "commit-tree", tree, "-p", onto, "-F", "-", stdin=about.message.encode(), env=env
        )
    return onto


@answers("GET", "pullRequestCommits")
def pull_commits(call: Request) -> Reply:
    repo, one = call.repo, get(call)
    base = history.merge_base(repo.folder, one.onto, one.head) or one.onto
    found = history.commits(repo.folder, one.head, f"^{base}", f"^{one.onto}")
    return call.paged([told.commit(repo, each, call.org, short=True) for each in found])


@answers("GET", "pullRequestIterations")
def iterations(call: Request) -> Json:
    repo, one = call.repo, get(call)
    found = [
        {
            "id": at + 1,
            "description": "",
            "author": told.person(one.by, call.org),
            "createdDate": one.created,
            "updatedDate": one.created,
            "sourceRefCommit": {"commitId": head},
            "targetRefCommit": {"commitId": onto},
            "commonRefCommit": {"commitId": onto},
            "hasMoreCommits": False,
            "reason": "push" if at else "create",
        }
        for at, (head, onto) in enumerate(one.iterations)
    ]
    assert repo.pulls
    return told.listed(found)
