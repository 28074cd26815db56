"""currencies are codes, and no line costs less than nothing

Revision: 0012, after 0011
"""

from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_check_constraint('orders_currency_code', 'orders', "currency ~ '^[A-Z]{3}$'")
    op.create_check_constraint('payments_currency_code', 'payments', "currency ~ '^[A-Z]{3}$'")
    op.create_check_constraint('order_items_total_not_negative', 'order_items', 'total_price >= 0')


def downgrade() -> None:
    op.drop_constraint('order_items_total_not_negative', 'order_items')
    op.drop_constraint('payments_currency_code', 'payments')
    op.drop_constraint('orders_currency_code', 'orders')
