"""Comment commands: from a comment to what was asked, and from a declaration to what may be asked.

    /approve-release production "looks good"              a name and arguments, quoted as in a shell
    /explain at=2026-12-24T18:00 --environment=staging    options by name, in any place

Several per comment, in order. `Signature.parse` declares a command, `bind` holds an invocation against it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from bot.domain.comment import command_lines
from bot.domain.invocation import Invocation, read_line
from bot.domain.signature import Parameter, Signature, bind

__all__ = ["BOTS_OWN", "FORGES_OWN", "Invocation", "Parameter", "Signature", "bind", "parse", "suggest"]

_FORGES = """
    approve assign assign_reviewer award blocked_by blocks cc clear_health_status clear_weight clone
    close code confidential convert_to_ticket copy_metadata create_merge_request details done draft
    due duplicate epic estimate health_status iteration label link lock merge
    milestone move page parent promote promote_to publish react ready reassign
    reassign_reviewer rebase relabel relate remove_due_date remove_epic remove_estimate
    remove_iteration remove_milestone remove_parent remove_time_spent reopen request_changes
    request_review severity shrug spend spend_time submit_review
    subscribe table tableflip tag target_branch tasklist template timeline title todo type
    unapprove unassign unassign_reviewer unlabel unlink unlock unrelate unsubscribe weight
    wip zoom
"""
_BOTS = "hold labels lgtm ok-to-test request-review retest test unhold"
FORGES_OWN = frozenset(_FORGES.split())
"""Slash commands of GitLab and GitHub. GitLab takes such a line out of the comment before anybody else sees
it (https://docs.gitlab.com/user/project/quick_actions/).
"""
BOTS_OWN = frozenset(_BOTS.split())
"""Of bots that many repositories have (https://prow.k8s.io/command-help)."""


def parse(body: str) -> list[Invocation]:
    """The commands of a comment, in order. A line that can not be read is among them, with an `error`."""
    return [read_line(line) for line in command_lines(body)]


def suggest(name: str, known: Iterable[str]) -> str | None:
    """The command probably meant by an unknown name. None when nothing is close, or the name is another's."""
    names = list(known)
    if name in names or name in FORGES_OWN | BOTS_OWN or len(name) < 4:  # noqa: PLR2004 - three letters are close to anything
        return None
    return next(iter(get_close_matches(name, names, n=1, cutoff=0.75)), None)
