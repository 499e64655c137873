"""The pure vocabulary: events, effects, decisions, the state of a trace. Nothing here reads a clock or leaves
the process.
"""
