"""Settings from the environment, and logs that keep secrets to themselves."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from pydantic import ValidationError

from bot import telemetry
from bot.settings import Settings
from tests.journeys.search import leaks


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


HIDDEN_VALUE = "hidden/of+the house=0123456789"


@pytest.mark.parametrize(
    "write",
    [
        str,
        lambda value: quote(value, safe=""),
        quote_plus,
        lambda value: base64.b64encode(f":{value}".encode()).decode(),
        lambda value: base64.b64encode(f"pm:{value}".encode()).decode(),
        lambda value: base64.b64encode(f"pointsman:{value}:x".encode()).decode(),
        lambda value: base64.urlsafe_b64encode(f"{value}".encode()).decode(),
    ],
)
def test_a_known_secret_is_hidden_however_it_is_written(write: Callable[[str], str]) -> None:
    telemetry.hide([HIDDEN_VALUE])
    shown = telemetry.redact(f"the forge said: {write(HIDDEN_VALUE)} is bad")
    assert telemetry.HIDDEN in shown
    assert leaks(Path("/nonexistent"), "sqlite://", [shown.encode()], [HIDDEN_VALUE]) == []
    assert (shown.startswith("the forge said: "), shown.endswith(" is bad")) == (True, True)


def test_a_value_that_is_part_of_another_leaves_nothing_of_it() -> None:
    telemetry.hide(["part-of-more"])
    telemetry.hide(["part-of-more-and-the-rest"])
    assert telemetry.redact("it is part-of-more-and-the-rest") == f"it is {telemetry.HIDDEN}"


def test_a_line_of_a_key_is_hidden() -> None:
    telemetry.hide(
        ["-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEA\n-----END KEY-----\n"]
    )
    assert telemetry.redact("line BAQEFAASCBKcwggSjAgEA is bad") == f"line {telemetry.HIDDEN} is bad"
    assert telemetry.redact("-----BEGIN KEY-----") == "-----BEGIN KEY-----"


def test_every_secret_setting_is_known_to_be_one(tmp_path: Path) -> None:
    names = [name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    assert len(names) >= 7
    key = tmp_path / "app.pem"
    key.write_text("the-private-key")
    said = Settings.model_validate(
        {name: f"new-{name}, old-{name}" for name in names}
        | {
            "database_url": "postgresql://bot:db%2Fpassword@db/x",
            "github_app_key_file": key,
            "home": tmp_path,
        }
    )
    values = set(said.secret_values())
    assert {f"{age}-{name}" for name in names for age in ("new", "old")} <= values
    assert {"db/password", "the-private-key"} <= values


def test_a_key_that_cannot_be_read_is_nothing_to_hide(tmp_path: Path) -> None:
    said = Settings(home=tmp_path, github_app_key_file=tmp_path / "missing.pem")
    assert said.secret_values() == []
