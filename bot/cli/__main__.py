"""`python -m bot.cli`: the same as `pointsman`."""

from bot.cli import main

main()
