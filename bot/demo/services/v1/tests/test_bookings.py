import unittest

from booking_service.bookings import Book, Overlap


class BookTest(unittest.TestCase):
    def test_a_booking_is_kept(self):
        book = Book()
        book.add("Ada", 540, 600)
        self.assertEqual(book.all(), [{"name": "Ada", "start": 540, "end": 600}])

    def test_neighbours_do_not_overlap(self):
        book = Book()
        book.add("Ada", 540, 600)
        book.add("Grace", 600, 660)
        self.assertEqual([b["name"] for b in book.all()], ["Ada", "Grace"])

    def test_a_taken_time_is_refused(self):
        book = Book()
        book.add("Ada", 540, 600)
        with self.assertRaises(Overlap):
            book.add("Grace", 599, 601)

    def test_a_booking_ends_after_it_starts(self):
        with self.assertRaises(ValueError):
            Book().add("Ada", 600, 600)
