"""`python -m bot.pipelines.check`: render every template for every CI system and validate the result.

Each is rendered with its own example, as a module in a folder and as a whole repository, and validated by the
CI system's published schema, which check-jsonschema carries. Exit 1 with one line per fault.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bot.pipelines import templates
from bot.pipelines.model import Pipeline
from bot.pipelines.systems import BY_FORGE, System
from bot.pipelines.templates import Template, TemplateInvalid
from bot.pipelines.templates_path import root

SYSTEMS = tuple(dict.fromkeys(BY_FORGE.values()))


def faults_of(folder: Path) -> list[str]:
    """What is wrong with the template in a folder, a line each."""
    try:
        template = templates.read(folder)
        for inputs in examples(template):
            templates.render_files(template, inputs)
        pipelines = [templates.render_pipeline(template, inputs) for inputs in examples(template)]
        return [
            f"{template.name} for {system.name}: {line}"
            for system in SYSTEMS
            for line in _schema_faults(system, pipelines)
        ]
    except (TemplateInvalid, OSError) as error:
        return [str(error)]


def examples(template: Template) -> list[dict[str, Any]]:
    """The example of the template, and the same as a whole repository when it can be one."""
    whole = [{**template.example, "path": "."}] if "path" in template.inputs.properties else []
    return [template.example, *whole]


def _schema_faults(system: System, pipelines: list[Pipeline]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        names: list[str] = []
        for number, pipeline in enumerate(pipelines):
            for path, text in system.written(pipeline, {}).files.items():
                file = Path(folder, str(number), path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
                names.append(str(file))
        command = [sys.executable, "-m", "check_jsonschema", *system.schema, *names]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = f"{done.stdout}{done.stderr}".replace(f"{folder}/", "")
    if done.returncode == 0:
        return []
    return [line.strip() for line in said.splitlines() if line.strip()]


def main(folder: Path | None = None) -> int:
    """Check every template below `folder`, by default those of this installation.

    The number of faulty ones, at most 1.
    """
    top = folder or root()
    folders = sorted(path for path in top.iterdir() if path.is_dir() and path.name != templates.PARTS)
    faults = [line for path in folders for line in faults_of(path)]
    for line in faults:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(
        f"{len(folders)} pipeline template(s), {len(SYSTEMS)} CI system(s), {len(faults)} fault(s)\n"
    )
    return 1 if faults or not folders else 0


if __name__ == "__main__":
    sys.exit(main())
