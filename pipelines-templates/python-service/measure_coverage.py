"""Run $TEST_COMMAND under the standard library's trace; print which share of the executable lines ran."""
import dis, os, runpy, shlex, sys, trace
from pathlib import Path

here = Path.cwd()
sys.argv = shlex.split(os.environ["TEST_COMMAND"])[2:]  # python3 -m unittest discover -> unittest discover
tracer = trace.Trace(count=1, trace=0)  # ignoring folders would ignore our main.py because of unittest/main.py
outcome = 0
try:
    tracer.runctx("runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)", globals(), globals())
except SystemExit as end:
    outcome = end.code if isinstance(end.code, int) else bool(end.code)

def executable(code):
    own = {line for _, line in dis.findlinestarts(code) if line}
    return own.union(*(executable(inner) for inner in code.co_consts if hasattr(inner, "co_code")))

ran = {}
for (name, line), _ in tracer.results().counts.items():
    ran.setdefault(os.path.realpath(name), set()).add(line)
covered = total = 0
for path in sorted(here.rglob("*.py")):
    parts = path.relative_to(here).parts
    if any(part.startswith((".", "test")) for part in parts):
        continue  # tests do not count as tested
    lines = executable(compile(path.read_bytes(), str(path), "exec"))
    hit = lines & ran.get(os.path.realpath(path), set())
    covered, total = covered + len(hit), total + len(lines)
    print(f"{'/'.join(parts)}: {len(hit)} of {len(lines)} lines")
percent = 100 * covered // total if total else 100
print(f"TOTAL coverage: {percent}%")
if percent < int(os.environ["MINIMUM_COVERAGE"]):
    print(f"less than the {os.environ['MINIMUM_COVERAGE']}% that are asked for")
    outcome = outcome or 1
sys.exit(outcome)
