"""How facts come in: authenticated, stored once, acknowledged after the commit."""
