"""`pointsman demo`: the main job, for real, on one machine, in a temporary home."""
