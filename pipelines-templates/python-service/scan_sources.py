"""Refuse what must not be packaged: sources that warn when compiled, links that lead out, files that are too large."""
import sys, warnings
from pathlib import Path

here = Path.cwd().resolve()
faults = []
warnings.simplefilter("error")
for path in sorted(here.rglob("*")):
    name = path.relative_to(here)
    if ".git" in name.parts:
        continue
    if path.is_symlink() and not path.resolve().is_relative_to(here):
        faults.append(f"{name}: the link leads out of the module")
    elif path.is_file() and path.stat().st_size > 5_000_000:
        faults.append(f"{name}: larger than 5 MB")
    elif path.is_file() and path.suffix == ".py":
        try:
            compile(path.read_bytes(), str(name), "exec")
        except (SyntaxError, ValueError, Warning) as error:
            faults.append(f"{name}: {error}")
print("\n".join([*faults, f"{len(faults)} finding(s)"]))
sys.exit(1 if faults else 0)
