"""Signed words about what was built and what was decided: in-toto statements in DSSE envelopes. Pure."""
