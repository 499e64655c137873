"""Azure DevOps, through its Python SDK. Services (dev.azure.com) and Server 2022 or newer."""

from bot.forges.azure.capabilities import UNPROVEN
from bot.forges.azure.forge import AzureForge

FORGE = AzureForge

__all__ = ["FORGE", "UNPROVEN", "AzureForge"]
