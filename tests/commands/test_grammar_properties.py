"""Whatever a comment holds, it is read without error, and only plain text of its author is a command."""

import shlex

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.command import Signature, bind, parse
from bot.domain.errors import Refused

markdown = st.lists(
    st.sampled_from(
        [
            "/status",
            "/retry it",
            "> ",
            ">",
            "- ",
            "1. ",
            "    ",
            "\t",
            "```",
            "~~~",
            "`",
            "``",
            "<details>",
            "</details>",
            "<!--",
            "-->",
            "<div>",
            "</div>",
            "<pre>",
            "[a]:",
            "[",
            "](x)",
            "!",
            "*",
            "**",
            "_",
            "\\",
            "\n",
            "\n",
            "\n\n",
            "\r\n",
            "|",
            "---",
            "# ",
            "&amp;",
            "text",
            "\ue000",
            "\ue0001\ue001",
            "\ue002",
            "\x00",
            "é",
            "“",
        ]
    )
    | st.text(max_size=5),
    max_size=30,
).map("".join)


@given(markdown)
def test_any_comment_can_be_read(body: str) -> None:
    source = (
        body.replace("\ue000", "").replace("\ue001", "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    )
    for invocation in parse(body):
        assert invocation.line in [line.strip() for line in source]
        assert invocation.line.lower().startswith(f"/{invocation.name}")


@given(markdown)
def test_what_is_quoted_or_shown_as_code_never_runs(body: str) -> None:
    flat = body.replace("\r\n", "\n").replace("\r", "\n")
    quoted = "\n".join(f"> {line}" for line in flat.split("\n"))
    indented = "\n".join(f"    {line}" for line in flat.split("\n"))
    assert parse(quoted) == parse(indented) == []


words = st.lists(
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=8), max_size=6
)


@given(words)
def test_quoted_words_come_back_as_they_were(given_: list[str]) -> None:
    line = "/retry -- " + " ".join(shlex.quote(word) for word in given_)
    if line.rstrip().endswith("\\"):
        return  # a Markdown line break
    found = parse(line.rstrip())
    assert found
    assert list(found[0].arguments) == given_


@given(st.text(max_size=40).filter(lambda text: not set(text) & set("\n\r")))
def test_any_line_is_bound_or_refused(text: str) -> None:
    signature = Signature.parse("/x <environment> [mode:on|off] [to <version>] [at=<moment>] [reason...]")
    for invocation in parse(f"/x {text}"):
        try:
            given_ = bind(signature, invocation)
        except Refused as refused:
            assert refused.reason_code == "InvalidArguments"  # noqa: PT017 - both outcomes are right
            assert refused.message.endswith(f"Usage: `{signature.usage}`")  # noqa: PT017 - as above
        else:
            assert given_["environment"]
            assert set(given_) <= {"environment", "mode", "version", "at", "reason"}
