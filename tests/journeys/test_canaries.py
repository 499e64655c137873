"""No credential is ever told: whatever a forge answers, it is in no log, event, comment, page, answer or URL.

Every secret setting there is has a value that is looked for at the end: in the house's files (logs, database,
artefacts, memory), in what its commands printed and its doors answered, in what it asked the forge, and in the
comments on the change. The forge fails in every way, and quotes what the bot signed in with.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from bot.settings import Settings
from tests.forges.conformance.stage import Hosted
from tests.journeys.house import House, living
from tests.journeys.meddler import CUT, Meddler, meddling
from tests.journeys.rules import APPROVED, PEOPLE
from tests.journeys.search import leaks
from tests.journeys.test_hosted import HOSTED, Town

BAD = {"unknown": 401, "forbidden": 403, "gone": 404, "refused": 422, "broken": 500, "cut": CUT}
SECRET = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
NOWHERE = {
    "github_api_url": "http://127.0.0.1:9",
    "gitlab_url": "http://127.0.0.1:9",
    "azure_url": "http://127.0.0.1:9",
}
SEEN_BY_THE_DOCTOR = {"refused": "text", "broken": "json"}
LOGINS = {"github_login": "pm-bot", "gitlab_login": "pm-bot", "azure_login": "pm-bot@acme.example"}


def canaries() -> dict[str, str]:
    """A value for every secret setting, with signs that URLs and base64 write in their own way."""
    return {
        name: f"canary/{name}+{secrets.token_hex(12)}=" for name in SECRET if name != "local_webhook_secret"
    }


@dataclass
class Watched(Town):
    """A town in which somebody stands between the bot and its forge."""

    meddler: Meddler


@pytest.fixture(params=HOSTED)
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    (tmp_path / "forge").mkdir()
    module = import_module(f"tests.forges.conformance.stages.{request.param}")
    with module.stage(request, tmp_path / "forge") as stage:
        stage.put({".pointsman/policy.yaml": APPROVED})
        for login in PEOPLE:
            stage.person(login, "write")
        said = stage.settings()
        address = next(value for name, value in said.items() if name.endswith("_URL"))
        with meddling(address) as meddler:
            mine = {n.removeprefix("POINTSMAN_").lower(): v for n, v in meddler.settings(said).items()}
            planted = canaries()
            if "github_app_id" in mine:
                del planted["github_token"]  # the App is there instead
            settings = {**planted, **NOWHERE, **LOGINS, **mine}
            with living(tmp_path / "house", **settings, reconcile_minutes="0.1") as house:
                house.hidden += [*planted.values(), *stage.hidden]
                stage.deliver_to(f"{house.url}/webhooks/{stage.forge.name}")
                yield Watched(stage, house, meddler)
                house.hidden += [value for value in stage.hidden if value not in house.hidden]


def test_no_credential_is_ever_told(watched: Watched) -> None:
    house, stage, meddler = watched.house, watched.stage, watched.meddler
    trace = watched.submit("1.0.0")
    change = int(house.event(trace, "PullRequestCreated").data["number"])
    head = watched.tested(trace)
    house.event(trace, "TestsPassed", revision=head)
    house.event(trace, "pointsman.VerdictChanged", reasonCode="ApprovalMissing", revision=head)

    for number, (kind, status) in enumerate(BAD.items()):
        after = house.log(trace)[-1].sequence
        meddler.fail(status)
        stage.comment("jane.doe", change, f"/status {number}")
        house.wait(lambda: meddler.hit >= 3, f"requests that are answered badly: {kind}")
        house.event(trace, "AgentSkillFailed", after=after)
        if kind in SEEN_BY_THE_DOCTOR:
            house.cli("doctor", "--output", SEEN_BY_THE_DOCTOR[kind])
        meddler.fail(None)
    assert meddler.quoted, "the forge told the bot its own token"
    house.hidden += meddler.quoted

    watched.approve(trace, head)
    house.event(trace, "ReleasePublished")
    listen(house, stage, trace)
    house.heard += meddler.asked
    house.heard += [text.encode() for _, text in stage.comments(change)]
    assert told(house, stage) == []


def told(house: House, stage: Hosted) -> list[str]:
    values = {*house.hidden, *stage.hidden}
    return leaks(house.home, house.environment["POINTSMAN_DATABASE_URL"], house.heard, values)


def listen(house: House, stage: Hosted, trace: str) -> None:
    """Everything that can be read of a trace, and every door with a wrong key."""
    for path in ("", "/events", "/artefacts", "/verify", "/archive"):
        house.say("GET", f"/v1/traces/{trace}{path}")
    for path in ("/v1/dead-letters", "/v1/releases", "/metrics", "/readyz", "/openapi.json"):
        house.say("GET", path)
    secret = stage.hidden[-1]
    for door in (f"/webhooks/{stage.forge.name}", "/v1/events", f"/v1/traces/{trace}"):
        for headers in (
            {"Authorization": f"Bearer {secret}x"},
            {"X-Gitlab-Token": f"{secret}x", "X-Gitlab-Event": "Push Hook"},
            {"X-Hub-Signature-256": f"sha256={secret}x", "X-GitHub-Delivery": "d", "X-GitHub-Event": "push"},
        ):
            answer = httpx.post(f"{house.url}{door}", headers=headers, content=b"{}", trust_env=False)
            assert answer.status_code >= 400
            house.heard.append(answer.content)
    house.heard.append(house.cli("trace", "show", trace, "--output", "json").stdout.encode())
