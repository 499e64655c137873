"""Booking service: appointments that do not overlap. Standard library only."""
