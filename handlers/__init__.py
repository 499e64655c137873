"""What the bot does when something happened: agents, reactions, commands. Pure: data in, decisions out."""
