"""Settings from the environment, and logs that keep secrets to themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot import telemetry
from bot.settings import Settings


def test_defaults_need_no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("POINTSMAN_HOME", "POINTSMAN_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings()
    assert settings.database == f"sqlite:///{tmp_path}/.pointsman-home/pointsman.db"
    assert (settings.body_cap, settings.shards, settings.port) == (1024 * 1024, 16, 8080)
    assert settings.webhook_secrets("github") == ()
    assert settings.webhook_secrets("unknown") == ()


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_HOME", "/srv/home")
    monkeypatch.setenv("POINTSMAN_RETRY_SCHEDULE", "0, 1,2.5")
    monkeypatch.setenv("POINTSMAN_GITHUB_WEBHOOK_SECRET", "new-one, old-one,")
    settings = Settings()
    assert settings.database == "sqlite:////srv/home/pointsman.db"
    assert settings.retry_schedule == (0.0, 1.0, 2.5)
    assert settings.webhook_secrets("github") == (b"new-one", b"old-one")
    assert "new-one" not in repr(settings)
    assert "new-one" not in settings.model_dump_json()


@pytest.mark.parametrize("schedule", ["", "-1", "soon"])
def test_an_impossible_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(ValidationError):
        Settings(retry_schedule=schedule)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "github_pat_11ABCDEFG0abcdefghijkl_mnop", "glpat-abcdefghij0123456789",
        "Bearer abc.def.ghi", "pm_0123456789ab_abcdefghijklmnopqrstuvwxyz", "https://bot:hunter22@example.org/x.git",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----", "the value s3cret-known is known",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    telemetry.hide(["s3cret-known"])
    shown = telemetry.redact(f"before {text} after")
    assert telemetry.HIDDEN in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    for part in ("hunter22", "s3cret-known", "abcdefghij", "abc.def"):
        assert part not in shown


def test_a_log_line_is_json_without_secrets_even_in_tracebacks(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure()
    log = telemetry.get_logger("tests")
    try:
        int("glpat-abcdefghij0123456789")
    except ValueError:
        log.exception("failed", webhook_secret="open sesame", nested={"token": ["t1"]}, trace="trace-1")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["module"], line["trace"]) == (
        "failed",
        "error",
        "tests",
        "trace-1",
    )
    assert (line["webhook_secret"], line["nested"]) == ("[hidden]", {"token": ["[hidden]"]})
    assert "ValueError: invalid literal for int() with base 10: '[hidden]'" in line["exception"]
