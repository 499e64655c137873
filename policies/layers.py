"""Layers of policy: organisation, pack or extended file, the file itself, tenant. The upper one wins.

Gates and freezes add up by name; a role is replaced whole.

`environments: {"*": ...}` is what every environment gets beneath its own words. Environments that a pack
names are there only while nobody else names any.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import lru_cache, reduce
from pathlib import Path as FilePath
from typing import Any

from policies.source import Map, Path, Place, Seq, parse

PACKS = FilePath(__file__).parent / "packs"
EVERY = "*"
_HERE = Place("", 1, 1)
_A_ROLE = len(("roles", "ProductOwner"))


def packs() -> tuple[str, ...]:
    """The names that `extends` knows."""
    return tuple(sorted(path.stem for path in PACKS.glob("*.yaml")))


@lru_cache(maxsize=16)
def pack(name: str) -> Map:
    """The data of a pack."""
    data = parse((PACKS / f"{name}.yaml").read_text(encoding="utf-8"), f"pack {name}")
    return without(data, "version")  # a file says its own


def is_path(extends: str) -> bool:
    """Whether `extends` names a file of the repository rather than a pack."""
    return extends.endswith((".yaml", ".yml"))


def resolve(stack: list[Map]) -> Map:
    """Layers, the lowest first, as one."""
    named = any(_named(layer) and not _is_pack(layer) for layer in stack)
    below = [_without_environments(layer) if named and _is_pack(layer) else layer for layer in stack]
    return _spread(reduce(merge, below), tuple(map(_every, stack)))


def _is_pack(layer: Map) -> bool:
    return layer.place.origin.startswith("pack ")


def _named(layer: Map) -> list[str]:
    return [name for name in _environments(layer) if name != EVERY]


def resolve_tenant(repository: Map, overlay: Map, base: Map | None) -> Map:
    """A tenant's words over the repository's, with the pack that the tenant extends between them."""
    below = repository
    if base is not None:
        spread = (_every(base),)
        below = _spread(merge(repository, _without_environments(base)), spread, under=False)
    named = _without_every(overlay)
    return _spread(merge(below, named), (_every(overlay),), under=False)


def merge(lower: Any, upper: Any, path: Path = ()) -> Any:
    """Two layers of the same thing."""
    if (
        isinstance(lower, Map)
        and isinstance(upper, Map)
        and not (path[:1] in {("roles",), ("teams",)} and len(path) == _A_ROLE)
    ):
        return _merge_maps(lower, upper, path)
    if isinstance(lower, Seq) and isinstance(upper, Seq) and path[-1:] in {("gates",), ("freezes",)}:
        return _merge_lists(lower, upper)
    return upper


def _merge_maps(lower: Map, upper: Map, path: Path) -> Map:
    result = Map(upper.place)
    for key, value in lower.items():
        if key not in upper:
            result.put(key, value, lower.keys_at[key], lower.values_at[key])
    for key, value in upper.items():
        merged = merge(lower[key], value, (*path, key)) if key in lower else value
        result.put(key, merged, upper.keys_at[key], upper.values_at[key])
    return result


def _merge_lists(lower: Seq, upper: Seq) -> Seq:
    result = Seq(upper.place)
    said = {_identity(item) for item in upper}
    for item, place in zip(lower, lower.items_at, strict=True):
        if _identity(item) not in said:
            result.put(item, place)
    for item, place in zip(upper, upper.items_at, strict=True):
        result.put(item, place)
    return result


def _identity(item: Any) -> Hashable:
    """A freeze is its name; a gate is its name and condition."""
    if not isinstance(item, Map):
        return str(item), None
    if "name" in item:
        return str(item["name"])
    return next((key for key in item if key != "when"), ""), str(item["when"]) if "when" in item else None


def _environments(data: Map) -> Map:
    found = data.get("environments")
    return found if isinstance(found, Map) else Map(_HERE)


def _every(data: Map) -> Any:
    return _environments(data).get(EVERY, Map(_HERE))


def without(data: Map, *keys: str) -> Map:
    """A mapping less some of its keys."""
    result = Map(data.place)
    for key, value in data.items():
        if key not in keys:
            result.put(key, value, data.keys_at[key], data.values_at[key])
    return result


def _without_environments(data: Map) -> Map:
    return without(data, "environments")


def _without_every(data: Map) -> Map:
    result = Map(data.place)
    for key, value in data.items():
        inner = without(value, EVERY) if key == "environments" and isinstance(value, Map) else value
        result.put(key, inner, data.keys_at[key], data.values_at[key])
    return result


def _spread(data: Map, every: tuple[Any, ...], *, under: bool = True) -> Map:
    """Lay what is said of every environment under (or over) each one's own words."""
    environments = _environments(data)
    result = Map(environments.place)
    for name, own in environments.items():
        if name != EVERY:
            value = own if own is not None else Map(environments.values_at[name])
            for layer in every[::-1] if under else every:
                value = (
                    merge(layer, value, ("environments", name))
                    if under
                    else merge(value, layer, ("environments", name))
                )
            result.put(name, value, environments.keys_at[name], environments.values_at[name])
    if "environments" not in data or not isinstance(data["environments"], Map):
        return data
    out = _without_environments(data)
    out.put("environments", result, data.keys_at["environments"], data.values_at["environments"])
    return out


def leaves(data: Any, place: Place, path: Path = ()) -> Iterator[tuple[Path, Any, Place]]:
    """Each value of resolved data, and where it was written."""
    if isinstance(data, Map) and data:
        for key, value in data.items():
            yield from leaves(value, data.values_at[key], (*path, key))
    elif isinstance(data, Seq) and data:
        for index, value in enumerate(data):
            yield from leaves(value, data.items_at[index], (*path, index))
    else:
        yield path, data, place
