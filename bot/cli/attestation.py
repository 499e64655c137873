"""`pointsman attestation show | verify FILE`: look into signed envelopes, and hold them against a key.

Neither needs a bot, a database or a network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.failure import Code, Failure
from bot.cli.output import Format, OutputOption, answer, clean
from bot.domain.errors import Invalid, Refused

if TYPE_CHECKING:
    from rich.console import Console

    from bot.attestations.statement import Statement

app = typer.Typer(no_args_is_help=True, help="Show and verify what the bot has signed.")
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A DSSE envelope.")]


@app.command()
def show(file: FileArgument, output: OutputOption = Format.TEXT) -> None:
    """Show the statement of an envelope. Nothing is verified."""
    from bot.attestations.verify import statement_of

    try:
        said = statement_of(_document(file))
    except Invalid as error:
        raise _wrong(file, error) from error
    answer(output, _json(said), text=lambda out: _print(out, said, verified=False))


@app.command()
def verify(
    file: FileArgument,
    key: Annotated[Path, typer.Option("--key", help="The public key (PEM) that must have signed it.")],
    revision: Annotated[str, typer.Option("--revision", help="The full commit that it must be about.")] = "",
    digest: Annotated[str, typer.Option("--digest", help="What was built, as sha256:...")] = "",
    environment: Annotated[
        str, typer.Option("--environment", help="Where the release was meant to go.")
    ] = "",
    output: OutputOption = Format.TEXT,
) -> None:
    """Verify a release summary. Exit code 0: signed by the key, passed, and about what was asked; 1: not."""
    from bot.attestations.verify import verified

    document, pem = _document(file), key.read_text(encoding="utf-8", errors="replace")
    try:
        said = verified(document, pem, revision=revision, digest=digest, environment=environment)
    except Invalid as error:
        raise _wrong(key if error.reason_code == "NotAKey" else file, error) from error
    except Refused as error:
        raise Failure(error.message, Code.FAILED, reason_code=error.reason_code) from error
    answer(output, {"ok": True} | _json(said), text=lambda out: _print(out, said, verified=True))


def _document(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Failure(f"{file} is not JSON.", Code.FAILED, reason_code="NotJson") from error


def _wrong(file: Path, error: Invalid) -> Failure:
    return Failure(f"{file}: {error.message}.", Code.FAILED, reason_code=error.reason_code, path=error.path)


def _json(said: Statement) -> dict[str, Any]:
    return {"statement": said.model_dump(by_alias=True, mode="json", exclude_defaults=True)}


def _print(out: Console, said: Statement, *, verified: bool) -> None:
    lines = ["Verified." if verified else "Not verified: `pointsman attestation verify` does that."]
    for one in said.subject:
        lines += [f"{one.name or one.uri}  {kind}:{value}" for kind, value in one.digest.items()]
    lines.append(said.predicate_type)
    names = ("verificationResult", "timeVerified", "resourceUri")
    lines += [f"{name}: {said.predicate[name]}" for name in names if name in said.predicate]
    out.print(clean("\n".join(lines)), markup=False, soft_wrap=True)
