"""GitHub's own description of its REST API, held against what the bot asks (@octokit/openapi, openapi-core).

The description has 13 MB; openapi-core is given the part of it that is about one path at a time, with everything
that this part refers to.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests.forges.github.fake.server import Exchange
from tests.support.node import TOOLS

HOST = "https://api.github.com"
ELSEWHERE = re.compile(r"^/(codeload|logs|storage)/|^/graphql$")
"""Where GitHub redirects to, and GraphQL, which its own schema is for (fake/graph.py)."""
REFERENCE = re.compile(r'"\$ref": ?"#/components/(\w+)/([^"]+)"')
Json = dict[str, Any]
ENOUGH = 20
"""Answers of one kind that are looked at; requests are looked at without exception."""
NOTHING = {"nullable": True, "enum": [None]}


class Contract:
    """`violations` says what GitHub would not understand, and what the fake says that GitHub never does."""

    def __init__(self) -> None:
        self.checked = 0
        self._understood: set[tuple[str, str, str, bytes, int]] = set()
        self._answers: Counter[tuple[str, str, int]] = Counter()
        self._whole: Json = json.loads((TOOLS / "@octokit/openapi/generated/api.github.com.json").read_text())
        self._parts: dict[str, OpenAPI] = {}

    @cached_property
    def _templates(self) -> list[tuple[re.Pattern[str], str]]:
        """Fixed words before variables, as GitHub itself decides."""
        ordered = sorted(self._whole["paths"], key=lambda path: (path.count("{"), path))
        return [(re.compile("^" + re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"), path) for path in ordered]

    def template(self, path: str) -> str | None:
        return next((template for pattern, template in self._templates if pattern.match(path)), None)

    def violations(self, exchanges: Iterable[Exchange]) -> list[str]:
        """Of every request, and of every answer that is no failure made on purpose."""
        found: list[str] = []
        for one in exchanges:
            asked = (one.method, one.path, str(one.query), one.body, one.status)
            if not ELSEWHERE.match(one.path) and asked not in self._understood:
                wrong = self._violations(one)
                found += [f"{one.method} {one.path}: {what}" for what in wrong]
                if not wrong:
                    self._understood.add(asked)
                self.checked += 1
        return found

    def _violations(self, one: Exchange) -> list[str]:
        template = self.template(one.path)
        if template is None or one.method.lower() not in self._whole["paths"][template]:
            return ["GitHub has nothing of that kind"]
        part = self._part(template)
        asked = MockRequest(
            HOST,
            one.method.lower(),
            one.path,
            args=dict(parse_qsl(urlencode(one.query))),
            data=one.body or None,
            content_type=one.headers.get("content-type", "application/json") if one.body else "",
        )
        wrong = [_said(error) for error in part.iter_request_errors(asked)]
        documented = self._whole["paths"][template][one.method.lower()]["responses"]
        answer = one.answer
        kind = (one.method, template, one.status)
        self._answers[kind] += 1
        if self._answers[kind] > ENOUGH:
            return wrong
        if (
            str(one.status) in documented
            and 200 <= one.status < 300
            and answer is not None
            and not isinstance(answer, bytes)
        ):
            told = MockResponse(json.dumps(answer).encode(), one.status)
            wrong += [f"the fake: {_said(error)}" for error in part.iter_response_errors(asked, told)]
        return wrong

    def _part(self, template: str) -> OpenAPI:
        if template not in self._parts:
            spec: Json = {
                "openapi": self._whole["openapi"],
                "info": self._whole["info"],
                "servers": [{"url": HOST}],
                "paths": {template: _lenient(self._whole["paths"][template])},
                "components": {},
            }
            wanted = set(REFERENCE.findall(json.dumps(spec["paths"])))
            done: set[tuple[str, str]] = set()
            while wanted - done:
                for kind, name in wanted - done:
                    one = self._whole["components"][kind][name]
                    one = _optional(one) if kind in {"schemas", "responses"} else one
                    spec["components"].setdefault(kind, {})[name] = one
                    done.add((kind, name))
                    wanted |= set(REFERENCE.findall(json.dumps(one)))
            self._parts[template] = OpenAPI.from_dict(spec)
        return self._parts[template]


def _lenient(path: Json) -> Json:
    """Requests as strict as they are; answers may leave fields out that nobody here reads."""
    return {
        method: one | {"responses": _optional(one["responses"])}
        if isinstance(one, dict) and "responses" in one
        else one
        for method, one in path.items()
    }


def _optional(schema: Any) -> Any:
    """The same without `required`. Every field that is there must be of the right kind still.

    With less required more than one of several kinds may fit, and OpenAPI 3.0 has its own idea of `nullable`.
    """
    if schema == NOTHING:
        return schema
    if isinstance(schema, dict):
        kept = {
            name: value
            for name, value in schema.items()
            if not (name == "required" and isinstance(value, list))
        }
        if "oneOf" in kept:
            kept["anyOf"] = kept.pop("oneOf")
        if kept.get("nullable") and "enum" in kept and None not in kept["enum"]:
            kept["enum"] = [*kept["enum"], None]
        if kept.get("nullable") and "anyOf" in kept:
            kept["anyOf"] = [*kept["anyOf"], NOTHING]
        return {name: _optional(value) for name, value in kept.items() if name not in {"examples", "example"}}
    return [_optional(one) for one in schema] if isinstance(schema, list) else schema


def _said(error: BaseException) -> str:
    inner = getattr(error, "schema_errors", None) or getattr(error.__cause__, "schema_errors", None)
    if inner:
        return "; ".join(f"{'.'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in inner)
    return f"{error} {error.__cause__ or ''}"[:300]


@lru_cache(maxsize=1)
def contract() -> Contract:
    """Read once per run."""
    return Contract()
