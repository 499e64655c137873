"""Pointsman: takes every change from intent to production along one trace, under one policy file."""

__version__ = "0.1.0"
