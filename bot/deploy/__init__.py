"""Making a release the running one: strategies, and the performer that picks one (003, agent 5)."""
