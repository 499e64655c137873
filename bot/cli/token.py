"""`pointsman token create | link | list | revoke`: who may call, on the server itself.

A token is shown once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.failure import Code, Failure
from bot.cli.output import Format, OutputOption, answer, clean, say
from bot.cli.place import opened, settings

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke bearer tokens.")
LoginOption = Annotated[
    str, typer.Option("--login", help="The person or agent it speaks for, as the forge knows them.")
]
TenantOption = Annotated[str | None, typer.Option("--tenant", help="Tenant; POINTSMAN_TENANT.")]
ScopeOption = Annotated[
    list[str] | None,
    typer.Option("--scope", help="read, command, events:write, events:any or admin; may be repeated."),
]


@app.command()
def create(
    login: Annotated[
        str, typer.Option("--login", help="The person or agent it speaks for; with --agent the agent itself.")
    ] = "",
    agent: Annotated[
        str | None,
        typer.Option("--agent", help="Only to say how tasks given to this outside agent have ended."),
    ] = None,
    tenant: TenantOption = None,
    scope: ScopeOption = None,
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "",
    days: Annotated[
        float | None, typer.Option("--days", min=0.001, help="Days until it ends; never if left out.")
    ] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """Make a token.

    Standard output has the token and nothing else: `POINTSMAN_TOKEN=$(pointsman token create ...)`.
    """
    from bot.intake import tokens

    owner = tenant or settings().tenant
    given = tuple(scope or ())
    _known(given)
    scopes = _of_agent(agent, given) if agent else given or tokens.DEFAULT_SCOPES
    login = login or agent or _missing_login()
    with opened() as store, store.begin() as session:
        made = tokens.create(session, tenant=owner, actor=login, name=name, scopes=scopes, days=days)
    said = {
        "token": made,
        "id": made.split("_")[1],
        "login": login,
        "tenant": owner,
        "scopes": sorted(scopes),
    }
    say(f"A token for {login} of {owner}, scopes {', '.join(sorted(scopes))}. It is shown this once.")
    answer(output, said, text=lambda out: out.print(made, markup=False))


@app.command()
def link(
    login: LoginOption,
    tenant: TenantOption = None,
    scope: ScopeOption = None,
    to: Annotated[str, typer.Option("--to", help="Page to open, such as /traces/TRACE.")] = "/",
    output: OutputOption = Format.TEXT,
) -> None:
    """Make an address that signs somebody in to Studio once, within ten minutes."""
    from bot.studio import sessions

    said = settings()
    scopes = tuple(scope) if scope else sessions.STUDIO_SCOPES
    _known(scopes)
    with opened() as store, store.begin() as session:
        made = sessions.link(
            session, tenant=tenant or said.tenant, actor=login, base_url=said.base_url, scopes=scopes, to=to
        )
    answer(output, {"url": made, "login": login}, text=lambda out: out.print(made, markup=False))


@app.command("list")
def list_(
    tenant: Annotated[str | None, typer.Option("--tenant", help="Only of this tenant.")] = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """List tokens; never the tokens themselves."""
    from bot.intake import tokens

    with opened() as store, store.read() as session:
        rows = tokens.listed(session, tenant)
    said = [
        {
            "id": row["id"], "login": row["actor"], "tenant": row["tenant"], "name": row["name"],
            "scopes": row["scopes"].split(), "createdAt": row["created_at"], "expiresAt": row["expires_at"],
            "revokedAt": row["revoked_at"],
        }
        for row in rows
    ]  # fmt: skip
    answer(output, {"tokens": said}, text=lambda out: _table(out, said))


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="Id of the token, as listed.")],
    output: OutputOption = Format.TEXT,
) -> None:
    """End a token now."""
    from bot.intake import tokens

    if token.startswith("pm_"):
        raise Failure(
            "Give the id from `pointsman token list`, not the token itself.",
            Code.USAGE,
            reason_code="NotAnId",
        )
    with opened() as store, store.begin() as session:
        ended = tokens.revoke(session, token)
    if not ended:
        raise Failure(f"There is no living token {token!r}.", reason_code="NotFound")
    answer(
        output,
        {"ok": True, "id": token},
        text=lambda out: out.print(f"Token {token} is revoked.", markup=False),
    )


def _missing_login() -> str:
    message = "Say for whom with --login, or for which agent with --agent."
    raise Failure(message, Code.USAGE, reason_code="NobodyMeant")


def _of_agent(agent: str, given: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes of a token that speaks for one agent."""
    from bot.intake.agents import built_in
    from bot.intake.tokens import BESIDE_AGENT, OF_AGENT

    scope, wrong = f"agent:{agent}", None
    if not OF_AGENT.fullmatch(scope):
        wrong = ("InvalidAgent", f"{agent!r} can not be the id of an agent: write it like qa-agent.")
    elif agent in built_in():
        wrong = ("BuiltInAgent", f"{agent} is built in: nobody outside speaks for it.")
    elif set(given) - BESIDE_AGENT:
        wrong = ("ScopesDoNotMix", "A token of one agent may have the scope read beside it, and no other.")
    if wrong:
        raise Failure(wrong[1], Code.USAGE, reason_code=wrong[0])
    return (scope, *given)


def _known(scopes: tuple[str, ...]) -> None:
    from bot.intake.tokens import SCOPES

    for scope in scopes:
        if scope not in SCOPES:
            raise Failure(
                f"There is no scope {scope!r}; there are {', '.join(SCOPES)}.",
                Code.USAGE,
                reason_code="UnknownScope",
            )


def _table(out: Console, tokens: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not tokens:
        out.print("No tokens.")
        return
    table = Table("id", "login", "tenant", "scopes", "name", "created", "state", box=None, pad_edge=False)
    for one in tokens:
        state = (
            "revoked" if one["revokedAt"] else f"until {one['expiresAt']}" if one["expiresAt"] else "living"
        )
        cells = (
            one["id"],
            one["login"],
            one["tenant"],
            " ".join(one["scopes"]),
            one["name"],
            one["createdAt"],
            state,
        )
        table.add_row(*(Text(clean(cell)) for cell in cells))
    out.print(table)
