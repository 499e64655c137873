"""The embedded forge: real Git repositories, changes, webhooks and pipelines inside the bot.

It listens on loopback only and is as safe as the account it runs under: pipelines execute what people push.
"""

from bot.forges.local.forge import LocalForge
from bot.forges.local.ground import LocalSettings

FORGE = LocalForge

__all__ = ["FORGE", "LocalForge", "LocalSettings"]
