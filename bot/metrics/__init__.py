"""`/metrics`: numbers for Prometheus, counted from the database at the moment they are asked for.

So every process of one bot says the same, and a restart forgets nothing (docs/adr/0014). What only a process
itself has heard, the forges' rate limits, is said by that process.
"""
