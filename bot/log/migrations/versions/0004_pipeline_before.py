"""The embedded forge's pipelines remember where the branch was before the push: `rules:changes` compares with
it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Of runs that are already there it is not known."""
    op.add_column("forge_pipelines", sa.Column("before", sa.String(), nullable=True))
