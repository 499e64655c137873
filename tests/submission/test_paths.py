"""What may be submitted: every refusal with its reason code, its sentence and the field it names."""

import base64
import stat
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.effect import File
from bot.domain.errors import Invalid
from bot.domain.submission import Limits, check, check_path, entry_kind, shown, text_of

SMALL = Limits(files=3, file_bytes=10, total_bytes=20, path_bytes=30, segment_bytes=12)


def refused(*files: File | str, path: str = "", limits: Limits | None = None) -> tuple[str, str, str]:
    given_ = [File(path=file, content="x") if isinstance(file, str) else file for file in files]
    with pytest.raises(Invalid) as raised:
        check(given_, path=path, limits=limits or Limits())
    return raised.value.reason_code, raised.value.message, raised.value.path


def test_an_ordinary_module_is_fine() -> None:
    names = [
        "README.md",
        "src/booking/__init__.py",
        ".gitignore",
        ".gitattributes",
        ".gitlab-ci.yml",
        ".github/workflows/ci.yml",
        "git/objects.py",
        "docs/aux-notes.md",
        "docs/console.md",
        "a b/c d.txt",
        "Straße/é.txt",
        "日本/語.py",
        "git~x",
        "com10.c",
        "-rf",
        "a'b",
        "v1.0.0/[id]/(group)/page.tsx",
        "@scope/x",
    ]
    check([File(path=name, content="x") for name in names], path="services/booking")
    check([])


def test_the_field_is_named() -> None:
    assert refused("a", "b", "c", "../d") == (
        "PathTraversal",
        "`../d` leads out of the module's folder",
        "files[3].path",
    )
    assert refused("a", path="../x") == ("PathTraversal", "`../x` leads out of the module's folder", "path")


@pytest.mark.parametrize(
    ("path", "reason_code", "sentence"),
    [
        ("/etc/passwd", "PathAbsolute", "is an absolute path; paths are relative to the module's folder"),
        ("C:/x", "PathAbsolute", "is an absolute path; paths are relative to the module's folder"),
        ("c:x", "PathAbsolute", "is an absolute path; paths are relative to the module's folder"),
        ("..", "PathTraversal", "leads out of the module's folder"),
        ("../x", "PathTraversal", "leads out of the module's folder"),
        ("a/../../x", "PathTraversal", "leads out of the module's folder"),
        ("a/..", "PathTraversal", "leads out of the module's folder"),
        ("..\\x", "PathTraversal", "leads out of the module's folder"),
        ("a\\..\\..\\x", "PathTraversal", "leads out of the module's folder"),
        (".git", "PathReserved", "is inside git's own folder, or would be on some disks"),
        (".git/config", "PathReserved", "is inside git's own folder, or would be on some disks"),
        (".GIT/config", "PathReserved", "is inside git's own folder, or would be on some disks"),
        ("a/.Git/hooks/pre-commit", "PathReserved", "is inside git's own folder, or would be on some disks"),
        ("a\\.git\\config", "PathReserved", "is inside git's own folder, or would be on some disks"),
        ("git~1", "PathReserved", "is inside git's own folder, or would be on some disks"),
        ("a/GIT~12/config", "PathReserved", "is inside git's own folder, or would be on some disks"),
        (".git./config", "PathReserved", "is inside git's own folder, or would be on some disks"),
        (".git . ./config", "PathReserved", "is inside git's own folder, or would be on some disks"),
        (
            ".git::$INDEX_ALLOCATION/config",
            "PathReserved",
            "is inside git's own folder, or would be on some disks",
        ),
        (
            ".\uff47\uff49\uff54/config",
            "PathReserved",
            "is inside git's own folder, or would be on some disks",
        ),
        ("con", "PathReserved", "has the segment `con`, which is a device on Windows"),
        ("a/NUL.txt", "PathReserved", "has the segment `NUL.txt`, which is a device on Windows"),
        ("com1.tar.gz", "PathReserved", "has the segment `com1.tar.gz`, which is a device on Windows"),
        ("lpt\u00b2", "PathReserved", "has the segment `lpt\u00b2`, which is a device on Windows"),
        ("aux /x", "PathReserved", "has the segment `aux `, which is a device on Windows"),
        ("", "PathInvalid", "has an empty segment: no double, leading or trailing slash, no single dot"),
        ("a//b", "PathInvalid", "has an empty segment: no double, leading or trailing slash, no single dot"),
        ("a/", "PathInvalid", "has an empty segment: no double, leading or trailing slash, no single dot"),
        ("./a", "PathInvalid", "has an empty segment: no double, leading or trailing slash, no single dot"),
        ("a\\b", "PathInvalid", "has a backslash; folders are separated by /"),
        ("cafe\u0301", "PathInvalid", "is not in Unicode normal form C"),
        ("a*b?", "PathInvalid", "has * ?, which Windows does not allow"),
        ("a/b:c", "PathInvalid", "has :, which Windows does not allow"),
        ("a./b", "PathInvalid", "has a segment that ends in a dot or a space, which Windows cuts off"),
        ("a ", "PathInvalid", "has a segment that ends in a dot or a space, which Windows cuts off"),
        ("...", "PathInvalid", "has a segment that ends in a dot or a space, which Windows cuts off"),
    ],
)
def test_paths(path: str, reason_code: str, sentence: str) -> None:
    assert refused(path) == (reason_code, f"`{path}` {sentence}", "files[0].path")


@pytest.mark.parametrize(
    ("path", "reason_code", "said"),
    [
        ("a\0b", "PathInvalid", "`a\\x00b` has a character that can not be seen"),
        ("a\nb", "PathInvalid", "`a\\nb` has a character that can not be seen"),
        ("a\x1b[31mb", "PathInvalid", "`a\\x1b[31mb` has a character that can not be seen"),
        ("a\x7f", "PathInvalid", "`a\\x7f` has a character that can not be seen"),
        ("a\u202eb", "PathInvalid", "`a\\u202eb` has a character that can not be seen"),
        ("a\u2028b", "PathInvalid", "`a\\u2028b` has a character that can not be seen"),
        ("a\ud800", "PathInvalid", "`a\\ud800` has a character that can not be seen"),
        ("\ufeffa", "PathInvalid", "`\\ufeffa` has a character that can not be seen"),
        (
            ".g\u200cit/x",
            "PathReserved",
            "`.g\\u200cit/x` is inside git's own folder, or would be on some disks",
        ),
        ("\u2066.git", "PathReserved", "`\\u2066.git` is inside git's own folder, or would be on some disks"),
        ("a`*", "PathInvalid", "`a'*` has *, which Windows does not allow"),
    ],
)
def test_paths_are_shown_so_that_nothing_in_them_acts(path: str, reason_code: str, said: str) -> None:
    assert refused(path)[:2] == (reason_code, said)


def test_a_path_is_not_endless() -> None:
    assert (
        refused("a" * 13, limits=SMALL)[1] == "`aaaaaaaaaaaaa` is longer than 30 bytes, or a segment than 12"
    )
    assert refused("a/" * 15 + "b", limits=SMALL)[0] == "PathInvalid"
    assert refused("é" * 7, limits=SMALL)[0] == "PathInvalid"
    check_path("a" * 12 + "/" + "b" * 12, limits=SMALL)
    assert shown("x" * 300) == f"`{'x' * 200}...`"


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (["a", "a"], "`a` is submitted twice"),
        (
            ["README.md", "readme.md"],
            "`readme.md` and `README.md` differ only in case: on many disks they are one",
        ),
        (["ß", "SS"], "`SS` and `ß` differ only in case: on many disks they are one"),
        (["Src/a", "src/b"], "`src` and `Src` differ only in case: on many disks they are one"),
        (["a", "a/b"], "`a/b` makes `a` both a file and a folder"),
        (["a/b", "a"], "`a` makes `a` both a file and a folder"),
        (["a/b/c", "A/B"], "`A/B` and `a/b` differ only in case: on many disks they are one"),
    ],
)
def test_names_that_meet_on_some_disks(files: list[str], sentence: str) -> None:
    assert refused(*files) == ("PathCollision", sentence, "files[1].path")


def test_renaming_to_another_case_is_no_collision() -> None:
    check([File(path="readme.md", delete=True), File(path="README.md", content="x")])
    assert refused(File(path="a", delete=True), "a")[:2] == ("PathCollision", "`a` is submitted twice")


def test_amounts() -> None:
    many = [f"f{n}" for n in range(4)]
    assert refused(*many, limits=SMALL) == (
        "TooManyFiles",
        "4 files are submitted; at most 3 may be",
        "files",
    )
    assert refused(*[f"f{n}" for n in range(10_000)]) == (
        "TooManyFiles",
        "10000 files are submitted; at most 2000 may be",
        "files",
    )
    big = File(path="big", content="x" * 11)
    assert refused("a", big, limits=SMALL) == (
        "FileTooLarge",
        "`big` is larger than 10 bytes",
        "files[1].content",
    )
    full = [File(path=f"f{n}", content="x" * 10) for n in range(3)]
    assert refused(*full, limits=SMALL) == (
        "TotalTooLarge",
        "The files have 30 bytes together; at most 20 may be submitted",
        "files",
    )
    check(full[:2], limits=SMALL)


def test_sizes_are_bytes_not_letters() -> None:
    assert refused(File(path="a", content="é" * 6), limits=SMALL)[0] == "FileTooLarge"
    check([File(path="a", content="é" * 5)], limits=SMALL)


def test_binary_files_come_as_base64() -> None:
    blob = File(path="logo.png", content=base64.b64encode(bytes(range(10))).decode(), encoding="base64")
    check([blob], limits=SMALL)
    check([blob.model_copy(update={"content": base64.encodebytes(bytes(1024 * 1024)).decode()})])
    assert (
        refused(blob.model_copy(update={"content": base64.b64encode(bytes(11)).decode()}), limits=SMALL)[0]
        == "FileTooLarge"
    )


@pytest.mark.parametrize("content", ["abc", "a===", "ab!=", "é", "YWJj=YWJj"])
def test_what_is_no_base64(content: str) -> None:
    broken = File(path="logo.png", content=content, encoding="base64")
    assert refused(broken) == ("InvalidEncoding", "`logo.png` is not valid base64", "files[0].content")


def test_what_is_no_text() -> None:
    assert refused(File(path="a", content="\ud800")) == (
        "InvalidEncoding",
        "`a` is not valid utf-8",
        "files[0].content",
    )
    assert refused(File(path="a", content="x\0y")) == (
        "InvalidEncoding",
        "`a` has NUL bytes: send it as base64",
        "files[0].content",
    )


def test_text_can_be_looked_into_however_it_came() -> None:
    assert text_of(File(path="a", content="héllo")) == "héllo"
    assert (
        text_of(File(path="a", content=base64.b64encode("héllo".encode()).decode(), encoding="base64"))
        == "héllo"
    )
    assert text_of(File(path="a", content="/+8=", encoding="base64")) is None
    assert text_of(File(path="a", content="!", encoding="base64")) is None


def test_entries_of_a_folder() -> None:
    assert entry_kind("a", stat.S_IFREG | 0o644) == "file"
    assert entry_kind("a", stat.S_IFREG | 0o755) == "executable"
    assert entry_kind("a", stat.S_IFDIR | 0o755) == "folder"
    with pytest.raises(Invalid) as link:
        entry_kind("a/b", stat.S_IFLNK | 0o777)
    assert (link.value.reason_code, link.value.message, link.value.path) == (
        "SymlinkRefused",
        "`a/b` is a symbolic link: submit what it points to",
        "a/b",
    )
    for kind in (stat.S_IFSOCK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK):
        with pytest.raises(Invalid, match="`a` is neither a file nor a folder"):
            entry_kind("a", kind)


pieces = (
    st.sampled_from(
        [
            ".git",
            "GIT~1",
            "..",
            ".",
            "",
            "/",
            "\\",
            ":",
            "\0",
            "a",
            "A",
            "ſ",
            "ß",
            "é",
            "e\u0301",
            "\u200c",
            "con",
            ".txt",
            " ",
            "b/c",
        ]
    )
    | st.characters()
)
paths = st.lists(pieces, min_size=1, max_size=6).map("".join)


@given(st.lists(paths, max_size=6))
def test_what_is_accepted_is_one_plain_file_each(names: list[str]) -> None:
    try:
        check([File(path=name, content="x") for name in names])
    except Invalid as error:
        assert error.reason_code.startswith("Path")  # noqa: PT017 - both outcomes are right
        return
    for name in names:
        assert unicodedata.is_normalized("NFC", name)
        assert not name.startswith("/")
        assert not {"", ".", "..", ".git"} & {segment.casefold() for segment in name.split("/")}
    keys = {unicodedata.normalize("NFC", name.casefold()) for name in names}
    assert len(keys) == len(names)
    assert not any(one.startswith(f"{other}/") for one in keys for other in keys)
