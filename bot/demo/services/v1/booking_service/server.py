"""HTTP: GET and POST /bookings, and the three probes."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from booking_service.bookings import Book, Overlap

VERSION = "1.0.0"
PROBES = {"/startupz", "/readyz", "/livez"}


class Handler(BaseHTTPRequestHandler):
    book = Book()

    def do_GET(self):
        if self.path in PROBES:
            self.answer(200, {"status": "ok", "version": VERSION})
        elif self.path == "/bookings":
            self.answer(200, {"bookings": self.book.all(), "version": VERSION})
        else:
            self.answer(404, {"error": "not found"})

    def do_POST(self):
        if self.path != "/bookings":
            self.answer(404, {"error": "not found"})
            return
        try:
            wanted = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            booking = self.book.add(wanted["name"], wanted["start"], wanted["end"])
        except Overlap as taken:
            self.answer(409, {"error": str(taken)})
        except (KeyError, TypeError, ValueError) as wrong:
            self.answer(422, {"error": str(wrong)})
        else:
            self.answer(201, {"name": booking.name, "start": booking.start, "end": booking.end})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def serve(port):
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
