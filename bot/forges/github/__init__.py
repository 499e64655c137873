"""GitHub, and GitHub Enterprise Server: as a GitHub App, or with a personal token for a trial.

Importing this is cheap: the SDK is imported when GitHub is first asked for something.
"""

from bot.forges.github.capabilities import UNPROVEN
from bot.forges.github.forge import GitHubForge

FORGE = GitHubForge

__all__ = ["FORGE", "UNPROVEN", "GitHubForge"]
