"""`pointsman pipeline list | detect | generate | check`: pipelines from templates, offline on a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.failure import Code, Failure
from bot.cli.output import Format, OutputOption, answer, clean, count, say
from bot.cli.pipeline_folder import FolderOption, names_of, put, texts_of

if TYPE_CHECKING:
    from rich.console import Console

    from bot.pipelines.detect import Proposal
    from bot.pipelines.lint import Finding
    from bot.pipelines.template_model import Template

app = typer.Typer(no_args_is_help=True, help="Make pipelines and build files from templates, and check them.")
FORGES = ("github", "gitlab", "azure")
FolderArgument = Annotated[Path, typer.Argument(metavar="[DIR]", help="A repository's folder.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="An input; a list is separated by commas."),
]


@app.command("list")
def list_(output: OutputOption = Format.TEXT) -> None:
    """List the templates, and what each has to be told."""
    from bot.pipelines import templates

    loaded = [templates.load(name) for name in templates.names()]
    listed = [
        {
            "name": one.name,
            "version": one.version,
            "description": one.description,
            "inputs": one.schema_of_inputs(),
            "forges": list(FORGES),
        }
        for one in loaded
    ]
    answer(output, {"templates": listed}, text=lambda out: _templates(out, loaded))


@app.command()
def detect(folder: FolderArgument = Path(), output: OutputOption = Format.TEXT) -> None:
    """Look which template suits the modules of a folder."""
    from bot.pipelines import templates
    from bot.pipelines.detect import detect as proposals
    from bot.pipelines.detect import texts_wanted

    loaded = [templates.load(name) for name in templates.names()]
    names = names_of(folder)
    texts = texts_of(folder, texts_wanted(names, loaded))
    found = proposals(names, texts, loaded, folder.resolve().name)
    answer(output, {"modules": [one.to_json() for one in found]}, text=lambda out: _proposals(out, found))


@app.command()
def generate(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="As `pipeline list` names it.")],
    forge: Annotated[str, typer.Option("--forge", help="github, gitlab or azure.")],
    out: FolderOption,
    given: SetOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Write a template's files into a folder. Nothing that a person wrote or edited is replaced.

    Exit 0: written; 1: something is in the way; 2: the template or an input is wrong.
    """
    from bot.pipelines import generate as making
    from bot.pipelines.written import CannotWrite

    if forge not in FORGES:
        raise Failure(
            f"There is no forge {forge!r}: {', '.join(FORGES)}.", Code.USAGE, reason_code="NoSuchForge"
        )
    loaded = _loaded(template)
    inputs = _inputs(loaded, given or [])
    try:
        there = texts_of(out, making.reads(loaded, inputs, forge))
        made = making.generate(loaded, inputs, forge, there)
    except CannotWrite as error:
        raise Failure(_sentence(error), reason_code="FileInTheWay") from error
    except ValueError as error:
        raise Failure(_sentence(error), Code.USAGE, reason_code="TemplateInvalid") from error
    put(out, {path: text for path, text in made.files.items() if there.get(path) != text})
    for note in made.notes:
        say(f"Note: {note}.")
    files = sorted(made.files)
    answer(output, {"files": files, "warnings": made.notes}, text=lambda shown: _files(shown, files))


@app.command()
def check(folder: FolderArgument = Path(), output: OutputOption = Format.TEXT) -> None:
    """Say what is wrong with the pipeline files of a folder, and the fix.

    Exit 0: nothing, 1: something.
    """
    from bot.pipelines import lint

    names = [name for name in names_of(folder) if lint.system_of(name)]
    if not names:
        raise Failure(
            f"{folder} has no pipeline file: say `pointsman pipeline generate`.", reason_code="NoPipeline"
        )
    found = lint.check(texts_of(folder, names))
    document = {"ok": not found, "files": names, "findings": [one.to_json() for one in found]}
    answer(output, document, text=lambda out: _findings(out, found))
    raise typer.Exit(Code.FAILED if found else Code.OK)


def _loaded(name: str) -> Template:
    from bot.pipelines import templates
    from bot.pipelines.template_model import TemplateInvalid

    try:
        return templates.load(name)
    except TemplateInvalid as error:
        raise Failure(_sentence(error), Code.USAGE, reason_code="TemplateInvalid") from error


def _inputs(template: Template, given: list[str]) -> dict[str, Any]:
    from bot.pipelines.template_inputs import told

    inputs: dict[str, Any] = {}
    for entry in given:
        name, equals, text = entry.partition("=")
        if not equals:
            raise Failure(
                f"`--set {entry}` has no `=`: write --set {entry}=VALUE.", Code.USAGE, reason_code="Usage"
            )
        if name in inputs:
            raise Failure(f"`{name}` is set twice.", Code.USAGE, reason_code="Usage", path=name)
        inputs[name] = told(template.inputs, name, text)
    return inputs


def _sentence(error: Exception) -> str:
    text = str(error)
    return text if text.endswith((".", "!")) else f"{text}."


def _templates(out: Console, loaded: list[Template]) -> None:
    from rich.text import Text

    for one in loaded:
        required = ", ".join(one.inputs.required)
        out.print(
            Text(one.name, style="bold") + Text(f" {one.version}  {one.description} Needs: {required}.")
        )


def _proposals(out: Console, found: tuple[Proposal, ...]) -> None:
    from rich.text import Text

    for one in found:
        out.print(
            Text(clean(f"{one.path}: {one.template}"), style="bold")
            + Text(clean(f"  ({', '.join(one.because)})"))
        )
    if not found:
        out.print("No template suits this folder. `pointsman pipeline list` names those there are.")


def _files(out: Console, files: list[str]) -> None:
    from rich.text import Text

    for path in files:
        out.print(Text(path))


def _findings(out: Console, found: tuple[Finding, ...]) -> None:
    from rich.text import Text

    for one in found:
        out.print(Text(clean(f"{one.path}:{one.line}: {one.rule}: {one.message}")))
        out.print(Text(clean(f"    → {one.suggestion}")))
    out.print(Text("Nothing to mend." if not found else f"{count(len(found), 'thing')} to mend."))
