"""XML of somebody else: no entities, no external documents, and an answer that names what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring, iterparse

from bot.domain.errors import Invalid

RULES: dict[str, Any] = {"forbid_dtd": False, "forbid_entities": True, "forbid_external": True}
"""A document type is let through, because Cobertura's writers name one; nothing that it defines is."""


@contextmanager
def _careful() -> Iterator[None]:
    try:
        yield
    except DefusedXmlException as error:
        message = "the file defines entities or names other documents, which is refused"
        raise Invalid("UnsafeXml", message) from error
    except (ParseError, ValueError, LookupError) as error:
        raise Invalid("NotXml", f"the file is not XML: {error}") from error


def root_tag(content: bytes) -> str:
    """The name of the root element; what follows it is not looked at. Raises Invalid."""
    with _careful():
        _, root = next(iterparse(BytesIO(content), events=("start",), **RULES))
        return str(root.tag)


def root_of(content: bytes, *tags: str) -> Element:
    """The root element, which is one of `tags`. Raises Invalid('NotXml', 'UnsafeXml', 'WrongRoot')."""
    with _careful():
        root = fromstring(content, **RULES)
    if root.tag not in tags:
        raise Invalid("WrongRoot", f"the root element is <{root.tag}>, not <{tags[0]}>", path=f"/{root.tag}")
    return root
