"""Answers kept for a while: with their ETags, so that asking again is free, and what can never change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """The newest `most` values by key, together no heavier than `heaviest`; safe between threads."""

    def __init__(self, most: int, *, heaviest: int = 0) -> None:
        self._most = most
        self._heaviest = heaviest
        self._weight = 0
        self._kept: OrderedDict[tuple[str, ...], tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, *key: str) -> Value | None:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, value: Value, *key: str, weight: int = 0) -> Value:
        """One that is heavier than all may be together is not kept."""
        with self._lock:
            self._drop(key)
            self._kept[key] = (value, weight)
            self._weight += weight
            while len(self._kept) > self._most or (self._heaviest and self._weight > self._heaviest):
                self._drop(next(iter(self._kept)))
        return value

    def forget(self, *key: str) -> None:
        with self._lock:
            self._drop(key)

    def _drop(self, key: tuple[str, ...]) -> None:
        self._weight -= self._kept.pop(key, (None, 0))[1]
