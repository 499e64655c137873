"""Secrets are found by their form; ordinary code is left alone. None of the samples is whole in this file."""

import random
import socket
import string
import time

import pytest

from bot.domain.secrets import Finding, scan

ALNUM = string.ascii_letters + string.digits


def made_up(length: int, letters: str = ALNUM) -> str:
    """The same letters in every run, of no account anywhere."""
    chance = random.Random(length)
    return "".join(chance.choice(letters) for _ in range(length))


PEM = "-----BEGIN {} PRIVATE " + "KEY-----"
JWT = "ey" + "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + made_up(43)

SECRETS = {
    "AWS access key": ("key_id = 'AK" + "IA" + made_up(16, string.ascii_uppercase) + "'", "AWS Access Key"),
    "AWS secret key": ("aws_secret_key = '" + made_up(40) + "'", "AWS Access Key"),
    "GitHub classic token": ("TOKEN=gh" + "p_" + made_up(36), "GitHub Token"),
    "GitHub app token": ("x-access-token:gh" + "s_" + made_up(36), "GitHub Token"),
    "GitHub fine-grained token": ("token: github" + "_pat_" + made_up(82), "GitHub Token"),
    "GitLab token": ("PRIVATE-TOKEN: gl" + "pat-" + made_up(20), "GitLab Token"),
    "Slack token": ("slack = xo" + "xb-123456789012-123456789012-" + made_up(24), "Slack Token"),
    "Slack webhook": (
        "https://hooks.slack.com/services/T" + made_up(8) + "/B" + made_up(8) + "/" + made_up(24),
        "Slack Token",
    ),
    "JSON web token": (f"Authorization: Bearer {JWT}", "JSON Web Token"),
    "basic auth": ("url = 'https://deploy:hunter" + "2sX9@git.acme.io/x.git'", "Basic Auth Credentials"),
    "database URL": (
        "DATABASE_URL=postgresql://svc:Zk3pq" + "81x@db.acme.io/booking",
        "Basic Auth Credentials",
    ),
    "Stripe": ("stripe.api_key = 'sk" + "_live_" + made_up(24) + "'", "Stripe Access Key"),
    "Azure storage": (
        "AccountName=a;AccountKey" + "=" + made_up(86) + "==",
        "Azure Storage Account access key",
    ),
    "npm (.npmrc)": ("//registry.npmjs.org/:_auth" + "Token=npm" + "_" + made_up(36), "NPM tokens"),
    "npm (anywhere)": ("NPM_TOKEN: npm" + "_" + made_up(36), "NPM tokens"),
    "PyPI": ("password = pypi" + "-AgEIcHlwaS5vcmc" + made_up(80), "PyPI Token"),
    "SendGrid": ("SG" + "." + made_up(22) + "." + made_up(43), "SendGrid API Key"),
    "Google": ("key=AI" + "za" + made_up(35), "Google API Key"),
    "Twilio": ("sid = 'A" + "C" + made_up(32, "0123456789abcdef") + "'", "Twilio API Key"),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found_and_not_repeated(name: str) -> None:
    line, kind = SECRETS[name]
    found = scan("app/config.py", f"import os\n\n{line}\nprint()\n")
    assert found == [Finding(kind, 3)]
    assert not any(word in repr(found) for word in line.replace("'", " ").split() if len(word) > 12)


@pytest.mark.parametrize("kind", ["RSA", "EC", "OPENSSH", "ENCRYPTED", "DSA"])
def test_private_keys(kind: str) -> None:
    block = f"{PEM.format(kind)}\n{made_up(64)}\n{made_up(64)}\n"
    assert scan("id", f"x\n{block}") == [Finding("Private Key", 2)]
    in_source = block.replace("\n", "\\n")
    assert scan("id.py", f'KEY = "{in_source}"') == [Finding("Private Key", 1)]


CLEAN = [
    'if "BEGIN PRIVATE ' + 'KEY" in text: raise ValueError',
    PEM.format("RSA") + "\n...\n",
    "postgresql://postgres:postgres@localhost:5432/test",
    "postgresql://app:${DB_PASSWORD}@db.acme.io/booking",
    "amqp://guest:guest@rabbit:5672/",
    "https://user:password@example.com/path",
    "http://<username>:<password>@proxy:3128",
    "redis://:%s@cache.acme.io",
    "git clone https://github.com/acme/booking.git",
    "ssh://git@github.com:22/acme/booking.git",
    "key = 'AK" + "IAIOSFODNN7EXAMPLE'",
    "token = 'gh" + "p_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
    "password = os.environ['DB_PASSWORD']",
    'password = getpass("Password: ")',
    "secret: '@vault:booking-service/db-password'",
    '"integrity": "sha512-' + made_up(86) + '=="',
    "--hash=sha256:" + made_up(64, "0123456789abcdef"),
    'resolved "https://registry.yarnpkg.com/x/-/x-1.0.0.tgz#' + made_up(40, "0123456789abcdef") + '"',
    "uses: actions/checkout@" + made_up(40, "0123456789abcdef"),
    "image: acme/booking@sha256:" + made_up(64, "0123456789abcdef"),
    "assert digest == '" + made_up(64, "0123456789abcdef") + "'",
    "id = '3f2504e0-4f89-11d3-9a0c-0305e82c3301'",
    "data = 'data:image/png;base64," + made_up(120) + "'",
    "sk" + "_test_" + made_up(24),
    "1620000000:" + made_up(40, "0123456789abcdef"),
    "def eyJump(self): return self.eyJ.a.b",
    "AC" + made_up(64, "0123456789abcdef"),
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA" + made_up(44) + " me@laptop",
    "-----BEGIN CERTIFICATE-----\n" + made_up(64) + "\n",
    "-----BEGIN PUBLIC KEY-----\n" + made_up(64) + "\n",
]


@pytest.mark.parametrize("text", CLEAN)
def test_ordinary_lines_are_clean(text: str) -> None:
    assert scan("app/config.py", text) == []


def test_every_finding_in_the_order_of_lines() -> None:
    (aws, _), (slack, _) = SECRETS["AWS access key"], SECRETS["Slack token"]
    assert scan("a.py", f"{slack}\n\n{aws} {slack}\n") == [
        Finding("Slack Token", 1),
        Finding("AWS Access Key", 3),
        Finding("Slack Token", 3),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{}  # pragma: allowlist secret",
        "{} // pragma: allowlist secret",
        "{}  # pragma: allowlist secret\r",
        "# pragma: allowlist nextline secret\n{}",
        "x\n# pragma: allowlist nextline secret\n{}\n",
    ],
)
def test_a_line_can_be_allowed(text: str) -> None:
    assert scan("a.py", text.format(SECRETS["Stripe"][0])) == []


def test_allowing_one_line_allows_no_other() -> None:
    line = SECRETS["Stripe"][0]
    assert scan("a.py", f"{line}  # pragma: allowlist secret\n{line}\n") == [Finding("Stripe Access Key", 2)]


def test_a_secret_in_an_endless_line() -> None:
    for before in (100, 4000, 4090, 8000, 99_990):
        assert scan("min.js", "x" * before + " " + SECRETS["Stripe"][0] + " " + "y" * 5000) == [
            Finding("Stripe Access Key", 1)
        ]


@pytest.mark.parametrize(
    "piece",
    ["a://b:", "eyJ", "//x/:_authToken=", "aws key '", "https://hooks.slack.com/services/T", "1" * 9 + ":"],
)
def test_no_line_takes_for_ever(piece: str) -> None:
    started = time.process_time()
    scan("x", piece * (1_000_000 // len(piece)))
    assert time.process_time() - started < 20


def test_nothing_is_asked_over_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for line, _ in SECRETS.values():
        assert scan("a.py", line)
