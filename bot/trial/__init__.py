"""Tries the policy that a change would bring in: syntax, its own tests, what it would have said so far."""
