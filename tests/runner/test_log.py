"""Masking in any pieces; the cap."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.forges.local.runner.log import Log, Mask

Masker = Callable[[list[str], Iterable[bytes]], bytes]


def masked(secrets: list[str], pieces: Iterable[bytes]) -> bytes:
    mask = Mask(secrets)
    return b"".join([*(mask.feed(piece) for piece in pieces), mask.finish()])


def check_pieces(masker: Masker) -> None:
    """The property itself.

    However the output is cut, the result is that of the whole, and no secret is in it.
    """

    @settings(max_examples=300, deadline=None, database=None)
    @example(["aba"], [b"ab", b"aba"])
    @given(
        st.lists(st.text(alphabet="abé", min_size=1, max_size=4), max_size=3),
        st.lists(st.text(alphabet="abcé\n", max_size=6).map(str.encode), max_size=8),
    )
    def holds(secrets: list[str], pieces: list[bytes]) -> None:
        shown = masker(secrets, pieces)
        assert shown == masked(secrets, [b"".join(pieces)])
        assert not any(secret.encode() in shown.split(b"[MASKED]") for secret in secrets)

    holds()


def test_secrets_are_masked_however_the_output_is_cut() -> None:
    check_pieces(masked)


def test_the_property_finds_a_mask_that_looks_at_each_piece_alone() -> None:
    with pytest.raises(AssertionError):
        check_pieces(lambda secrets, pieces: b"".join(masked(secrets, [piece]) for piece in pieces))


def test_the_longer_of_two_secrets_disappears_whole() -> None:
    assert masked(["token", "token-42"], [b"a token-42 and a token"]) == b"a [MASKED] and a [MASKED]"


def test_the_log_is_capped_with_a_last_line(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", [], 10)
    for _ in range(5):
        log.write(b"12345678")
    log.close()
    assert (tmp_path / "log").read_bytes() == b"1234567812\n[the log ends here: it is longer than 10 bytes]\n"


def test_a_log_of_just_the_limit_is_whole(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", [], 8)
    log.write(b"12345678")
    log.close()
    assert (tmp_path / "log").read_bytes() == b"12345678"


def test_a_full_disk_is_told_and_not_raised() -> None:
    log = Log(Path("/dev/full"), [], 100)
    log.write(b"one")
    log.write(b"two")
    log.close()
    assert log.broken == "the log could not be written: No space left on device"
