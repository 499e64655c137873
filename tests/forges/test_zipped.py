"""An archive that somebody else packed: no name, size or kind in it is believed."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Permanent, Retryable
from bot.forges import zipped
from bot.forges.port import REPORT_CAP


def packed(*files: tuple[str | zipfile.ZipInfo, bytes]) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    made.seek(0)
    return made


def read(archive: io.BytesIO, without: str = "") -> dict[str, bytes | None]:
    return {one.path: one.content for one in zipped.files(archive, without=without)}


names = st.from_regex(r"[a-z0-9_-]{1,8}(/[a-z0-9_-]{1,8}){0,2}", fullmatch=True)


@given(st.dictionaries(names, st.binary(max_size=200), max_size=5))
def test_what_was_packed_is_read(files: dict[str, bytes]) -> None:
    assert read(packed(*files.items())) == files


def test_the_folder_that_all_are_in_is_left_out_where_it_is_one() -> None:
    made = packed(("unit/", b""), ("unit/junit.xml", b"1"), ("unity/junit.xml", b"2"))
    assert read(made, "unit") == {"junit.xml": b"1", "unity/junit.xml": b"2"}


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/../b", "a//b", "a\\b", "./x", "a\nb", "a\x1b[2Jb"]
)
def test_a_name_that_leads_elsewhere_is_told_without_content(name: str) -> None:
    assert read(packed((name, b"x"), ("good", b"y"))) == {name: None, "good": b"y"}


def test_a_link_is_no_file() -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert read(packed((link, b"/etc/passwd"))) == {"link": None}


def test_what_is_encrypted_is_told_without_content() -> None:
    made = bytearray(packed(("secret.xml", b"x")).getvalue())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = made.index(mark) + offset
        made[at : at + 2] = struct.pack("<H", 1)
    assert read(io.BytesIO(bytes(made))) == {"secret.xml": None}


def test_a_bomb_is_unpacked_as_far_as_a_report_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipped, "REPORT_CAP", 1000)
    assert read(packed(("bomb", b"0" * 100_000), ("fits", b"1" * 1000))) == {
        "bomb": None,
        "fits": b"1" * 1000,
    }


def test_a_size_that_lies_is_found_out() -> None:
    """The archive says ten bytes; there are more, and their checksum is right."""
    content = b"0" * (REPORT_CAP + 1)
    made = bytearray(packed(("small", content)).getvalue())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = made.index(mark) + offset
        made[at : at + 4] = struct.pack("<I", 10)
        checksum = at - 8
        made[checksum : checksum + 4] = struct.pack("<I", zlib.crc32(content[:10]))
    (content_,) = read(io.BytesIO(bytes(made))).values()
    assert content_ == content[:10], "no more than it says is unpacked"


def test_many_files_together_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipped, "MOST_BYTES", 25)
    files = [(str(number), b"x" * 10) for number in range(4)]
    assert read(packed(*files)) == {"0": b"x" * 10, "1": b"x" * 10, "2": None, "3": None}


def test_very_many_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipped, "MOST_FILES", 1)
    with pytest.raises(Permanent, match=r"^an artefact has 2 files; 1 are read at most$") as error:
        read(packed(("a", b""), ("b", b"")))
    assert error.value.reason_code == "ArchiveTooLarge"


@pytest.mark.parametrize("part", [0, 1, 20, -1])
def test_half_an_archive_is_asked_for_again(part: int) -> None:
    with pytest.raises(Retryable, match=r"^an artefact came cut, or is no zip archive$"):
        read(io.BytesIO(packed(("junit.xml", b"x" * 100)).getvalue()[:part]))


def test_a_file_that_does_not_fit_its_checksum_is_asked_for_again() -> None:
    made = bytearray(packed(("junit.xml", b"x")).getvalue())
    for mark, offset in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        at = made.index(mark) + offset
        made[at] ^= 0xFF
    with pytest.raises(Retryable):
        read(io.BytesIO(bytes(made)))
