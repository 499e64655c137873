"""Pages that say what the code says: `make docs` writes them, tests/docs finds them stale."""
