"""The artefacts of a trace ("memory"): files that are a function of its events and of nothing else."""
