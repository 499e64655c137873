"""`python -m bot.pipelines.check`: render every template for every CI system and validate the result.

Each is rendered with its own example and validated by the CI system's published schema, which
check-jsonschema carries. Exit 1 with one line per fault.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bot.pipelines import gitlab_ci, templates
from bot.pipelines.model import Pipeline, Trace
from bot.pipelines.templates import TemplateInvalid
from bot.pipelines.templates_path import root

RENDERERS: dict[str, tuple[Callable[[Pipeline], str], str]] = {
    "gitlab": (gitlab_ci.render, "vendor.gitlab-ci")
}
EXAMPLE_TRACE = Trace(trace_id="trace-example", module_id="example", version_tag="1.0.0")


def faults_of(folder: Path) -> list[str]:
    """What is wrong with the template in a folder, a line each."""
    try:
        template = templates.read(folder)
        pipeline = templates.render_pipeline(template, template.example, EXAMPLE_TRACE)
    except (TemplateInvalid, OSError) as error:
        return [str(error)]
    found: list[str] = []
    for system, (render, schema) in RENDERERS.items():
        found += [
            f"{template.name} for {system}: {line}" for line in _schema_faults(render(pipeline), schema)
        ]
    return found


def _schema_faults(text: str, schema: str) -> list[str]:
    with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = f"{done.stdout}{done.stderr}".replace(file.name, "(rendered)")
    if done.returncode == 0:
        return []
    return [line.strip() for line in said.splitlines() if line.strip()]


def main(folder: Path | None = None) -> int:
    """Check every template below `folder`, by default those of this installation.

    The number of faulty ones, at most 1.
    """
    top = folder or root()
    folders = sorted(path for path in top.iterdir() if path.is_dir())
    faults = [line for path in folders for line in faults_of(path)]
    for line in faults:
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(
        f"{len(folders)} pipeline template(s), {len(RENDERERS)} CI system(s), {len(faults)} fault(s)\n"
    )
    return 1 if faults or not folders else 0


if __name__ == "__main__":
    sys.exit(main())
