"""Studio: the web pages.

The first one answers "what blocks me, who can help, when does it change" before anything else.
"""
