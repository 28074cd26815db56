"""when a message that was misunderstood became an example

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op
revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('misunderstandings', sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('misunderstandings', 'taken_at')
