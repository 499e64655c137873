"""The App: its installations, its tokens, and the webhook calls it made."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from tests.forges.github.fake import answers
from tests.forges.github.fake.hub import Attempt, Bearer, Json, Refused
from tests.forges.github.fake.server import RANK, Call, Reply, route


def _as_app(call: Call) -> None:
    if not call.app:
        raise Refused(401, "A JSON web token could not be decoded")


@route("GET", "/app")
def app(call: Call) -> Reply:
    _as_app(call)
    held = call.hub.installation.permissions if call.hub.installation else {}
    return Reply(200, answers.app(call.hub) | {"events": call.hub.events, "permissions": held})


@route("GET", "/app/hook/config")
def hook_config(call: Call) -> Reply:
    _as_app(call)
    return Reply(200, {"content_type": "json", "insecure_ssl": "0", "url": call.hub.hook_url})


@route("PATCH", "/app/hook/config")
def change_hook(call: Call) -> Reply:
    _as_app(call)
    call.hub.hook_url, call.hub.secret = call.json["url"], call.json["secret"].encode()
    return hook_config(call)


@route("GET", "/repos/{owner}/{repo}/installation")
def installation(call: Call) -> Reply:
    _as_app(call)
    return _installation(call, call.repo.owner)


@route("GET", "/orgs/{org}/installation")
def installation_in(call: Call) -> Reply:
    _as_app(call)
    return _installation(call, call.arguments["org"])


def _installation(call: Call, owner: str) -> Reply:
    made = call.hub.installation
    if made is None or owner != made.account:
        raise Refused(404, "Not Found")
    return Reply(
        200,
        {
            "id": made.id,
            "account": answers.user(call.hub, made.account),
            "app_id": call.hub.app_id,
            "app_slug": call.hub.app_slug,
            "permissions": made.permissions,
            "repository_selection": "all",
            "suspended_at": "2026-11-20T00:00:00Z" if made.suspended else None,
        },
    )


@route("POST", "/app/installations/{installation_id}/access_tokens")
def access_token(call: Call) -> Reply:
    _as_app(call)
    made, said = call.hub.installation, call.json
    if made is None or str(made.id) != call.arguments["installation_id"]:
        raise Refused(404, "Not Found")
    if made.suspended:
        raise Refused(403, "This installation has been suspended")
    wanted = said.get("permissions") or made.permissions
    if any(RANK[level] > RANK[made.permissions.get(name, "none")] for name, level in wanted.items()):
        raise Refused(422, "The permissions requested are not granted to this installation.")
    names = tuple(said.get("repositories") or ())
    if any(f"{made.account}/{name}" not in call.hub.repositories for name in names):
        raise Refused(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
    token = f"ghs_{secrets.token_hex(18)}"
    ends = datetime.now(UTC) + call.hub.token_life
    call.hub.bearers[token] = Bearer(call.hub.bot, dict(wanted), names, ends)
    return Reply(
        201, {"token": token, "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ"), "permissions": wanted}
    )


def _attempt(one: Attempt) -> Json:
    return {
        "id": one.id,
        "guid": one.guid,
        "delivered_at": one.delivered_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "redelivery": False,
        "duration": 0.1,
        "status": "OK" if one.status_code < 400 else "Invalid HTTP Response",
        "status_code": one.status_code,
        "event": one.event,
        "action": one.payload.get("action"),
        "installation_id": None,
        "repository_id": None,
    }


@route("GET", "/app/hook/deliveries")
def deliveries(call: Call) -> Reply:
    _as_app(call)
    size, start = int(call.query.get("per_page", "30")), int(call.query.get("cursor", "0"))
    newest = call.hub.attempts[::-1]
    headers = {}
    if start + size < len(newest):
        headers["Link"] = (
            f'<{call.hub.url}/app/hook/deliveries?per_page={size}&cursor={start + size}>; rel="next"'
        )
    return Reply(200, [_attempt(one) for one in newest[start : start + size]], headers)


@route("GET", "/app/hook/deliveries/{delivery_id}")
def delivery(call: Call) -> Reply:
    _as_app(call)
    one = next((one for one in call.hub.attempts if str(one.id) == call.arguments["delivery_id"]), None)
    if one is None:
        raise Refused(404, "Not Found")
    asked = {"headers": {"X-GitHub-Event": one.event, "X-GitHub-Delivery": one.guid}, "payload": one.payload}
    return Reply(200, _attempt(one) | {"request": asked, "response": {"headers": None, "payload": None}})
