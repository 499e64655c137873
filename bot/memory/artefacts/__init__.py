"""One module per artefact, or for a few that belong together; `bot/memory/project.py` finds them."""
