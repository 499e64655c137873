"""The quick canonical JSON is the reference's, byte for byte, for everything JSON can say."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.canonical import canonical_json

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    LEAVES | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(VALUES)
def test_it_writes_what_the_reference_writes(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value",
    [
        '\x00\x1f\x7f\x80\u2028\u2029\ud7ff\ue000\U0001f642 \\ " / \b\f\n\r\t',
        {"\ufb33": 1, "\U0001f600": 2},
        1.0,
        1e21,
        -0.0,
        (1, 2),
    ],
)
def test_where_the_two_could_differ(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53, -(2**53), {"deep": [2**60]}, {1: 2}, "\ud800"]
)
def test_what_has_no_canonical_form_raises_as_the_reference_does(value: Any) -> None:
    with pytest.raises(Exception) as expected:  # noqa: PT011 - whatever the reference raises
        rfc8785.dumps(value)
    with pytest.raises(type(expected.value)):
        canonical_json(value)
