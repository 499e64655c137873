"""Would the tests of verify notice a verify that does not look? Each defect here lets a damage pass that they demand."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Iterator

import pytest

from bot.log.verify import _Trace
from tests.log.test_verify import damaged, pristine

__all__ = ["pristine"]
VERIFY = importlib.import_module("bot.log.verify")  # the package's attribute of that name is the function


def blind_to_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VERIFY, "event_values", lambda *_: {})


def blind_to_the_link_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def alone(_previous: str, body: bytes) -> str:
        return hashlib.sha256(body).hexdigest()

    def event(self: _Trace, row: dict[str, object]) -> Iterator[object]:
        row["prev_hash"] = self._hash
        row["hash"] = alone("", bytes(row["body"]))  # type: ignore[call-overload]
        return original(self, row)  # type: ignore[return-value, arg-type]

    original = _Trace.event
    monkeypatch.setattr(VERIFY, "chain", alone)
    monkeypatch.setattr(_Trace, "event", event)
    blind_to_heads(monkeypatch)  # or the head's own hash would still give it away


def blind_to_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Trace, "end", lambda _self, _head: iter(()))


@pytest.mark.parametrize(
    ("defect", "damage"),
    [
        (blind_to_columns, "UPDATE events SET type = 'TestsPassed' WHERE position = 2"),
        (blind_to_the_link_before, "UPDATE events SET hash = prev_hash WHERE position = 4"),
        (blind_to_heads, "DELETE FROM events WHERE position >= 11"),
        (blind_to_heads, "UPDATE head SET state = '{}'"),
    ],
)
def test_a_blind_verify_lets_damage_pass_that_ours_finds(
    pristine: object,
    defect: Callable[[pytest.MonkeyPatch], None],
    damage: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert damaged(pristine, damage)["ok"] is False  # type: ignore[arg-type]
    defect(monkeypatch)
    assert damaged(pristine, damage)["ok"] is True  # type: ignore[arg-type]
