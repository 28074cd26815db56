"""order lines know when they were ordered; categories are found in any case

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op
revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('order_items', sa.Column('ordered_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False))
    op.execute('UPDATE order_items SET ordered_at = orders.created_at FROM orders WHERE orders.id = order_items.order_id')
    op.create_index('idx_order_items_ordered', 'order_items', ['ordered_at'], postgresql_using='brin')
    op.create_index('idx_products_category_any_case', 'products', [sa.literal_column('lower(category)')])


def downgrade() -> None:
    op.drop_index('idx_products_category_any_case', table_name='products')
    op.drop_index('idx_order_items_ordered', table_name='order_items')
    op.drop_column('order_items', 'ordered_at')
