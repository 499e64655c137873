"""Small pages at `/forge`: repositories, a change with its comments and checks, a pipeline with its logs.

Signed in by token; the cookie is HttpOnly and SameSite=Strict, every form carries the session's own secret,
and the content security policy lets nothing in but our one style sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from bot.forges.local import changes, comments, people
from bot.forges.local.ground import Ground
from bot.forges.local.merge import Wish, merge
from bot.forges.local.web import identity, looks
from bot.forges.local.web.answers import check_length, explain
from bot.forges.local.web.calls import Repository
from bot.forges.local.web.identity import COOKIE, SESSION, SignInNeeded, Visitor
from bot.forges.local.web.markdown import render

POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_templates = Environment(
    loader=PackageLoader("bot.forges.local.web"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["markdown"] = render
_templates.filters["moment"] = looks.moment


def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A rendered template with the headers of all pages."""
    return HTMLResponse(_templates.get_template(name).render(**values), status, HEADERS)


class PageRoute(APIRoute):
    """Answers errors as pages; who is not signed in is sent to the door."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                check_length(request)
                return await handler(request)
            except SignInNeeded:
                wanted = quote(request.url.path) if request.method == "GET" else "/forge"
                return RedirectResponse(f"/forge/sign-in?to={wanted}", 303)
            except Exception as error:  # noqa: BLE001 - explain raises what is not ours again
                status, code, message = explain(error)
                return page("error.html", status, title=code, message=message, who=None)

        return answered


class Visit:
    """A signed-in person's request."""

    def __init__(self, request: Request) -> None:
        self.ground: Ground = request.state.forge
        self.who: Visitor = identity.visitor(self.ground, request)
        self._request = request

    def may(self, repository: str, wanted: people.Permission) -> None:
        """Raise Missing or NotAllowed."""
        with self.ground.read() as session:
            people.require(session, repository, self.who.login, wanted)

    def own_form(self, csrf: str) -> None:
        """Raise NotAllowed for a form that is not from our page."""
        identity.require_own_form(self._request, self.who, csrf)


Here = Annotated[Visit, Depends(Visit)]
Field = Annotated[str, Form()]
REPOSITORY = "/{owner}/{name}"
CHANGE = REPOSITORY + "/changes/{number}"
routes = APIRouter(prefix="/forge", route_class=PageRoute, include_in_schema=False)


@routes.get("/style.css")
def style() -> FileResponse:
    """The one style sheet."""
    return FileResponse(Path(__file__).with_name("style.css"), media_type="text/css", headers=HEADERS)


@routes.get("/sign-in")
def door(request: Request, to: str = "/forge") -> HTMLResponse:
    """Asks for a token."""
    identity.require_loopback(request)
    return page("sign_in.html", title="Sign in", to=inside(to), wrong=False, who=None)


@routes.post("/sign-in")
def sign_in(request: Request, token: Field, to: Field = "/forge") -> Response:
    """Opens a session."""
    identity.require_loopback(request)
    identity.require_same_origin(request)
    ground: Ground = request.state.forge
    cookie = identity.sign_in(ground, token.strip())
    if cookie is None:
        return page("sign_in.html", 401, title="Sign in", to=inside(to), wrong=True, who=None)
    answer = RedirectResponse(inside(to), 303)
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=int(SESSION.total_seconds()),
        path="/forge",
        httponly=True,
        samesite="strict",
        secure=ground.settings.base_url.startswith("https:"),
    )
    return answer


@routes.post("/sign-out")
def sign_out(request: Request, here: Here, csrf: Field) -> Response:
    """Ends the session."""
    here.own_form(csrf)
    identity.sign_out(here.ground, request.cookies[COOKIE])
    answer = RedirectResponse("/forge/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/forge")
    return answer


def inside(to: str) -> str:
    """A path of ours to go on to; never another site's."""
    ours = to == "/forge" or to.startswith("/forge/")
    return to if ours and "\\" not in to and to.isprintable() else "/forge"


@routes.get("")
def front(here: Here) -> HTMLResponse:
    """The repositories you may read."""
    return page(
        "front.html",
        title="Repositories",
        repositories=looks.front(here.ground, here.who.login),
        who=here.who,
    )


@routes.get(REPOSITORY)
def show_repository(here: Here, repository: Repository) -> HTMLResponse:
    """Changes, branches, pipelines, deployments."""
    here.may(repository, "read")
    return page(
        "repository.html", title=repository, look=looks.repository(here.ground, repository), who=here.who
    )


@routes.get(CHANGE)
def show_change(here: Here, repository: Repository, number: int) -> HTMLResponse:
    """A change, whole."""
    here.may(repository, "read")
    look = looks.change(here.ground, repository, number, here.who.login)
    return page("change.html", title=f"{look.change['title']} #{number}", look=look, who=here.who)


@routes.post(CHANGE + "/comments")
def write_comment(here: Here, repository: Repository, number: int, csrf: Field, body: Field = "") -> Response:
    """The comment form."""
    here.own_form(csrf)
    here.may(repository, "read")
    if not body.strip():
        return RedirectResponse(f"/forge/{repository}/changes/{number}", 303)
    # Browsers send line ends as CRLF.
    text = body.replace("\r\n", "\n")
    written = comments.comment(here.ground, repository, number, comments.Words(text), login=here.who.login)
    return RedirectResponse(f"/forge/{repository}/changes/{number}#comment-{written.id}", 303)


@routes.post(CHANGE + "/reviews")
def review(
    here: Here, repository: Repository, number: int, csrf: Field, state: Field, revision: Field
) -> Response:
    """The approve and request-changes buttons: they are about the revision the page showed."""
    here.own_form(csrf)
    here.may(repository, "read")
    known = state if state in {"approved", "changes_requested"} else "commented"
    opinion = comments.Opinion(known, revision)
    comments.review(here.ground, repository, number, opinion, login=here.who.login)
    return RedirectResponse(f"/forge/{repository}/changes/{number}#reviews", 303)


@routes.post(CHANGE + "/merge")
def merge_it(here: Here, repository: Repository, number: int, csrf: Field, revision: Field) -> Response:
    """The merge button."""
    here.own_form(csrf)
    here.may(repository, "write")
    title = looks.change(here.ground, repository, number, here.who.login).change["title"]
    wish = Wish(repository, number, revision, "squash", f"{title} (#{number})", {})
    merge(here.ground, wish, login=here.who.login)
    return RedirectResponse(f"/forge/{repository}/changes/{number}", 303)


@routes.post(CHANGE + "/state")
def set_state(here: Here, repository: Repository, number: int, csrf: Field, state: Field) -> Response:
    """The close and reopen buttons."""
    here.own_form(csrf)
    here.may(repository, "write")
    wanted = "open" if state == "open" else "closed"
    changes.set_state(here.ground, repository, number, wanted, login=here.who.login)
    return RedirectResponse(f"/forge/{repository}/changes/{number}", 303)


@routes.get(REPOSITORY + "/releases")
def show_releases(here: Here, repository: Repository) -> HTMLResponse:
    """The pages of releases, one below the other."""
    here.may(repository, "read")
    look = looks.repository(here.ground, repository)
    return page("releases.html", title=f"Releases of {repository}", look=look, who=here.who)


@routes.get(REPOSITORY + "/issues/{number}")
def show_issue(here: Here, repository: Repository, number: int) -> HTMLResponse:
    """One issue."""
    here.may(repository, "read")
    look = looks.issue(here.ground, repository, number)
    return page("issue.html", title=f"{look.issue['title']} #{number}", look=look, who=here.who)


@routes.get(REPOSITORY + "/pipelines/{pipeline}")
def show_pipeline(here: Here, repository: Repository, pipeline: int) -> HTMLResponse:
    """A run with its jobs and what they printed."""
    here.may(repository, "read")
    look = looks.pipeline(here.ground, repository, pipeline)
    return page("pipeline.html", title=f"Pipeline {pipeline} of {repository}", look=look, who=here.who)
