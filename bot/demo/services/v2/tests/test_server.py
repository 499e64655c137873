import http.client
import json
import threading
import unittest
from http.server import ThreadingHTTPServer

from booking_service.bookings import Book
from booking_service.server import VERSION, Handler


class ServerTest(unittest.TestCase):
    def setUp(self):
        Handler.book = Book()
        Handler.log_message = lambda *_: None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=5)
        connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def test_probes_answer(self):
        for probe in ("/startupz", "/livez"):
            self.assertEqual(self.ask("GET", probe), (200, {"status": "ok", "version": VERSION}))

    def test_a_booking_is_made_once(self):
        wanted = {"name": "Ada", "start": 540, "end": 600}
        self.assertEqual(self.ask("POST", "/bookings", wanted), (201, wanted))
        self.assertEqual(self.ask("POST", "/bookings", wanted), (409, {"error": "taken by Ada"}))
        self.assertEqual(self.ask("GET", "/bookings")[1]["bookings"], [wanted])

    def test_nonsense_is_refused(self):
        self.assertEqual(self.ask("POST", "/bookings", {"name": "Ada"})[0], 422)
        self.assertEqual(self.ask("GET", "/nothing")[0], 404)
