"""Decisions: pure functions from a fact and a view to a decision. No clock, no I/O, no randomness, no SDK."""
