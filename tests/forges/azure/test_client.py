"""Speaking to Azure DevOps: who the bot is, limits, errors in our words, and no secret in any of them."""

from __future__ import annotations

import json
import logging
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from bot.domain import effect as e
from bot.domain.errors import Permanent, Retryable
from bot.domain.performer import EffectContext
from bot.forges.azure import AzureForge, client
from bot.forges.azure.client import Client, number
from bot.forges.azure.credentials import PersonalToken, WorkloadIdentity
from bot.forges.azure.names import People, Repository
from bot.forges.port import Unusable
from bot.log import Store
from bot.settings import Settings
from tests.forges.azure.fake import policies, server
from tests.forges.azure.fake.locations import LOCATIONS
from tests.forges.azure.fake.state import Fault
from tests.forges.conformance.stages.azure import UNIQUE, AzureStage

CANARY = "pat-canary-7f3d"


def do(forge: AzureForge, effect: e.Effect) -> Any:
    effect = effect.model_copy(update={"repository": "demo/booking"})
    return forge.perform("trace-1.000001.0", effect, EffectContext("acme", "trace-1", lambda _: None))


GATHER = e.GatherFacts(correlation="c")


def forge(folder: Path, **more: Any) -> AzureForge | None:
    settings = Settings(home=folder / "home", **more)
    return AzureForge.configured(settings, Store(f"sqlite:///{folder}/none.db"))


def refused(made: AzureForge, effect: e.Effect = GATHER) -> Permanent:
    with pytest.raises(Permanent) as error:
        do(made, effect)
    return error.value


def test_without_settings_there_is_no_such_forge(tmp_path: Path) -> None:
    assert forge(tmp_path) is None
    assert forge(tmp_path, azure_url="https://dev.azure.com/acme") is None


def test_with_a_secret_alone_it_hears_and_can_do_nothing(tmp_path: Path) -> None:
    made = forge(tmp_path, azure_webhook_secret=SecretStr("s"))
    assert made is not None
    error = refused(made)
    assert error.reason_code == "NoAccount"
    assert error.message == (
        "the bot has no account on Azure DevOps: set POINTSMAN_AZURE_URL (https://dev.azure.com/ORGANISATION), "
        "POINTSMAN_AZURE_LOGIN (the bot's unique name) and POINTSMAN_AZURE_TOKEN, or a workload identity "
        "(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE)"
    )
    assert list(made.missed(datetime.now(UTC))) == []


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"azure_token": SecretStr("t")}, "POINTSMAN_AZURE_TOKEN is set and POINTSMAN_AZURE_URL is not: "),
        ({"azure_token": SecretStr("t"), "azure_url": "https://x/y"}, "POINTSMAN_AZURE_LOGIN is not set: "),
    ],
)
def test_settings_that_cannot_be_meant(tmp_path: Path, more: dict[str, Any], says: str) -> None:
    with pytest.raises(Unusable) as error:
        forge(tmp_path, **more)
    assert str(error.value).startswith(says)


def test_a_token_that_is_wrong_says_what_to_mend(stage: AzureStage) -> None:
    stage.account.token = "another"
    error = refused(stage.forge)
    assert error.reason_code == "NotAuthenticated"
    assert error.message == (
        "Azure DevOps does not know the bot: set POINTSMAN_AZURE_TOKEN to a token that is valid "
        "(or mend the workload identity)"
    )


@pytest.mark.parametrize("status", [203, 302, 401])
def test_the_sign_in_page_is_no_answer(stage: AzureStage, status: int) -> None:
    headers = {"Location": "https://spsprodeus.example/_signin"} if status == 302 else {}
    stage.org.faults = [Fault("GET", "/repositories", "status", status, headers)]
    assert refused(stage.forge).reason_code == "NotAuthenticated"


def test_what_the_bot_may_not_do_is_permanent_and_says_who_can_mend_it(stage: AzureStage) -> None:
    stage.org.faults = [Fault("GET", "/refs", "status", 403)]
    error = refused(stage.forge)
    assert error.reason_code == "AccessDenied"
    assert error.message == (
        "the bot may not do this in demo/booking: something went wrong on purpose "
        "(give its account the permission, and its token the scopes code, build, identity, hooks, "
        "work items, wiki, variable groups, environments)"
    )


def test_a_repository_that_is_not_there(stage: AzureStage) -> None:
    made = stage.forge
    with pytest.raises(Permanent) as error:
        made.perform(
            "1",
            GATHER.model_copy(update={"repository": "demo/nothing"}),
            EffectContext("a", "t", lambda _: None),
        )
    assert error.value.reason_code == "NotFound"
    assert error.value.message.startswith(
        "demo/nothing: TF401019: The Git repository with name or identifier nothing"
    )


@pytest.mark.parametrize("written", ["booking", "a/b/c", "/booking", "demo/", ""])
def test_what_cannot_be_a_repository(written: str) -> None:
    with pytest.raises(Permanent) as error:
        Repository.of(written)
    assert (error.value.reason_code, error.value.message) == (
        "NotFound",
        f"{written!r} is not project/repository",
    )


def test_a_pause_that_the_forge_asks_for_is_kept(stage: AzureStage) -> None:
    stage.org.faults = [Fault("GET", "/refs", "status", 429, {"Retry-After": "30"})]
    with pytest.raises(Retryable) as first:
        do(stage.forge, GATHER)
    asked = len(stage.org.asked)
    with pytest.raises(Retryable) as second:
        do(stage.forge, GATHER)
    assert (first.value.after, str(first.value)) == (30.0, "Azure DevOps asks for a pause (it answered 429)")
    assert second.value.after == pytest.approx(30.0, abs=5)
    assert len(stage.org.asked) == asked, "nothing is asked meanwhile"


def test_an_answer_that_was_slowed_down_asks_for_a_pause_as_well(stage: AzureStage) -> None:
    """Azure DevOps delays before it refuses, and says so on answers that are fine."""
    stage.org.extra_headers = {"Retry-After": "20", "X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "3"}
    assert do(stage.forge, GATHER)
    made = stage.forge._client
    assert made is not None
    assert (made.budget.limit, made.budget.remaining) == (200.0, 3.0)
    assert made.budget.pause() == pytest.approx(20, abs=5)
    with pytest.raises(Retryable, match=r"^Azure DevOps asked for a pause$"):
        do(stage.forge, GATHER)


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3.0), ("0.5", 0.5), ("", None), (None, None), ("soon", None)]
)
def test_numbers_in_headers(text: str | None, value: float | None) -> None:
    assert number(text) == value


def test_a_forge_that_is_not_there_is_asked_again(tmp_path: Path) -> None:
    made = forge(
        tmp_path, azure_url="http://127.0.0.1:9/acme", azure_login=UNIQUE, azure_token=SecretStr(CANARY)
    )
    assert made is not None
    with pytest.raises(Retryable) as error:
        do(made, GATHER)
    assert str(error.value) == "Azure DevOps could not be asked (ClientRequestError)"
    assert CANARY not in repr(error.value.__cause__) + repr(error.value.__context__)


@pytest.mark.usefixtures("ignorant")
def test_a_server_without_a_part_of_the_api(stage: AzureStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LOCATIONS", tuple(one for one in LOCATIONS if one.name != "refs"))
    error = refused(stage.forge)
    assert (error.reason_code, error.message) == (
        "NotSupported",
        "this Azure DevOps lacks a part of its API: it takes Azure DevOps Services, or Server 2022 or newer",
    )


def test_a_certificate_that_nobody_vouches_for_and_one_that_the_settings_do(tmp_path: Path) -> None:
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    _certificate(key, chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Signless) as door:
        door.socket = context.wrap_socket(door.socket, server_side=True)
        threading.Thread(target=door.serve_forever, daemon=True).start()
        about = {
            "azure_url": f"https://localhost:{door.server_address[1]}/acme",
            "azure_login": UNIQUE,
            "azure_token": SecretStr(CANARY),
        }
        strict, trusting = forge(tmp_path, **about), forge(tmp_path, **about, ca_bundle=chain)
        assert strict is not None
        assert trusting is not None
        error = refused(strict)
        assert (error.reason_code, error.message) == (
            "CertificateRejected",
            "the certificate of Azure DevOps is vouched for by nobody known: set POINTSMAN_CA_BUNDLE",
        )
        assert refused(trusting).reason_code == "NotAuthenticated", "it got as far as to be asked who it is"
        door.shutdown()


class Signless(BaseHTTPRequestHandler):
    """Knows nobody."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_OPTIONS = do_GET  # noqa: N815 - the server's names

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _certificate(key: Path, chain: Path) -> None:
    """Of localhost, by itself."""
    made, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    now = datetime.now(UTC)
    about = x509.CertificateBuilder(
        name, name, made.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1)
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key.write_bytes(made.private_bytes(*plain))
    signed = about.add_extension(names, critical=False).sign(made, hashes.SHA256())
    chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))


def test_pages_are_read_to_their_end(stage: AzureStage, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _gathered(stage)
    stage.org.page = 1
    monkeypatch.setattr(client, "PAGE", 1)
    assert _gathered(stage) == whole
    monkeypatch.setattr(client, "MOST_PAGES", 1)
    assert refused(stage.forge, e.GatherFacts(correlation="c", change=1)).message in {
        "Azure DevOps lists more than 1 pages",
        "Azure DevOps lists more than 1 of these",
    }


def _gathered(stage: AzureStage) -> Any:
    if not stage.repo.pulls:
        made = policies.policy(stage.repo, policies.STRATEGY, stage.org)
        made["settings"]["scope"] = [
            {"refName": "refs/heads/other", "matchKind": "Exact", "repositoryId": stage.repo.id}
        ]
        for login in ("jane", "kim"):
            stage.person(login, "write")
        first = "feat: a\n\nCo-authored-by: Old <old@elsewhere.org>"
        stage.push("kim", "feature/x", {"a.txt": "a\n"}, first)
        for number_ in range(3):
            stage.push("jane", "feature/x", {f"{number_}.txt": "x\n"}, "fix: hers")
        do(stage.forge, e.OpenChange(source="feature/x", target_branch="main", title="t", body=""))
    found = do(stage.forge, e.GatherFacts(correlation="c", change=1, branch="feature/x"))
    assert found.change["committers"] == ["jane", "kim", "old@elsewhere.org"]
    assert found.protected_branches == ("main", "other")
    return found


def test_no_secret_is_in_what_people_and_logs_see(
    stage: AzureStage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = stage.account.token
    said: list[str] = []
    for kind in ("reset", "status", "cut", "lost"):
        for method in ("GET", "POST"):
            stage.org.faults = [Fault(method, "/repositories", kind, 500)]
            try:
                do(
                    stage.forge,
                    e.CommitFiles(
                        branch=f"x/{kind}", base="main", files=(e.File(path="a", content="a"),), message="m"
                    ),
                )
            except (Retryable, Permanent) as error:
                said += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
    stage.account.token = "gone"
    said += [repr(refused(stage.forge)), repr(stage.forge._client), caplog.text, json.dumps(stage.org.asked)]
    text = "\n".join(said)
    assert said
    for hidden in (secret, PersonalToken(secret).header().removeprefix("Basic ")):
        assert hidden not in text
    assert all("@" not in path for _, path in stage.org.asked)


# Entra


class Entra(BaseHTTPRequestHandler):
    """Hands out tokens, or what it is told to."""

    protocol_version = "HTTP/1.1"
    answers: list[tuple[int, Any]]
    asked: list[tuple[str, dict[str, list[str]]]]

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append((self.path, parse_qs(form)))
        status, said = self.answers.pop(0)
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def entra(folder: Path, *answers: tuple[int, Any]) -> Iterator[tuple[WorkloadIdentity, Any]]:
    handler = type("Bound", (Entra,), {"answers": list(answers), "asked": []})
    file = folder / "federated"
    file.write_text("assertion-canary\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {
            "AZURE_TENANT_ID": "tenant-1",
            "AZURE_CLIENT_ID": "client-1",
            "AZURE_FEDERATED_TOKEN_FILE": str(file),
            "AZURE_AUTHORITY_HOST": f"http://127.0.0.1:{server.server_address[1]}/",
        }
        made = WorkloadIdentity.of(environment)
        assert made is not None
        yield made, handler
        server.shutdown()


def token(value: str, lives: int = 3600) -> tuple[int, Any]:
    return 200, {"access_token": value, "expires_in": lives, "token_type": "Bearer"}


def test_a_workload_identity_gets_a_token_and_renews_it_before_it_ends(tmp_path: Path) -> None:
    with entra(tmp_path, token("one"), token("two")) as (made, server):
        now = [0.0]
        made.clock = lambda: now[0]
        assert [made.header(), made.header()] == ["Bearer one", "Bearer one"]
        now[0] = 3600 - 301
        assert made.header() == "Bearer one"
        now[0] = 3600 - 299
        assert made.header() == "Bearer two"
        (path, form), _ = server.asked
        assert path == "/tenant-1/oauth2/v2.0/token"
        assert form == {
            "grant_type": ["client_credentials"],
            "client_id": ["client-1"],
            "client_assertion_type": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
            "client_assertion": ["assertion-canary"],
            "scope": ["499b84ac-1321-427f-aa17-267ca6975798/.default"],
        }
        assert "one" not in repr(made)
        assert "assertion-canary" not in repr(made)


def test_threads_share_one_token(tmp_path: Path) -> None:
    with entra(tmp_path, token("one")) as (made, server):
        threads = [threading.Thread(target=made.header) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (
            (400, {"error": "invalid_client", "error_description": "assertion-canary"}),
            Permanent,
            "Entra gives no token: invalid_client",
        ),
        ((200, {}), Permanent, "Entra gives no token: no reason given"),
        ((503, {}), Retryable, "Entra answered 503 to the request for a token"),
        ((429, {}), Retryable, "Entra answered 429 to the request for a token"),
    ],
)
def test_entra_that_gives_no_token(
    tmp_path: Path, answer: tuple[int, Any], kind: type[Exception], says: str
) -> None:
    with entra(tmp_path, answer) as (made, _), pytest.raises(kind) as error:
        made.header()
    assert str(error.value) == says


def test_entra_that_is_not_there_and_a_file_that_is_not(tmp_path: Path) -> None:
    lost = WorkloadIdentity("t", "c", tmp_path / "none", "http://127.0.0.1:9")
    with pytest.raises(Permanent) as gone:
        lost.header()
    assert str(gone.value) == "the file that AZURE_FEDERATED_TOKEN_FILE names cannot be read"
    (tmp_path / "none").write_text("assertion-canary")
    with pytest.raises(Retryable) as away:
        lost.header()
    assert str(away.value) == "Entra did not answer the request for a token"
    assert away.value.__suppress_context__


def test_half_of_the_variables_are_no_identity() -> None:
    assert WorkloadIdentity.of({"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c"}) is None


def test_the_whole_forge_works_with_a_workload_identity(stage: AzureStage, tmp_path: Path) -> None:
    stage.account.token = "entra-token"
    with entra(tmp_path, token("entra-token")) as (identity, _):
        made = Client(stage.org.url, identity, People(UNIQUE), tmp_path / "cache")
        working = AzureForge((b"s",), People(UNIQUE), made)
        assert do(working, GATHER).can_write is True


def test_importing_the_forge_imports_no_sdk() -> None:
    script = "import sys, bot.forges.azure; print([m for m in sys.modules if m.split('.')[0] in {'azure', 'msrest', 'requests'}])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    assert done.stdout.strip() == "[]"


def test_what_the_sdk_learns_is_kept_in_the_bots_house(stage: AzureStage) -> None:
    do(stage.forge, GATHER)
    kept = Path(os.environ["AZURE_DEVOPS_CACHE_DIR"])
    assert kept.name == "azure"
    assert kept.parent.name == "home"


def test_clocks_are_compared(stage: AzureStage) -> None:
    do(stage.forge, GATHER)
    made = stage.forge._client
    assert made is not None
    assert abs(made.budget.skew) < 30
