"""The book: appointments of one room, half-open intervals of minutes since midnight."""

from dataclasses import asdict, dataclass


class Overlap(Exception):
    """The wanted time is taken."""


@dataclass(frozen=True)
class Booking:
    name: str
    start: int
    end: int


class Book:
    def __init__(self):
        self._bookings = []

    def add(self, name, start, end):
        """Add a booking or raise Overlap; ValueError when it does not end after it starts."""
        if not name or not 0 <= start < end <= 24 * 60:
            raise ValueError("a booking needs a name and 0 <= start < end <= 1440")
        for other in self._bookings:
            if start < other.end and other.start < end:
                raise Overlap(f"taken by {other.name}")
        booking = Booking(name, start, end)
        self._bookings.append(booking)
        return booking

    def all(self):
        return [asdict(booking) for booking in sorted(self._bookings, key=lambda b: b.start)]
