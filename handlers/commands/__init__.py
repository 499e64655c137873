"""One comment command per file. `/help`, docs and permission come from the declaration."""
