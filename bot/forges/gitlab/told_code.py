"""Pushes of branches and tags, and release notes, in our words."""

from __future__ import annotations

from bot.domain import payloads as p
from bot.forges.gitlab.said import ZERO, Json, Said
from bot.forges.port import RepositoryFact


def push(said: Said) -> list[RepositoryFact]:
    """A branch made, moved or deleted. Of more than 20 commits GitLab tells the newest 20 (`cut`)."""
    body, branch = said.body, str(said.body["ref"]).removeprefix("refs/heads/")
    before, after = str(body["before"]), str(body["after"])
    common: Json = {"repository": said.repository, "branch": branch, "before": before, "pusher": said.actor}
    if after == ZERO:
        gone = p.BranchDeleted.model_validate(common)
        return [said.fact("BranchDeleted", gone, said.hints(branch=branch, sha=before))]
    commits = body.get("commits") or []
    pushed = p.Pushed.model_validate(
        common
        | {
            "after": after,
            "default_branch": said.default_branch,
            "messages": [commit["message"].strip() for commit in commits],
            "paths": _paths(commits),
            "cut": int(body.get("total_commits_count") or 0) > len(commits),
        }
    )
    head = next((commit["message"] for commit in commits if commit["id"] == after), "")
    hints = said.hints(branch=branch, sha=after)
    return [said.fact("Pushed", pushed, hints, message=head, new_trace=True)]


def _paths(commits: list[Json]) -> list[str]:
    """System hooks leave the paths out."""
    kinds = ("added", "modified", "removed")
    return list(
        dict.fromkeys(path for commit in commits for kind in kinds for path in commit.get(kind) or [])
    )


def tag_push(said: Said) -> list[RepositoryFact]:
    """A tag made or deleted. `after` of an annotated tag is the tag's own object; the commit is told beside
    it.
    """
    body = said.body
    after = str(body["after"]) if body["after"] == ZERO else str(body.get("checkout_sha") or body["after"])
    tag = p.TagPushed(
        repository=said.repository,
        tag=str(body["ref"]).removeprefix("refs/tags/"),
        before=str(body["before"]),
        after=after,
        pusher=said.actor,
    )
    return [said.fact("TagPushed", tag, said.hints(sha=after if after != ZERO else tag.before))]


def release(said: Said) -> list[RepositoryFact]:
    """Release notes of the forge; no release of ours."""
    body = said.body
    actions = {"create": "published", "update": "edited", "delete": "deleted"}
    if body.get("action") not in actions:
        return []
    noted = p.ReleaseNoted.model_validate(
        {
            "repository": said.repository,
            "tag": body["tag"],
            "action": actions[body["action"]],
            "title": body.get("name") or "",
            "url": body.get("url") or "",
        }
    )
    return [said.fact("pointsman.ReleaseNoted", noted)]
