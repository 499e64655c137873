"""Branch policies: what they want, and whether a change has it."""

from __future__ import annotations

from tests.forges.azure.fake import told
from tests.forges.azure.fake.calls import Reply, Request, answers
from tests.forges.azure.fake.state import EDIT_POLICIES, Failure, Json, Organisation, Pull, Repo, now

STATUS, REVIEWERS = "cbdc66da-9728-4af8-aada-9a5a32e4a226", "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd"
STRATEGY = "fa4e907d-c16b-4a4c-9dfa-4916e5d171ab"
NAMES = {STATUS: "Status", REVIEWERS: "Minimum number of reviewers", STRATEGY: "Require a merge strategy"}


def policy(repo: Repo, type_: str, org: Organisation, **settings: object) -> Json:
    """A policy of the default branch that blocks."""
    scope = [{"refName": f"refs/heads/{repo.default}", "matchKind": "Exact", "repositoryId": repo.id}]
    one: Json = {
        "id": org.number("policy"),
        "type": {"id": type_, "displayName": NAMES[type_], "url": type_},
        "url": type_,
        "revision": 1,
        "isEnabled": True,
        "isBlocking": True,
        "isDeleted": False,
        "isEnterpriseManaged": False,
        "settings": {**settings, "scope": scope},
    }
    repo.policies.append(one)
    return one


def protected(repo: Repo, ref: str) -> bool:
    """Whether nobody may push to a ref."""
    return any(scope["refName"] == ref for one in repo.policies for scope in one["settings"]["scope"])


@answers("POST", "configurations")
def add_policy(call: Request) -> Json:
    said = call.body
    (scope,) = said["settings"]["scope"]
    repo = call.org.repo(scope["repositoryId"], call.route["project"])
    if repo.owner != call.by.unique and not call.allowed(EDIT_POLICIES):
        raise Failure(
            403,
            "PolicyNeedsPermissionException",
            "TF402458: You need the 'Edit policies' permission to perform this action.",
        )
    settings = {name: value for name, value in said["settings"].items() if name != "scope"}
    made = policy(repo, said["type"]["id"], call.org, **settings)
    made |= {"isEnabled": said["isEnabled"], "isBlocking": said["isBlocking"]}
    about = {"createdBy": told.person(call.by, call.org), "createdDate": now(), "_links": {}}
    return made | about


@answers("GET", "policyConfigurations")
def policies(call: Request) -> Reply:
    found = [
        one
        for repo in call.org.repositories.values()
        if call.query.get("repositoryId") in {None, repo.id}
        for one in repo.policies
    ]
    return call.paged(found)


def evaluations(repo: Repo, one: Pull) -> list[Json]:
    """What the policies of the target make of a change."""
    if not protected(repo, f"refs/heads/{one.target}"):
        return []
    return [{"configuration": each, "status": _judged(each, one)} for each in repo.policies]


def _judged(policy_: Json, one: Pull) -> str:
    settings = policy_["settings"]
    if policy_["type"]["id"] == STATUS:
        wanted = (settings["statusGenre"], settings["statusName"])
        said = [s for s in one.statuses if (s["context"].get("genre"), s["context"]["name"]) == wanted]
        said = [s for s in said if s.get("iterationId") in {None, len(one.iterations)}]
        states = {"succeeded": "approved", "notApplicable": "approved", "pending": "running"}
        return states.get(said[-1]["state"], "rejected") if said else "queued"
    if policy_["type"]["id"] == REVIEWERS:
        votes = [vote for _, vote in one.votes.values()]
        enough = sum(vote >= 5 for vote in votes) >= settings["minimumApproverCount"]
        return "approved" if enough and min(votes, default=0) >= 0 else "queued"
    return "approved"


@answers("GET", "evaluations")
def policy_evaluations(call: Request) -> Json:
    _, _, number = call.query["artifactId"].rpartition("/")
    repo = next(r for r in call.org.repositories.values() if int(number) in r.pulls)
    found = [
        each | {"evaluationId": str(at), "artifactId": call.query["artifactId"], "startedDate": now()}
        for at, each in enumerate(evaluations(repo, repo.pulls[int(number)]))
    ]
    return told.listed(found)
