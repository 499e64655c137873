"""Texts -> policy.

Whatever is wrong is said with its line, column, path and what was perhaps meant; nothing is guessed.
"""

from __future__ import annotations

import hashlib
from functools import cached_property, lru_cache

from pydantic import BaseModel, ValidationError

from policies import layers, seeds
from policies.complain import translate
from policies.complaint import Complaint
from policies.errors import PolicyError, PolicyErrors, did_you_mean, dotted
from policies.lint import complaints
from policies.model import Policy
from policies.source import Map, Path, Place, parse, paths, place_of

SHOWN = 50
"""So many complaints are told; more are counted."""
ORGANISATION = "organisation"
"""The origin of what the organisation's policy says."""
_SEEDS: dict[str, type[BaseModel]] = dict(
    zip(seeds.SHAPES, (seeds.SecurityPolicy, seeds.ReleasePolicy), strict=True)
)


@lru_cache(maxsize=256)
def load(
    text: str,
    *,
    name: str = "policy.yaml",
    files: tuple[tuple[str, str], ...] = (),
    organisation: str | None = None,
    commands: frozenset[str] | None = None,
) -> Policy:
    """The resolved policy of a file. Raises PolicyErrors; a caller that catches it must block.

    `files` are path and text of what it extends (`extended` names them), `organisation` the text of the
    policy that all repositories of an organisation lie over. `commands` are the names of the comment commands
    there are; without them nobody looks whether the policy speaks of others.
    """
    reader = _Reader(name, parse(text, name), dict(files), commands)
    data = layers.resolve(reader.stack(organisation))
    policy = reader.read(data, reader.file)
    tenants = reader.tenants(data)
    if reader.errors or policy is None:
        raise PolicyErrors(name, _told(reader.errors, reader.more))
    texts = [text, *(part for file in sorted(files) for part in file), organisation or ""]
    digest = hashlib.sha256((text if not (files or organisation) else "\0".join(texts)).encode()).hexdigest()
    return policy.seal(digest, tenants)


@lru_cache(maxsize=1_024)
def extended(text: str) -> str | None:
    """The path of the file that a policy text extends, when it extends one. None also for a broken text.

    Remembered, for every question about a release asks it, and reading a text takes milliseconds.
    """
    try:
        wanted = parse(text, "").get("extends")
    except PolicyErrors:
        return None
    return wanted if isinstance(wanted, str) and layers.is_path(wanted) else None


def _told(errors: list[PolicyError], untold: int) -> list[PolicyError]:
    shown, more = errors[:SHOWN], max(0, len(errors) - SHOWN) + untold
    last = PolicyError(max(error.line for error in shown), 1, "", f"and {more} more mistakes")
    return [*shown, last] if more else shown


class _Reader:
    """Reads the layers of one file and gathers what is wrong with them."""

    def __init__(
        self, name: str, file: Map, files: dict[str, str], commands: frozenset[str] | None = None
    ) -> None:
        self.name = name
        self.commands = commands
        self.raw = file
        self.files = files
        self.errors: list[PolicyError] = []
        self.more = 0
        """Complaints that nobody has worded."""
        self.converted: dict[Place, str] = {}
        self.file = self._converted(file)

    @cached_property
    def written(self) -> dict[tuple[Place, bool], Path]:
        """Place (of a key or a value) -> path in the file: a list that was merged has other indices."""
        return {(place, is_key): path for place, is_key, path in paths(self.raw)}

    def stack(self, organisation: str | None) -> list[Map]:
        """What lies beneath the file, the lowest first, and the file."""
        beneath = self._beneath(self._text(organisation, ORGANISATION), []) if organisation else []
        return self._beneath(self.file, beneath)

    def _beneath(self, layer: Map, beneath: list[Map], seen: tuple[str, ...] = ()) -> list[Map]:
        if "extends" not in layer:
            return [*(beneath or [layers.pack("default")]), layer]
        wanted = layer["extends"]
        if wanted in layers.packs():
            return [*beneath, layers.pack(wanted), layer]
        if not (isinstance(wanted, str) and layers.is_path(wanted)) or layer.place.origin == ORGANISATION:
            raise self._no_pack(layer)
        if wanted in seen:
            raise self._extends(layer, f"extends itself: {' -> '.join((*seen, wanted))}")
        if wanted not in self.files:
            raise self._extends(layer, f"there is no file {wanted!r} in the repository")
        return [*self._beneath(self._text(self.files[wanted], wanted), beneath, (*seen, wanted)), layer]

    def _text(self, text: str, origin: str) -> Map:
        """The data of another text than the file's. Raises PolicyErrors that name it."""
        try:
            return self._converted(parse(text, origin))
        except PolicyErrors as broken:
            first = broken.errors[0]
            place = self.raw.values_at.get("extends", Place(self.name, 1, 1))
            said = PolicyError(place.line, place.column, "extends", f"{origin}:{first}")
            raise PolicyErrors(self.name, [said]) from None

    def _converted(self, file: Map) -> Map:
        """Without the seeds' shapes. Raises PolicyErrors for shapes that are none."""
        found: list[PolicyError] = []
        for key, shape in _SEEDS.items():
            try:
                shape.model_validate(file.get(key, {}))
            except ValidationError as error:
                for told in error.errors(include_url=False):
                    complaint, is_key = translate(told | {"loc": (key, *told["loc"])})
                    place, _ = place_of(file, complaint.path, key=is_key)
                    found.append(_error(place, complaint.path, complaint))
        if found:
            raise PolicyErrors(file.place.origin, found)
        self.converted |= seeds.places(file)
        return seeds.convert(file)

    def _no_pack(self, layer: Map) -> PolicyErrors:
        wanted = str(layer["extends"])
        message = f"there is no pack {wanted!r}: extend {', '.join(layers.packs())} or a .yaml file"
        return self._extends(layer, message, did_you_mean(wanted, layers.packs()))

    def _extends(self, layer: Map, message: str, suggestion: str | None = None) -> PolicyErrors:
        complaint = Complaint(("extends",), message, suggestion)
        blamed = layer if layer.place.origin == self.name else self.raw
        return PolicyErrors(self.name, [self._placed(complaint, layer, blamed)])

    def tenants(self, data: Map) -> dict[str, Policy]:
        overlays = data.get("tenants")
        below = layers.without(data, "tenants")
        found = {}
        for tenant, overlay in (overlays if isinstance(overlays, Map) else {}).items():
            if not isinstance(overlay, Map):
                continue  # said already, when the file itself was read
            if "tenants" in overlay:
                complaint = Complaint(("tenants",), "a tenant has no tenants")
                self.errors.append(self._placed(complaint, overlay, overlay, key=True))
                continue
            policy = self.read(layers.resolve_tenant(below, overlay, self._pack(overlay)), overlay)
            if policy:
                found[tenant] = policy
        return found

    def _pack(self, overlay: Map) -> Map | None:
        if "extends" not in overlay:
            return None
        if overlay["extends"] not in layers.packs():
            raise self._no_pack(overlay)
        return layers.pack(overlay["extends"])

    def read(self, data: Map, layer: Map) -> Policy | None:
        try:
            policy = Policy.model_validate(data)
        except ValidationError as error:
            told = error.errors(include_url=False, include_context=True)
            for complaint, key in map(translate, told[:SHOWN]):
                self.errors.append(self._placed(complaint, data, layer, key=key))
            self.more += max(0, len(told) - SHOWN)
            return None
        self.errors += [
            self._placed(complaint, data, layer) for complaint in complaints(policy, self.commands)
        ]
        return policy.trace(data, self.converted)

    def _placed(self, complaint: Complaint, data: Map, layer: Map, *, key: bool = False) -> PolicyError:
        place, depth = place_of(data, complaint.path, key=key)
        path, message = complaint.path, complaint.message
        if place.origin == self.name:
            at_key = key and depth == len(path)
            path = (*self.written.get((place, at_key), path[:depth]), *path[depth:])
        else:
            path = (*self.written.get((layer.place, False), ()), *path)
            line = "" if place.origin in PACKED else f", line {place.line}"
            message = f"{message} (asked for by the {place.origin}{line})"
            place = layer.values_at.get("extends", Place(self.name, 1, 1))
        return _error(place, path, complaint._replace(message=message))


PACKED = frozenset(f"pack {name}" for name in layers.packs())


def _error(place: Place, path: Path, complaint: Complaint) -> PolicyError:
    return PolicyError(place.line, place.column, dotted(path), complaint.message, complaint.suggestion)
