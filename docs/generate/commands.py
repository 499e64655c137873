"""docs/commands.md from the declarations in `handlers/commands/`."""

from __future__ import annotations

from docs.generate.text import code, codes, page, table
from handlers.decide import registry
from handlers.declare import CommandEntry
from policies.roles import SEEDED, Permission

INTRO = """\
Write a command on a line of its own in a new comment on a change. Several commands in one comment are
done in order and answered in one reply. Code blocks, quotes, lists, tables and HTML are not read; an
edited comment does nothing. `/help` lists what *you* may say.

`<name>` is required, `[name]` is not, `...` takes the rest of the line. Words are quoted as in a shell;
every parameter can also be given by name (`--environment production` or `environment=production`).

The bot answers with reactions: 👀 when it has read a command, 🚀 when it is done, 👎 when it was refused. A
refusal names a reason code that does not change between versions.

The same commands come from the command line (`pointsman release`, see [cli.md](cli.md)) and from `POST
/v1/traces/{trace}/commands`, through the same handlers and the same checks. A new command:
[recipes/command.md](recipes/command.md)."""

NAMES = """\
A moment is `2h`, `2026-12-24` or `2026-12-24T18:00`, in UTC or with its offset; a duration is `10m` or
`1h30m`. At most 20 commands stand in one comment: of more none is done.

`/hold`, `/pause`, `/lock` and `/delay-release` stop a release whatever gates its policy lists. A hold and a
pause also keep the change from being merged. A pause is of one trace: nothing new is started in it, what runs
goes on, and what comes meanwhile is taken in and acted on after `/resume`. A lock is of an environment: no
release of the repository starts there. A delay is of one trace and environment, and a push does not end it.

GitLab keeps `/lock` and `/unlock` to itself, and other bots have a `/hold`: the last column has a name that
is nobody else's. A policy switches commands off, and gives them other names:
`commands: {disable: [hotfix], aliases: {lgtm: approve-release production}}` ([policy.md](policy.md))."""

RIGHTS = """\
## Who may

Reading and writing are what the forge grants. Every other right comes from a role of the
[policy](policy.md); a role with one of these names has these rights, and `permissions:` adds more.
`/approve-release` is open to whoever fits the environment's `approvals` gate."""


def text() -> str:
    """The page."""
    entries = [entry for _, entry in sorted(registry().commands.items())]
    head = ("command", "does", "needs", "refused as", "taken back by", "also")
    commands = table(head, [_row(entry) for entry in entries])
    rows = [(code(role), codes(sorted(rights))) for role, rights in SEEDED.items() if rights]
    named = [code(permission) for permission in Permission]
    known = f"All permissions: {', '.join(named)}."
    return page("Comment commands", INTRO, commands, NAMES, RIGHTS, table(("role", "rights"), rows), known)


def _row(entry: CommandEntry) -> tuple[str, ...]:
    second = f"/{entry.second}" if entry.second else ""
    beside = (code(text) if text else "" for text in (entry.undo, second))
    return code(entry.signature.usage), f"{entry.summary}.", code(entry.needs), code(entry.refusal), *beside
