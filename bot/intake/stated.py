"""What a sender may state of itself, and what only the bot may.

Whatever we fold, react to, wait for or read is ours to say: stated by anybody else it would be an approval, a
green test run or a deployment that never was. The list is made from the code that listens, so that a new
handler, fold or flow is covered on the day it is written.
"""

from __future__ import annotations

from functools import cache

from bot.domain import flow_state, trace
from bot.domain.catalog import TYPED
from bot.flows.load import definition, names
from bot.projections import slots, trace_keys
from handlers.decide import registry

REPORTED = frozenset({"ModuleGenerated", "ReleaseIntentDeclared", "TraceInitialized", "HumanTaskRequested"})
"""Heard by us and yet for others to say: each only asks, for work that the gates then judge, or for an
answer.
"""


@cache
def decided_here() -> frozenset[str]:
    """Types that take the scope `events:any`."""
    heard = frozenset().union(*(definition(name).heard for name in names()))
    folded = frozenset({*trace.APPLY, *slots.APPLY, *flow_state.FOLLOWED, *trace_keys.KEYED})
    # A payload model of its own means that code reads the type, or that we are the ones who emit it.
    return folded.union(registry().reactions, heard, TYPED) - REPORTED
