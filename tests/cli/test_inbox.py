"""`pointsman inbox`: what could not be applied is seen, and applied after the repair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.domain.decision import NOTHING, Decision
from tests.cli.conftest import Pointsman, listening
from tests.support.house import House, house, wait_for
from tests.support.story import module


def test_dead_letters_are_listed_and_tried_again(
    pointsman: Pointsman, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bug = {"there": True}

    def decide_badly(*_: Any) -> Decision:
        if bug["there"]:
            raise ValueError("planted")
        return NOTHING

    with house(f"sqlite:///{tmp_path}/inbox.db", decide_badly, work=True) as home:
        assert home.http().post("/v1/modules", json=module()).status_code == 202
        with listening(home) as address:
            monkeypatch.setenv("POINTSMAN_URL", address)
            monkeypatch.setenv("POINTSMAN_TOKEN", home.token(scopes=("admin",)))
            (letter,) = wait_for(
                lambda: json.loads(pointsman("inbox", "list", "--output", "json").out)["deadLetters"]
            )
            text = pointsman("inbox", "list").out
            assert "ValueError: planted" in text
            assert letter["traceId"] in text
            bug["there"] = False
            said = pointsman("inbox", "retry", str(letter["id"]))
            assert (said.code, said.out) == (0, f"Dead letter {letter['id']} is tried again.\n")
            again = pointsman("inbox", "retry", str(letter["id"]), "--output", "json")
            assert (again.code, json.loads(again.out)["error"]["reasonCode"]) == (1, "AlreadyRetried")
            monkeypatch.setenv("POINTSMAN_TOKEN", home.token(scopes=("read",)))
            assert pointsman("inbox", "retry", "1").code == 4


def test_no_dead_letters_is_said(pointsman: Pointsman, served: House) -> None:
    assert pointsman("inbox", "list").out == "No dead letters.\n"
    said = pointsman("inbox", "retry", "7")
    assert (said.code, said.err) == (1, "Error: There is no dead letter '7'.\n")
