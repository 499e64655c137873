"""`include: local`: files of the same revision, merged as GitLab merges them."""

import pytest

from bot.forges.local.runner import PipelineError, parse

MODULES = {
    ".gitlab/ci/a.yml": "a: {script: [make a], stage: test}\n",
    ".gitlab/ci/b.yml": "b: {script: [make b], stage: test}\n",
    ".gitlab/ci/deep/c.yml": "c: {script: [make c]}\n",
    ".gitlab/ci/notes.md": "# no YAML at all: [\n",
    "gitlab/ci/d.yml": "d: {script: [make d]}\n",
}


@pytest.mark.parametrize(
    ("include", "jobs"),
    [
        (".gitlab/ci/a.yml", ["a", "own"]),
        ("/.gitlab/ci/a.yml", ["a", "own"]),
        ("[.gitlab/ci/b.yml, .gitlab/ci/a.yml]", ["b", "a", "own"]),
        ("{local: .gitlab/ci/a.yml}", ["a", "own"]),
        ("[{local: .gitlab/ci/*.yml}]", ["a", "b", "own"]),
        ("[{local: .gitlab/**.yml}]", ["a", "b", "c", "own"]),
        ("[{local: .gitlab/ci/**/*.yml}]", ["c", "own"]),
        ("[{local: none/*.yml}]", ["own"]),
        ("[{local: .gitlab/ci/*.yml}, .gitlab/ci/a.yml]", ["a", "b", "own"]),
    ],
)
def test_files_are_found_by_name_and_by_pattern(include: str, jobs: list[str]) -> None:
    pipeline = parse(f"include: {include}\nown: {{script: make}}\n", MODULES)
    assert list(pipeline.jobs) == jobs


def test_the_including_file_is_merged_over_what_it_includes() -> None:
    tree = {
        "one.yml": "variables: {A: one, B: one}\nstages: [one]\nunit: {stage: one, script: [one], timeout: 1m}\n",
        "two.yml": "variables: {B: two}\nunit: {script: [two]}\n",
    }
    pipeline = parse("include: [one.yml, two.yml]\nstages: [one, three]\nunit: {retry: 1}\n", tree)
    unit = pipeline.jobs["unit"]
    assert (pipeline.variables, pipeline.stages) == ({"A": "one", "B": "two"}, ("one", "three"))
    assert (unit.script, unit.timeout, unit.retry.max) == (("two",), 60, 1)


OWN = "own: {script: make}\n"
REFUSED: dict[str, tuple[str, dict[str, str], str, str]] = {
    "missing": (
        f"{OWN}include: [gone.yml]\n",
        {},
        "",
        "line 2, column 11: the file `gone.yml` is not there (correct the path)",
    ),
    "remote": (
        f"{OWN}include: [{{remote: 'https://example.org/x.yml'}}]\n",
        {},
        "",
        "line 2, column 11: this kind of include is not supported by the embedded runner (use `local:`)",
    ),
    "address": (
        f"{OWN}include: https://example.org/x.yml\n",
        {},
        "",
        "line 2, column 1: this kind of include is not supported by the embedded runner (use `local:`)",
    ),
    "with rules": (
        f"{OWN}include: [{{local: x.yml, rules: [{{if: $CI}}]}}]\n",
        {"x.yml": ""},
        "",
        "line 2, column 11: this kind of include is not supported by the embedded runner (use `local:`)",
    ),
    "no YAML": (
        f"{OWN}include: notes.md\n",
        {"notes.md": ""},
        "",
        "line 2, column 1: `notes.md` does not end in .yml or .yaml (name a YAML file)",
    ),
    "nested": (
        f"{OWN}include: x.yml\n",
        {"x.yml": "a: {script: x}\ninclude: y.yml\n", "y.yml": ""},
        "x.yml",
        (
            "line 2, column 1: an included file that includes others is not supported by the embedded runner"
            " (include them in the first file)"
        ),
    ),
    "unreadable": (
        f"{OWN}include: x.yml\n",
        {"x.yml": "a: [\n"},
        "x.yml",
        "line 2, column 1: not YAML: expected the node content, but found '<stream end>'",
    ),
    "a fault in an included job": (
        f"{OWN}include: x.yml\n",
        {"x.yml": "a:\n  script: x\n  cache: {}\n"},
        "x.yml",
        (
            "line 3, column 3: `a.cache` is not supported by the embedded runner"
            " (remove it; hand files on with `artifacts`)"
        ),
    ),
    "a need of an included job": (
        f"{OWN}include: x.yml\n",
        {"x.yml": "a: {script: x, needs: [b]}\n"},
        "x.yml",
        "line 1, column 24: job `a` needs `b`, which is no job of this file (correct the name)",
    ),
    "too many": (
        f"{OWN}include: x/*.yml\n",
        {f"x/{number}.yml": "a: {script: x}\n" for number in range(151)},
        "",
        "line 2, column 1: 151 files are included, more than 150",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_fault_is_named_with_its_file(name: str) -> None:
    text, tree, file, sentence = REFUSED[name]
    with pytest.raises(PipelineError) as caught:
        parse(text, tree)
    assert (caught.value.file, str(caught.value)) == (file, sentence)


def test_what_was_replaced_is_not_the_place_of_a_fault() -> None:
    tree = {"x.yml": "unit:\n  script: x\n  needs:\n    - gone\n"}
    with pytest.raises(PipelineError) as caught:
        parse("include: x.yml\nunit: {needs: [lost]}\n", tree)
    assert (caught.value.file, caught.value.line) == ("", 2)
