"""Work whose end could not be written down, because the database was full or away: it is done again.

For the durable-execution library such a workflow has failed, once and for all: the effect would wait for
ever, the timer would never have fired. Doing it again is safe: effects look for their mark before they act,
and the event of a timer has the timer's id.
"""

from __future__ import annotations

from typing import Any

from dbos import DBOS

from bot.engine.outbox import FIRE, FIRE_SHARED, PERFORM
from bot.engine.wiring import Wiring
from bot.telemetry import get_logger

log = get_logger(__name__)
AGAIN = "/again-"
MOST = 100
"""Times that one piece of work is done again; what fails for longer than that is no outage."""
AT_ONCE = 200


def do_again(wiring: Wiring) -> int:
    """Enqueue failed effects and timers under a new name, then forget the failure. Returns how many."""
    failed = DBOS.list_workflows(
        status="ERROR", name=[PERFORM, FIRE, FIRE_SHARED], limit=AT_ONCE, load_output=False
    )
    found = [(workflow, next_) for workflow in failed if (next_ := _next(workflow.workflow_id))]
    if not found:
        return 0
    with wiring.store.begin() as session:
        for workflow, name in found:
            given: Any = workflow.input
            queue, lane = str(workflow.queue_name), workflow.queue_partition_key
            wiring.enqueue(session, workflow.name, name, *given["args"], queue=queue, partition=lane)
    # After the commit: a crash in between leads here again, where the same name twice is one workflow.
    DBOS.delete_workflows([workflow.workflow_id for workflow, _ in found])
    log.warning("done_again", workflows=[name for _, name in found])
    return len(found)


def _next(workflow_id: str) -> str | None:
    base, _, times = workflow_id.partition(AGAIN)
    number = int(times or 0) + 1
    return f"{base}{AGAIN}{number}" if number <= MOST else None
