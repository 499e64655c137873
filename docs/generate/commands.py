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

RIGHTS = """\
## Who may

Reading and writing are what the forge grants. Every other right comes from a role of the
[policy](policy.md); a role with one of these names has these rights, and `permissions:` adds more.
`/approve-release` is open to whoever fits the environment's `approvals` gate."""


def text() -> str:
    """The page."""
    entries = [entry for _, entry in sorted(registry().commands.items())]
    commands = table(("command", "does", "needs", "refused as"), [_row(entry) for entry in entries])
    rows = [(code(role), codes(sorted(rights))) for role, rights in SEEDED.items() if rights]
    named = [code(permission) for permission in Permission]
    known = f"All permissions: {', '.join(named)}."
    return page("Comment commands", INTRO, commands, RIGHTS, table(("role", "rights"), rows), known)


def _row(entry: CommandEntry) -> tuple[str, str, str, str]:
    return code(entry.signature.usage), f"{entry.summary}.", code(entry.needs), code(entry.refusal)
