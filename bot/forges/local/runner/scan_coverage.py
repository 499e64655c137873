r"""Started as a program of its own: print the last number that a pattern finds in a log.

    python -I -S scan_coverage.py 'TOTAL.* (\d+)%' job.log

The pattern comes from the committed file; `re` can take exponential time over it and holds the interpreter
lock. Alone in a process it can be killed. The reading is GitLab's (lib/gitlab/ci/trace/stream.rb): the last
line that matches, there the last group, there the first number.
"""

import re
import sys
from pathlib import Path


def last_number(pattern: re.Pattern[str], text: str) -> str:
    """The number as written, or an empty text."""
    for line in reversed(text.splitlines()):
        found = pattern.findall(line)
        if not found:
            continue
        last = found[-1][-1] if isinstance(found[-1], tuple) else found[-1]
        number = re.search(r"\d+(\.\d+)?", last)
        if number:
            return number[0]
    return ""


if __name__ == "__main__":
    sys.stdout.write(
        last_number(re.compile(sys.argv[1]), Path(sys.argv[2]).read_text(encoding="utf-8", errors="replace"))
    )
