"""Whether everything is set up on Azure DevOps (`pointsman doctor`), and setting it up (`connect`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from bot.domain.errors import Permanent, Retryable
from bot.forges.azure import accounts
from bot.forges.azure.checks import context_of
from bot.forges.azure.client import Client
from bot.forges.azure.deliveries import COMMENT, CREATED, PUSH, UPDATED
from bot.forges.azure.missed import is_ours
from bot.forges.azure.names import HEADS, Repository
from bot.forges.azure.place import Place
from bot.forges.azure.said import ABOUT, KINDS
from bot.forges.azure.speech import Refusal
from bot.forges.finding import Finding, broken, doubtful, fine
from bot.messages import MERGE_CHECK

BUILD = "build.complete"
HOOKS = ((PUSH, ""), (CREATED, ""), *((UPDATED, kind) for kind in KINDS), (COMMENT, ""), (BUILD, ""))
"""Events, and of updates the kind: the event itself does not tell it."""
STATUS_POLICY = "cbdc66da-9728-4af8-aada-9a5a32e4a226"
SKEW_S = 60.0
LOW = 0.1
CONSUMER, ACTION, PUBLISHER, USER = "webHooks", "httpRequest", "tfs", "pointsman"


def examine(client: Client, repositories: Sequence[str]) -> Iterator[Finding]:
    """Changes nothing; what cannot be looked at is a finding, too."""
    try:
        yield from _account(client)
        hooks = list(client.hooks.list_subscriptions(consumer_id=CONSUMER) or ())
    except (Retryable, Permanent, Refusal) as error:
        yield broken("azure", f"could not be asked: {error}", "Look at POINTSMAN_AZURE_URL and _TOKEN.")
        return
    for name in repositories:
        try:
            yield from _repository(Place(client, Repository.of(name)), hooks)
        except (Retryable, Permanent, Refusal) as error:
            yield broken(name, f"could not be looked at: {error}", "See that the bot's account may read it.")


def _account(client: Client) -> Iterator[Finding]:
    user = client.service("location").get_connection_data().authenticated_user
    name = accounts.unique_name(user)
    if name.casefold() == client.people.bot.casefold():
        yield fine("azure account", f"signed in as {name}")
    else:
        yield broken(
            "azure account",
            f"the token is {name}'s, and POINTSMAN_AZURE_LOGIN says {client.people.bot}",
            f"Set POINTSMAN_AZURE_LOGIN={name}.",
        )
    skew = client.budget.skew
    if abs(skew) > SKEW_S:
        yield doubtful("clock", f"differs from the forge's by {skew:+.0f} s", "Set this machine's clock.")
    limit, left = client.budget.limit, client.budget.remaining
    if limit and left is not None and left < limit * LOW:
        yield doubtful(
            "azure limits",
            f"{left:.0f} of {limit:.0f} are left",
            "Give the bot an account that it alone uses.",
        )


def _repository(place: Place, hooks: list[Any]) -> Iterator[Finding]:
    name = str(place.repository)
    if not accounts.can_write(place):
        yield broken(name, "the bot may not write", "Give its account Contribute in this repository.")
    yield _called(name, _hooks_of(place, hooks))
    yield _protected(place)


def _called(name: str, hooks: list[Any]) -> Finding:
    asleep = sorted({one.event_type for one in hooks if str(one.status) != "enabled"})
    awake = {_of(one) for one in hooks if str(one.status) == "enabled"}
    wanted = [event for event, kind in HOOKS if not {(event, kind), (event, "")} & awake]
    if missing := list(dict.fromkeys(wanted)):
        off = f" ({', '.join(asleep)} switched off)" if asleep else ""
        todo = f"Say `pointsman connect azure {name}`."
        return broken(name, f"no service hook calls the bot for {', '.join(missing)}{off}", todo)
    return fine(name, "service hooks call the bot")


def _of(subscription: Any) -> tuple[str, str]:
    return subscription.event_type, (subscription.publisher_inputs or {}).get("notificationType") or ""


def _hooks_of(place: Place, hooks: list[Any]) -> list[Any]:
    project, repository = place.about.project.id, place.about.id
    return [
        one
        for one in hooks
        if is_ours(one)
        and (one.publisher_inputs or {}).get("projectId") in {project, "", None}
        and (one.publisher_inputs or {}).get("repository") in {repository, "", None}
    ]


def _protected(place: Place) -> Finding:
    """Whether nobody can merge past the bot."""
    found = place.policies(ref_name=HEADS + place.default_branch, policy_type=STATUS_POLICY)
    required = [one for one in found if one.type.id == STATUS_POLICY]
    wanted = context_of(MERGE_CHECK)
    if any(status_of(one) == wanted for one in required):
        return fine(str(place.repository), f"{place.default_branch} cannot be merged into past the bot")
    return doubtful(
        str(place.repository),
        f"{place.default_branch} does not require the bot's check: people may merge past the policy",
        f"Add the status check `{MERGE_CHECK}` to its branch policies: required, and from the bot alone.",
    )


def status_of(policy: Any) -> tuple[str, str]:
    """Genre and name of the status that a policy asks for; empty texts for another kind of policy."""
    settings = policy.settings or {}
    return str(settings.get("statusGenre") or ""), str(settings.get("statusName") or "")


def connect(client: Client, repository: str, webhook_url: str, secrets: Sequence[bytes]) -> Iterator[Finding]:
    """Make the hooks that are missing, then look whether all is well."""
    if not secrets:
        yield broken("azure", "has no webhook secret", "Set POINTSMAN_AZURE_WEBHOOK_SECRET.")
        return
    try:
        yield from hook(Place(client, Repository.of(repository)), webhook_url, secrets[0].decode())
    except (Retryable, Permanent, Refusal) as error:
        yield broken(repository, f"could not be connected: {error}", "Let a project administrator do it.")
    yield from examine(client, (repository,))


def hook(place: Place, url: str, secret: str) -> Iterator[Finding]:
    """Make the service hooks that are missing. Raises Refusal."""
    if urlsplit(url).scheme != "https":
        yield doubtful(
            str(place.repository),
            "the secret of the service hooks goes over an unencrypted connection",
            "Give the bot an https address (POINTSMAN_BASE_URL).",
        )
    there = _hooks_of(place, list(place.client.hooks.list_subscriptions(consumer_id=CONSUMER) or ()))
    awake = {
        _of(one)
        for one in there
        if str(one.status) == "enabled" and (one.consumer_inputs or {}).get("url") == url
    }
    for event, kind in HOOKS:
        if (event, kind) not in awake:
            wanted = _subscription(place, event, kind, {"url": url, "basicAuthPassword": secret})
            place.client.hooks.create_subscription(subscription=wanted)
            yield fine(str(place.repository), f"{kind or event} calls {url} from now on")


def _subscription(place: Place, event: str, kind: str, inputs: Mapping[str, str]) -> Any:
    scope = {"projectId": place.about.project.id}
    if event != BUILD:
        scope |= {"repository": place.about.id}
    return place.client.model(
        "service_hooks",
        "Subscription",
        publisher_id=PUBLISHER,
        event_type=event,
        resource_version="2.0" if event in {COMMENT, BUILD} else "1.0",
        consumer_id=CONSUMER,
        consumer_action_id=ACTION,
        publisher_inputs=scope | ({"notificationType": kind} if kind else {}),
        consumer_inputs={
            **inputs,
            "basicAuthUsername": USER,
            **({"httpHeaders": f"{ABOUT}:{kind}"} if kind else {}),
        },
    )
