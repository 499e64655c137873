"""Environments that people have locked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """One row per locked environment of a repository."""
    op.create_table(
        "environment_lock",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("forge", sa.String(), nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "forge", "repository", "environment"),
    )
