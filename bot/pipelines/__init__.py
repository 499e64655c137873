"""Pipelines in words of no forge, from templates, rendered for each CI system.

Pure, but for reading templates.
"""
