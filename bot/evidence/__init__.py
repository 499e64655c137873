"""Reports become evidence: one reader per kind, one place that gathers them from pipelines."""
