"""payments that are to be closed at their provider, since their order ended

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('payments', sa.Column('close_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        'idx_payments_close',
        'payments',
        ['close_at'],
        postgresql_where=sa.text('close_at IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('idx_payments_close', table_name='payments')
    op.drop_column('payments', 'close_at')
