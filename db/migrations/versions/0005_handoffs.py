"""a person of the shop in a conversation, and what is said there

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op
revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

KINDS = ('handoff_reason', 'handoff_status', 'thread_message_kind')


def upgrade() -> None:
    op.create_table('handoffs',
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('reason', sa.Enum('asked', 'complaint', 'not_understood', 'staff', name='handoff_reason'), nullable=False),
    sa.Column('state', sa.String(length=32), nullable=True),
    sa.Column('status', sa.Enum('waiting', 'taken', 'closed', name='handoff_status'), nullable=False),
    sa.Column('taken_by', sa.Text(), nullable=True),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('end_told_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id']),
    sa.PrimaryKeyConstraint('id')
    )
    still_open = sa.text("status <> 'closed'")
    op.create_index('idx_handoffs_open', 'handoffs', ['customer_id'], unique=True, postgresql_where=still_open)
    op.create_index('idx_handoffs_customer', 'handoffs', ['customer_id', 'requested_at'])
    op.create_index('idx_handoffs_waiting', 'handoffs', ['requested_at'], postgresql_where=still_open)
    op.create_table('thread_messages',
    sa.Column('handoff_id', sa.Uuid(), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('sequence', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('staff', sa.Text(), nullable=True),
    sa.Column('kind', sa.Enum('text', 'media', 'location', 'too_many', name='thread_message_kind'), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id']),
    sa.ForeignKeyConstraint(['handoff_id'], ['handoffs.id']),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('message_id'),
    sa.UniqueConstraint('sequence')
    )
    op.create_index('idx_thread_messages_handoff', 'thread_messages', ['handoff_id', 'sequence'])
    op.create_index('idx_thread_messages_customer', 'thread_messages', ['customer_id', 'sequence'])


def downgrade() -> None:
    op.drop_table('thread_messages')
    op.drop_table('handoffs')
    for kind in KINDS:
        op.execute(f'DROP TYPE {kind}')
