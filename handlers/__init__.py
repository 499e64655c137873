"""What the bot does when something happened: agents, reactions and comment commands. Pure: data in, decisions out."""
