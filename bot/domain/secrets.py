"""Secrets in text that is about to be committed: what kind and where, never the secret itself.

Built on the detectors of detect-secrets, used on lines in memory: its network verification is never
reached. Only detectors that know a secret by its form are on. Those that guess (high entropy, words like
`password`) would refuse ordinary code, tests and the hashes in lock files. A line may say `pragma:
allowlist secret` in a comment, or the line before it `pragma: allowlist nextline secret`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

DETECTORS = {
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "basic_auth": "BasicAuthDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "jwt": "JwtTokenDetector",
    "mailchimp": "MailchimpDetector",
    "npm": "NpmDetector",
    "openai": "OpenAIDetector",
    "private_key": "PrivateKeyDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}
# Forms that are younger than the library.
MORE: dict[str, re.Pattern[str]] = {
    # https://github.blog/changelog/2022-10-18-introducing-fine-grained-personal-access-tokens/
    "GitHub Token": re.compile(r"github_pat_[A-Za-z0-9_]{40,}"),
    # https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/
    "NPM tokens": re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
    # https://docs.slack.dev/authentication/tokens/ (app-level tokens)
    "Slack Token": re.compile(r"\bxapp-\d-[A-Z0-9]+-\d+-[a-z0-9]{32,}"),
    # https://cloud.google.com/docs/authentication/api-keys
    "Google API Key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b"),
    # https://www.rfc-editor.org/rfc/rfc7468#section-11
    "Private Key": re.compile(r"BEGIN ENCRYPTED PRIVATE KEY"),
}
# Every form contains one of these, so most lines are passed over at once.
HINT = re.compile(
    r"AKIA|ASIA|ABIA|ACCA|A3T|[Aa][Ww][Ss]|AccountKey=|://|[MNO][\w-]{23,25}\.|gh[pousr]_|github_pat_|gl\w{1,7}-"
    r"|GR1348941|eyJ|-us\d|npm_|_authToken|T3BlbkFJ|PRIVATE KEY|PuTTY-User|pypi-|SG\.|xox|xapp-|sq0csp|_live_"
    r"|\d{8}:|AC[a-z0-9]{32}|SK[a-z0-9]{32}|AIza"
)
# Detectors without a right end: a longer hash or identifier is not one of their tokens.
BOUNDED = frozenset({"Twilio API Key", "Telegram Bot Token", "Discord Bot Token", "Mailchimp Access Key"})
PLACEHOLDER = re.compile(
    r"(?i)(.)\1{5,}|example|changeme|change[-_]me|placeholder|redacted|dummy|your[-_]|not[-_]?a?[-_]?real|\*{3}|\.{3}"
)
WORDS = frozenset(
    ["admin", "app", "guest", "pass", "passwd", "password", "postgres", "pw", "pwd", "root", "secret"]
)
WORDS |= {"test", "token", "user", "username"}
NOWHERE = re.compile(
    r"@(localhost|127\.0\.0\.1|\[::1\]|([\w.-]+\.)?(example(\.\w+)?|test|invalid|localhost))(?![\w.-])"
)
WORD_END, WORD_START = re.compile(r"[\w-]$"), re.compile(r"[\w-]")
KEY_BODY = re.compile(r"[A-Za-z0-9+/=]{40}")
WINDOW, OVERLAP = 4096, 512
"""Detectors see long lines in pieces: some of their patterns take quadratic time."""


class Finding(NamedTuple):
    """A secret of `kind` in line `line` (from 1)."""

    kind: str
    line: int


def scan(path: str, text: str) -> list[Finding]:
    """What looks like a secret in a file, in the order of its lines."""
    lines = text.split("\n")
    found = (
        Finding(kind, number) for number, line in enumerate(lines, 1) for kind in _kinds(line, lines, number)
    )
    return [finding for finding in dict.fromkeys(found) if not _allowed(path, lines, finding.line)]


def _kinds(line: str, lines: list[str], number: int) -> Iterator[str]:
    if not HINT.search(line):
        return
    for piece in _pieces(line):
        for kind, match in _detect(piece):
            if kind != "Private Key" or _has_body(match, lines[number : number + 4]):
                yield kind


def _pieces(line: str) -> Iterator[str]:
    for start in range(0, max(len(line) - OVERLAP, 1), WINDOW - OVERLAP):
        yield line[start : start + WINDOW]


def _detect(line: str) -> Iterator[tuple[str, re.Match[str]]]:
    for kind, patterns, is_valid in _detectors():
        for pattern in patterns:
            yield from (
                (kind, match)
                for match in pattern.finditer(line)
                if is_valid(match[0]) and _is_real(kind, match)
            )


@cache
def _detectors() -> tuple[tuple[str, tuple[re.Pattern[str], ...], Callable[[str], bool]], ...]:
    """Imported when first used: the library brings an HTTP client along that nothing here ever calls."""
    from importlib import import_module

    plugins = [getattr(import_module(f"detect_secrets.plugins.{m}"), name) for m, name in DETECTORS.items()]
    theirs = ((p.secret_type, tuple(p.denylist), getattr(p, "is_formally_valid", bool)) for p in plugins)
    return (*theirs, *((kind, (pattern,), bool) for kind, pattern in MORE.items()))


def _is_real(kind: str, match: re.Match[str]) -> bool:
    """Not a placeholder, and not a part of something longer."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    if kind == "Basic Auth Credentials":
        return _is_real_password(match[1], after)
    if kind in BOUNDED and (WORD_END.search(before) or WORD_START.match(after)):
        return False
    return not PLACEHOLDER.search(match[0])


def _is_real_password(value: str, host: str) -> bool:
    made_up = (
        value.lower() in WORDS or PLACEHOLDER.search(value) or value[0] in "$%*<{" or NOWHERE.match(host)
    )
    return not made_up


def _has_body(match: re.Match[str], following: list[str]) -> bool:
    """Whether a key follows its first line: in the next lines, or in the same one in source code."""
    return bool(KEY_BODY.search("\n".join([match.string[match.end() :], *following])))


def _allowed(path: str, lines: list[str], number: int) -> bool:
    from detect_secrets.filters.allowlist import is_line_allowlisted
    from detect_secrets.util.code_snippet import get_code_snippet

    near = [line.rstrip() for line in lines[max(number - 2, 0) : number]]
    return bool(is_line_allowlisted(path, near[-1], get_code_snippet(near, len(near))))
