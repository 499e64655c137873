"""Issues and releases as the API and the pages show them."""

from __future__ import annotations

from typing import Any

from bot.forges.local.beside import ForgeIssue, ForgeRelease
from bot.forges.local.ground import Ground

Json = dict[str, Any]


def issue(ground: Ground, row: ForgeIssue) -> Json:
    """`closedBy` is the change whose merge closed it."""
    return {
        "number": row.number,
        "title": row.title,
        "body": row.body,
        "labels": row.labels,
        "author": row.author,
        "state": row.state,
        "closedBy": row.closed_by,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "url": ground.issue_url(row.repository, row.number),
    }


def release(ground: Ground, row: ForgeRelease) -> Json:
    """`revision` is what the tag is on."""
    return {
        "tag": row.tag,
        "revision": row.revision,
        "title": row.title,
        "notes": row.notes,
        "prerelease": row.prerelease,
        "author": row.author,
        "publishedAt": row.published_at,
        "updatedAt": row.updated_at,
        "url": ground.release_url(row.repository, row.tag),
    }
