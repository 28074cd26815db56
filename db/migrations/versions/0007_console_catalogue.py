"""staff mark products as sold out, upload pictures and set the opening hours

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('products', sa.Column('sold_out', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.create_index('idx_customers_created', 'customers', [sa.literal_column('created_at DESC'), sa.literal_column('id DESC')])
    op.create_table(
        'pictures',
        sa.Column('name', sa.String(length=200), nullable=False),
        sa.Column('content', sa.LargeBinary(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.PrimaryKeyConstraint('name'),
    )
    op.create_table(
        'opening_hours',
        sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('notation', sa.Text(), nullable=True),
        sa.Column('closed_on', sa.Date(), nullable=True),
        sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.CheckConstraint('id = 1', name='opening_hours_one_row'),
        sa.PrimaryKeyConstraint('id'),
    )


def downgrade() -> None:
    op.drop_index('idx_customers_created', table_name='customers')
    op.drop_table('opening_hours')
    op.drop_table('pictures')
    op.drop_column('products', 'sold_out')
