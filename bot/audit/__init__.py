"""What the bot vouches for: its key, and what it signs with it."""
