"""Whatever the data, two generations of YAML and every JSON reader read the same."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from bot.memory.layout import LONGEST, scoped, segment, trace_folder
from bot.memory.text import as_json, as_yaml
from tests.memory.build import Trace

WORDS = st.sampled_from(
    [
        "yes",
        "No",
        "on",
        "1.3",
        "1.3.8",
        "1e3",
        "0x1f",
        "12:30",
        "2025-05-23",
        "~",
        "",
        "null",
        "-",
        "@a",
        "=",
        "<<",
    ]
)
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20) | WORDS
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def read(text: str, version: tuple[int, int]) -> Any:
    reader = YAML(typ="safe", pure=True)
    reader.version = version
    return reader.load(text)


@given(data=st.dictionaries(TEXT, DATA, max_size=5))
def test_yaml_reads_back_under_1_1_and_1_2(data: dict[str, Any]) -> None:
    text = as_yaml(data)
    assert read(text, (1, 2)) == data
    assert read(text, (1, 1)) == data


@given(data=DATA)
def test_json_reads_back(data: Any) -> None:
    assert json.loads(as_json(data)) == data


def test_yaml_as_a_person_reads_it() -> None:
    approval = {
        "releaseId": "release-001293",
        "method": "Studio UI",
        "version": "1.3.8",
        "ok": True,
        "until": None,
    }
    assert as_yaml([approval]) == (
        "- releaseId: release-001293\n  method: Studio UI\n  version: 1.3.8\n  ok: true\n  until: null\n"
    )
    assert as_yaml({"a": "yes", "b": "1.3", "c": "2025-05-23T10:45:00Z", "d": {}, "e": []}) == (
        'a: "yes"\nb: "1.3"\nc: "2025-05-23T10:45:00Z"\nd: {}\ne: []\n'
    )


def test_what_is_said_twice_is_written_twice() -> None:
    same = {"name": "x"}
    assert as_yaml({"a": same, "b": same}) == "a:\n  name: x\nb:\n  name: x\n"


def test_trace_is_prefixed_once() -> None:
    assert trace_folder("trace-2025-05-23-0012") == "trace-2025-05-23-0012"
    assert trace_folder("notif-001") == "trace-notif-001"


def test_an_environments_file_lies_below_tenant_environment_and_module() -> None:
    state = Trace().state.model_copy(update={"module_id": "invoice-service"})
    assert scoped(state, "staging", "DeploymentSummary.json") == (
        "memory/trace-2025-05-23-0012/tenant-vetclinic-001/env-staging/invoice-service/DeploymentSummary.json"
    )


@given(
    names=st.lists(
        st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300), min_size=2, max_size=2
    )
)
def test_a_segment_is_one_folder_and_different_names_stay_different(names: list[str]) -> None:
    found = [segment(name) for name in names]
    for text in found:
        assert text not in {"", ".", ".."}
        assert not set(text) & set("/\\\0:")
        assert len(text) <= LONGEST + 13
    assert (found[0] == found[1]) == (names[0] == names[1])
