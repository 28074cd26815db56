"""messages that were misunderstood, for designers

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

KIND = postgresql.ENUM('fallback', 'correction', 'abandoned_cart', 'assisted', 'declined_proposal', name='misunderstanding_kind', create_type=False)
DECISION = postgresql.ENUM('accepted', 'rejected', name='misunderstanding_decision', create_type=False)


def upgrade() -> None:
    KIND.create(op.get_bind())
    DECISION.create(op.get_bind())
    op.create_table(
        'misunderstandings',
        sa.Column('id', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
        sa.Column('customer_id', sa.Uuid(), nullable=True),
        sa.Column('kind', KIND, nullable=False),
        sa.Column('state', sa.String(length=32), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('language', sa.String(length=8), nullable=False),
        sa.Column('intent', sa.Text(), nullable=True),
        sa.Column('confidence', sa.Numeric(precision=4, scale=3), nullable=True),
        sa.Column('proposal', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column('order_value', sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('decided_by', sa.Text(), nullable=True),
        sa.Column('decision', DECISION, nullable=True),
        sa.Column('label', sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(['customer_id'], ['customers.id']),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_index('idx_misunderstandings_created', 'misunderstandings', ['created_at'])
    op.create_index('idx_misunderstandings_customer', 'misunderstandings', ['customer_id'])
    op.create_index('idx_misunderstandings_open', 'misunderstandings', ['created_at'], postgresql_where=sa.text('decision IS NULL'))


def downgrade() -> None:
    op.drop_table('misunderstandings')
    DECISION.drop(op.get_bind())
    KIND.drop(op.get_bind())
