"""The grammar of comment commands: which lines count, what is in them, what is refused and in which words."""

import pytest

from bot.domain.command import Invocation, Signature, bind, parse, suggest
from bot.domain.errors import Refused

OURS = [
    "approve-release",
    "reject-release",
    "override-freeze",
    "request-rollback",
    "retry",
    "explain",
    "status",
    "help",
]


def lines(body: str) -> list[str]:
    return [invocation.line for invocation in parse(body)]


def test_a_command_is_a_line_of_the_comment() -> None:
    body = "Looks good to me.\n/approve-release production all green\nThanks!\n\n/explain\n"
    assert parse(body) == [
        Invocation(
            "approve-release", ("production", "all", "green"), {}, "/approve-release production all green"
        ),
        Invocation("explain", (), {}, "/explain"),
    ]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("/status", ["/status"]),
        ("/STATUS", ["/STATUS"]),
        ("/status   ", ["/status"]),
        ("/status\t", ["/status"]),
        ("/status\r\n/help\r\n", ["/status", "/help"]),
        ("/status\r/help", ["/status", "/help"]),
        ("/status\n---\n", ["/status"]),  # a heading, to Markdown; a line and a rule, to its author
        ("text\n\n/status\n\ntext", ["/status"]),
        (
            "a\n/status  \n/help\\\n/explain",
            ["/status", "/help\\", "/explain"],
        ),  # Markdown's hard line breaks
        (
            "*note*\n/reject-release staging it *really* `breaks`",
            ["/reject-release staging it *really* `breaks`"],
        ),
        ("", []),
        ("status", []),
        ("please /status", []),
        (" /status", []),
        ("//status", []),
        ("/status/now", []),
        ("/usr/bin/env python", []),
        ("/-x", []),
        ("`/status`", []),
        ("`x\n/status\ny`", []),
        ("```\n/status\n```", []),
        ("~~~sh\n/status\n~~~", []),
        ("```\n/status", []),
        ("    /status", []),
        ("text\n\n    /status", []),
        ("> /status", []),
        ("> quoted\n/status", []),  # lazy continuation: forges show this inside the quote
        ("> quoted\n\n/status", ["/status"]),
        ("- /status", []),
        ("- item\n/status", []),
        ("- item\n\n  /status", []),
        ("# /status", []),
        ("<div>\n/status\n</div>", []),
        ("<!--\n/status\n-->", []),
        ("text <!--\n/status\n--> text", []),
        ("<!-- never closed\n\n/status", []),
        ("<details>\n\n/status\n\n</details>\n\n/help", ["/help"]),
        ("<details><summary>log</summary>\n\n<table>\n\n/status\n\n</details>\n\n/help", ["/help"]),
        ("<blockquote>\n\n/status", []),
        ("<p>\n\n/status", ["/status"]),
        ("| a |\n|---|\n/status", []),
        ("[link]: \n/status", []),
        ("[text\n/status](https://example.org)", []),
        ("![alt\n/status\n](https://example.org)", []),
        ("**bold\n/status\nbold**", []),
        ("\ue000\ue001/status", ["/status"]),
        ("\ue0000\ue001/status", []),
        ("text \ue0000\ue001", []),
    ],
)
def test_which_lines_count(body: str, found: list[str]) -> None:
    assert lines(body) == found


@pytest.mark.parametrize(
    ("line", "arguments", "options"),
    [
        ("/x a b", ("a", "b"), {}),
        ("/x  a \t b ", ("a", "b"), {}),
        ("/x \"a b\" 'c d'", ("a b", "c d"), {}),
        ("/x “a b” ‘c d’", ("a b", "c d"), {}),
        ("/x it's Bob's idea", ("it's", "Bob's", "idea"), {}),
        ("/x it’s late", ("it's", "late"), {}),
        (r"/x a\ b", ("a b",), {}),
        ("/x a\\", ("a",), {}),
        ('/x ""', ("",), {}),
        ("/x --at 18:00 b", ("b",), {"at": "18:00"}),
        ("/x --at=18:00 b", ("b",), {"at": "18:00"}),
        ("/x at=18:00 b", ("b",), {"at": "18:00"}),
        ('/x at="18:00 today"', (), {"at": "18:00 today"}),
        ("/x --At= b", ("b",), {"at": ""}),
        ("/x --dry --at 3", (), {"dry": "true", "at": "3"}),
        ("/x --dry", (), {"dry": "true"}),
        ("/x -- --at 3", ("--at", "3"), {}),
        ("/x a=1 a=2", (), {"a": "2"}),
        ("/x - # c", ("-", "#", "c"), {}),
        ("/x $(rm) ; `id` | *", ("$(rm)", ";", "`id`", "|", "*"), {}),
        ("/x 1=2 =3", ("1=2", "=3"), {}),
    ],
)
def test_words_of_a_line(line: str, arguments: tuple[str, ...], options: dict[str, str]) -> None:
    (invocation,) = parse(line)
    assert (invocation.arguments, invocation.options, invocation.error) == (arguments, options, "")


@pytest.mark.parametrize("line", ['/x "a', "/x 'a b", "/x “a", "/x rock 'n roll"])
def test_a_missing_quotation_mark(line: str) -> None:
    (invocation,) = parse(line)
    assert (invocation.name, invocation.arguments, invocation.line) == ("x", (), line)
    assert invocation.error == "a quotation mark is opened and never closed"
    with pytest.raises(Refused) as refused:
        bind(Signature.parse("/x [reason...]"), invocation)
    assert refused.value.reason_code == "InvalidArguments"
    assert (
        refused.value.message
        == f"In `{line}` a quotation mark is opened and never closed. Usage: `/x [reason...]`"
    )


@pytest.mark.parametrize(
    ("declaration", "line", "given"),
    [
        ("/help", "/help", {}),
        ("/a <environment>", "/a staging", {"environment": "staging"}),
        ("/a <environment>", "/A environment=staging", {"environment": "staging"}),
        ("/a <environment>", "/a --environment staging", {"environment": "staging"}),
        ("/a [environment]", "/a", {}),
        ("/a [environment]", '/a ""', {}),
        ("/a <environment> [reason...]", "/a staging", {"environment": "staging"}),
        (
            "/a <environment> [reason...]",
            "/a staging it is ok",
            {"environment": "staging", "reason": "it is ok"},
        ),
        (
            "/a <environment> [reason...]",
            '/a staging "it  is" ok',
            {"environment": "staging", "reason": "it  is ok"},
        ),
        (
            "/a <environment> [reason...]",
            "/a staging CVE=2 is low",
            {"environment": "staging", "reason": "CVE=2 is low"},
        ),
        (
            "/a <environment> [reason...]",
            "/a staging reason=it is ok",
            {"environment": "staging", "reason": "it is ok"},
        ),
        (
            "/a <environment> [reason...]",
            "/a ok environment=staging",
            {"environment": "staging", "reason": "ok"},
        ),
        (
            "/a <environment> [reason...]",
            "/a staging -- --no-verify",
            {"environment": "staging", "reason": "--no-verify"},
        ),
        ("/a <mode:on|off>", "/a ON", {"mode": "ON"}),
        ("/a [mode:on|off]", "/a", {}),
        (
            "/a <environment> [to <version>] <reason...>",
            "/a staging to 1.2 broken",
            {"environment": "staging", "version": "1.2", "reason": "broken"},
        ),
        (
            "/a <environment> [to <version>] <reason...>",
            "/a staging broken",
            {"environment": "staging", "reason": "broken"},
        ),
        (
            "/a <environment> [to <version>] <reason...>",
            "/a staging to",
            {"environment": "staging", "reason": "to"},
        ),
        ("/a [task] [in <delay>]", "/a in 5m", {"delay": "5m"}),
        ("/a [task] [in <delay>]", "/a build IN 5m", {"task": "build", "delay": "5m"}),
        ("/a [task] [in <delay>]", "/a in", {"task": "in"}),
        ("/a [environment] [at=<moment>]", "/a at=18:00 staging", {"environment": "staging", "at": "18:00"}),
        ("/a [environment] [at=<moment>]", "/a --at 18:00", {"at": "18:00"}),
    ],
)
def test_what_a_command_was_given(declaration: str, line: str, given: dict[str, str]) -> None:
    (invocation,) = parse(line)
    assert bind(Signature.parse(declaration), invocation) == given


@pytest.mark.parametrize(
    ("declaration", "line", "sentence"),
    [
        ("/a <environment>", "/a", "The environment is missing. Usage: `/a <environment>`"),
        (
            "/a <environment> <reason...>",
            "/a staging",
            "The reason is missing. Usage: `/a <environment> <reason...>`",
        ),
        ("/a <environment>", '/a ""', "The environment is missing. Usage: `/a <environment>`"),
        ("/a", "/a now", "`now` is more than this command takes. Usage: `/a`"),
        ("/a <x>", "/a 1 b=2 3", "`b=2 3` is more than this command takes. Usage: `/a <x>`"),
        (
            "/a <environment>",
            "/a --enviroment staging",
            "`enviroment` is not an option (did you mean `environment`?). Usage: `/a <environment>`",
        ),
        ("/a [reason...]", "/a --force", "`force` is not an option. Usage: `/a [reason...]`"),
        ("/a <mode:on|off>", "/a maybe", "The mode is `on` or `off`, not `maybe`. Usage: `/a <mode:on|off>`"),
        ("/a", "/a `@everyone`", "`'@everyone'` is more than this command takes. Usage: `/a`"),
    ],
)
def test_what_is_refused(declaration: str, line: str, sentence: str) -> None:
    (invocation,) = parse(line)
    with pytest.raises(Refused) as refused:
        bind(Signature.parse(declaration), invocation)
    assert (refused.value.reason_code, refused.value.message) == ("InvalidArguments", sentence)


def test_a_command_that_was_not_written_as_a_line() -> None:
    signature = Signature.parse("/approve-release <environment> [reason...]")
    by_api = Invocation("approve-release", ("all", "green"), {"environment": "staging"})
    assert bind(signature, by_api) == {"environment": "staging", "reason": "all green"}
    odd = Invocation("approve-release", ("staging", "--force", "it's"))
    assert bind(signature, odd) == {"environment": "staging", "reason": "--force it's"}


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ("approve", "'approve' does not declare a command such as `/name <required> [optional]`"),
        ("/Approve", "'/Approve' does not declare a command"),
        ("/a <b", "'/a <b': '<b' is not a parameter"),
        ("/a <b><c>", "'/a <b><c>': '<c>' is not a parameter"),
        ("/a b", "'/a b': 'b' is not a parameter"),
        (
            "/a <b...> <c>",
            "'/a <b...> <c>': only the last parameter takes the rest, and each has its own name",
        ),
        ("/a <b> [b]", "'/a <b> [b]': only the last parameter takes the rest, and each has its own name"),
    ],
)
def test_what_is_no_declaration(declaration: str, message: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message follows
        Signature.parse(declaration)
    assert str(raised.value).startswith(message)


def test_usage_and_name() -> None:
    signature = Signature.parse("/approve-release <environment> [reason...]")
    assert (signature.name, signature.usage) == (
        "approve-release",
        "/approve-release <environment> [reason...]",
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("aprove-release", "approve-release"),
        ("approverelease", "approve-release"),
        ("approve_release", "approve-release"),
        ("overide-freeze", "override-freeze"),
        ("expalin", "explain"),
        ("stats", "status"),
        ("approve-release", None),
        ("approve", None),
        ("merge", None),
        ("milestone", None),
        ("promote", None),
        ("close", None),
        ("reopen", None),
        ("lgtm", None),
        ("etc", None),
        ("deploy-everything", None),
    ],
)
def test_did_you_mean(name: str, meant: str | None) -> None:
    assert suggest(name, OURS) == meant
