"""what staff wrote and did not reach the customer

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('thread_messages', sa.Column('undelivered_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('thread_messages', sa.Column('undelivered_code', sa.String(length=16), nullable=True))
    op.create_index(
        'idx_thread_messages_undelivered',
        'thread_messages',
        ['undelivered_at'],
        postgresql_where=sa.text('undelivered_at IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('idx_thread_messages_undelivered', table_name='thread_messages')
    op.drop_column('thread_messages', 'undelivered_code')
    op.drop_column('thread_messages', 'undelivered_at')
