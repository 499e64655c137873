"""Whether the bot is set up: its token, its clock, and for each project its role, its hook and the
protection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from bot.domain.errors import Permanent, Retryable
from bot.forges.finding import Finding, broken, doubtful, fine
from bot.forges.gitlab.access import DEVELOPER, get_project, level
from bot.forges.gitlab.client import Answered, Api, Json, project
from bot.forges.gitlab.hook import EVENTS, Door, place_hook
from bot.forges.gitlab.protection import protection
from bot.forges.gitlab.verify import TOLERANCE_S

SOON = timedelta(days=14)
MAINTAINER = 40
LOW = 0.1
"""Less than this part of the requests is little."""


def examine(api: Api, door: Door, repositories: Sequence[str]) -> Iterator[Finding]:
    """The account, then each project. What cannot be looked at is a finding, too."""
    try:
        yield from _account(api)
    except (Retryable, Permanent, Answered) as error:
        yield broken("account", _short(error), "Mend POINTSMAN_GITLAB_URL and POINTSMAN_GITLAB_TOKEN.")
        return
    for name in repositories:
        yield from _looked_at(api, door, name)


def connect(api: Api, door: Door, repository: str) -> Iterator[Finding]:
    """Make the hook, or set the one that is there right; then look."""
    if not door.secrets:
        yield broken("webhook", "no secret is set", "Set POINTSMAN_GITLAB_WEBHOOK_SECRET.")
        return
    try:
        place_hook(api, door, repository)
    except (Retryable, Permanent, Answered) as error:
        todo = "Give the bot's account the role Maintainer, or make the webhook by hand (docs/forges.md)."
        yield broken(repository, f"the webhook could not be made: {_short(error)}", todo)
    yield from examine(api, door, (repository,))


def _account(api: Api) -> Iterator[Finding]:
    login = str(api.myself["username"])
    if login == api.account.login:
        yield fine("account", f"{login} at {api.account.url}")
    else:
        said = f"the token is {login}'s, the bot is called {api.account.login}"
        yield broken("account", said, f"Set POINTSMAN_GITLAB_LOGIN={login}.")
    yield from _token(api)
    yield from _clock(api)
    yield from _budget(api)


def _token(api: Api) -> Iterator[Finding]:
    """OAuth tokens do not know themselves."""
    try:
        known = api.find("/personal_access_tokens/self")
    except (Answered, Permanent):
        known = None
    if not known:
        return
    if "api" not in known["scopes"]:
        scopes = ", ".join(known["scopes"]) or "none"
        yield broken("token", f"has the scopes {scopes}", "Make one with the scope `api`.")
    ends = known.get("expires_at")
    if ends and date.fromisoformat(ends) - datetime.now(UTC).date() < SOON:
        yield doubtful("token", f"ends on {ends}", "Make a new one before that day.")


def _clock(api: Api) -> Iterator[Finding]:
    off = api.clock_difference
    if off is not None and abs(off) > TOLERANCE_S / 5:
        said = f"this machine's clock and GitLab's are {abs(off):.0f} s apart"
        todo = f"Set the clock: signed calls are refused beyond {TOLERANCE_S} s."
        yield (broken if abs(off) > TOLERANCE_S else doubtful)("clock", said, todo)


def _budget(api: Api) -> Iterator[Finding]:
    """A GitLab of one's own may have no limit, and then says nothing of it."""
    limit, left = api.budget.limit, api.budget.remaining
    if limit is None or left is None:
        return
    said = f"{left} of {limit} requests are left"
    if left < limit * LOW:
        yield doubtful("rate limit", said, "The bot waits when none is left. Raise the limit of its account.")
    else:
        yield fine("rate limit", said)


def _looked_at(api: Api, door: Door, name: str) -> Iterator[Finding]:
    try:
        known = get_project(api, name)
        yield from _role(known, name)
        yield from _hook(api, door, known, name)
        yield from protection(api, known, name)
    except (Retryable, Permanent, Answered) as error:
        todo = "Add the bot's account to the project with the role Developer or higher."
        yield broken(name, f"cannot be looked at: {_short(error)}", todo)


def _role(known: Json, name: str) -> Iterator[Finding]:
    if level(known) < DEVELOPER:
        yield broken(name, "the bot may not write", "Give its account the role Developer or higher.")


def _hook(api: Api, door: Door, known: Json, name: str) -> Iterator[Finding]:
    if level(known) < MAINTAINER:
        todo = "Give its account the role Maintainer, or look under Settings > Webhooks."
        yield doubtful(name, "the bot may not see the webhooks, nor which calls failed", todo)
        return
    hook = next((one for one in api.list(f"{project(name)}/hooks") if one["url"] == door.url), None)
    again = f"Run `pointsman connect gitlab {name}`."
    if hook is None:
        yield broken(name, f"no webhook calls {door.url}", again)
    elif hook.get("alert_status", "executable") != "executable":
        yield broken(
            name, "GitLab has disabled the webhook after calls that failed", "Send it a test call there."
        )
    elif lacking := [event for event in EVENTS if not hook.get(event)]:
        yield broken(name, f"the webhook leaves out {', '.join(lacking)}", again)
    else:
        yield fine(name, f"the webhook calls {door.url}")
        yield from _last_call(api, hook, name)


def _last_call(api: Api, hook: Json, name: str) -> Iterator[Finding]:
    """Whether GitLab reaches the bot. Before 17.3 it keeps no list of its calls."""
    try:
        calls = api.list(f"{project(name)}/hooks/{hook['id']}/events", per_page=1)
        last = next(calls, None)
    except Answered:
        return
    if last is None:
        todo = "Settings > Webhooks > Test makes one; then run this again."
        yield doubtful(name, "GitLab has not called yet: nothing shows that it reaches the bot", todo)
    elif str(last["response_status"]).startswith("2"):
        yield fine(name, f"the last call was answered {last['response_status']}")
    else:
        todo = f"See that GitLab reaches {hook['url']}: Settings > Webhooks > Edit lists its calls."
        yield broken(name, f"the last call was answered {last['response_status']}", todo)


def _short(error: Exception) -> str:
    return error.said if isinstance(error, Answered) else str(error)
