"""GitLab: gitlab.com, or one's own from version 16 on."""

from bot.forges.gitlab.capabilities import UNPROVEN
from bot.forges.gitlab.forge import GitLabForge

FORGE = GitLabForge

__all__ = ["FORGE", "UNPROVEN", "GitLabForge"]
