"""Started as a program of its own: set the limits, then become the command.

    python -I -S launch.py '{"RLIMIT_CPU": 60, ...}' bash script.sh

A `preexec_fn` would run Python between fork and exec of a threaded process, which may deadlock; setting
limits from outside would come too late for a command that forks at once. Imports nothing of this project: `-I
-S` leaves only the standard library.
"""

import json
import os
import resource
import sys


def main(arguments: list[str]) -> None:
    """Never returns: the process becomes the command, or ends with the error of exec."""
    for name, wanted in json.loads(arguments[0]).items():
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        # Never above what we have ourselves: raising is refused to anyone but root.
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (limit, limit))
    os.execvp(arguments[1], arguments[1:])  # noqa: S606 - no shell is wanted: the command is one


if __name__ == "__main__":
    main(sys.argv[1:])
