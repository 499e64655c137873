"""Azure DevOps as others recorded it: its documented events, where its API is, live requests played back."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from bot.domain.catalog import CATALOG
from bot.forges.azure import accounts, changes
from bot.forges.azure.client import Client
from bot.forges.azure.credentials import PersonalToken
from bot.forges.azure.names import People, Repository
from bot.forges.azure.place import Place
from bot.forges.azure.speech import Refusal
from bot.forges.azure.verify import authenticate
from tests.forges.azure import bodies
from tests.forges.azure.corpora import body, cassette, locations, recorded
from tests.forges.azure.fake.locations import LOCATIONS
from tests.forges.azure.test_verify import basic

ACCOUNT = "/v-anvashist0376"
SAYS = {
    "git.push": ["Pushed"],
    "git.pullrequest.created": ["ChangeOpened", "ReviewRequested"],
    "git.pullrequest.updated": ["ChangeMerged"],
    "workitem.commented": ["CommentCreated"],
}
"""The other documented events are of things that are no repository's."""


def test_every_documented_event_comes_in_and_is_read() -> None:
    for path in recorded("ado-docs-events", "*.json"):
        said = path.read_bytes()
        assert authenticate((b"secret",), [basic(b"secret")], said).delivery_id
        found = bodies.facts(said)
        for one in found:
            CATALOG[one.draft.type].payload.model_validate(one.draft.data)
        assert [one.draft.type for one in found] == SAYS.get(path.stem[3:], []), path.stem


def test_the_fake_has_its_resources_where_azure_devops_has_them() -> None:
    known = locations()
    for one in LOCATIONS if known else ():
        if one.name == "Identities":
            continue  # on another host, whose answer was not recorded
        real = known[one.id]
        said = (real["area"], real["resourceName"], real["routeTemplate"], real["releasedVersion"])
        assert (one.area, one.name, one.route, one.released) == said
        assert one.version <= real["resourceVersion"]


class Playback(BaseHTTPRequestHandler):
    """Answers as recorded, each answer once, the last of a question for ever."""

    protocol_version = "HTTP/1.1"
    tape: dict[tuple[str, str, str], list[dict[str, Any]]]
    url: str
    asked: list[str]

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append(f"{self.command} {unquote(asked.path)}")
        if self.command == "OPTIONS":
            identities = {"id": LOCATIONS[23].id, **LOCATIONS[23].json()}
            return self._send(200, {"value": [*locations().values(), identities], "count": 1})
        if asked.path.endswith("/ResourceAreas"):
            return self._send(
                200, {"count": 0, "value": None}
            )  # what a server says, that has all in one place
        answers = self.tape.get(_key(self.command, self.path))
        if not answers:
            return self._send(
                404, {"message": f"not recorded: {self.command} {self.path}", "typeKey": "NotRecorded"}
            )
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return self._send(answer["response"]["status"]["code"], body(answer))

    do_POST = do_PATCH = do_OPTIONS = do_DELETE = do_PUT = do_GET  # noqa: N815 - the server's names

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _send(self, status: int, said: Any) -> None:
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _key(method: str, address: str) -> tuple[str, str, str]:
    asked = urlsplit(address)
    query = sorted((name.lower(), value) for name, value in parse_qsl(asked.query) if name != "api-version")
    path = re.sub(r"/repositories/[^/]+", "/repositories/*", unquote(asked.path).lower())  # by id or by name
    return method, path, json.dumps([one for one in query if one[0] not in IGNORED])


IGNORED = {"querymembership", "$top", "$skip", "peeltags", "statusfilter"}
"""Asked for by us and not by who recorded, or the other way round."""


@contextmanager
def playing(name: str, folder: Path) -> Iterator[tuple[Client, list[str]]]:
    """A client of an organisation that answers as in a recording."""
    tape: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for one in cassette(name):
        tape.setdefault(_key(one["request"]["method"], one["request"]["uri"]), []).append(one)
    asked: list[str] = []
    handler = type("Tape", (Playback,), {"tape": tape, "asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}{ACCOUNT}"
        yield Client(url, PersonalToken("pat"), People("bot@acme.example"), folder), asked
        server.shutdown()


def test_a_recorded_change_is_read_through_the_sdk(tmp_path: Path) -> None:
    name = "test_pull_request_createUpdateVoteListAbandonReactivateCompleteReviewers"
    if not cassette(name):
        return
    with playing(name, tmp_path) as (client, asked):
        place = Place(client, Repository("PullRequestLiveTest", "XVFjTPTE"))
        wanted = place.model("GitPullRequest", title="Fixing a bug in cli engine")
        made = place.git("create_pull_request", git_pull_request_to_create=wanted)
        assert (made.pull_request_id, changes.state(made), str(made.merge_status)) == (57, "open", "queued")
        assert made.created_by.unique_name == "v-sbestala@microsoft.com"
        edit = place.model("GitPullRequest", description="This should be the pr description")
        edited = place.git("update_pull_request", git_pull_request_to_update=edit, pull_request_id=57)
        assert edited.last_merge_commit.comment == "Merge pull request 57 from testbranch into main"
        abandoned = place.git("update_pull_request", git_pull_request_to_update=edit, pull_request_id=57)
        assert changes.state(abandoned) == "closed"
    assert asked[-1] == f"PATCH {ACCOUNT}/PullRequestLiveTest/_apis/git/repositories/XVFjTPTE/pullRequests/57"


def test_recorded_refs_are_read_and_moved_through_the_sdk(tmp_path: Path) -> None:
    if not cassette("test_ref_createDeleteFlow"):
        return
    with playing("test_ref_createDeleteFlow", tmp_path) as (client, _):
        place = Place(client, Repository("refsTests000001", "refsTests000002"))
        assert place.head("branchnametocreate") == "e0d501db4f5a08fe212e8ed7a8e8035fbef62416"
        update = place.model("GitRefUpdate", name="refs/heads/branchnametocreate")
        (moved,) = place.git("update_refs", ref_updates=[update])
        assert (moved.success, str(moved.update_status)) == (True, "succeeded")


def test_a_recorded_identity_is_found_by_its_account_alone(tmp_path: Path) -> None:
    if not cassette("test_devops_security_permission_tests"):
        return
    with playing("test_devops_security_permission_tests", tmp_path) as (client, _):
        found = accounts.find(client, "New_User_Test@outlook.com".lower())
        assert found is not None
        assert accounts.unique_name(found) == "new_user_test@outlook.com"
        with pytest.raises(Refusal, match="not recorded") as refused:
            accounts.find(client, "somebody@else.example")
        assert refused.value.key == "NotRecorded"


def test_recorded_runs_are_read_through_the_sdk(tmp_path: Path) -> None:
    if not cassette("test_build_listQueueShow"):
        return
    with playing("test_build_listQueueShow", tmp_path) as (client, _):
        wanted = client.model("build", "Build", source_branch="refs/heads/main")
        queued = client.build.queue_build(build=wanted, project="buildtests")
        assert (queued.id, str(queued.status), queued.source_branch) == (638, "notStarted", "refs/heads/main")
        assert queued.repository.type == "TfsGit"
