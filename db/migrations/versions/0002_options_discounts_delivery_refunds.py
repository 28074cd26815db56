"""options, discounts, delivery, refunds

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

# Made once, used by two tables.
FULFILMENT = postgresql.ENUM('pickup', 'delivery', name='fulfilment', create_type=False)


def upgrade() -> None:
    FULFILMENT.create(op.get_bind())
    op.create_table('discounts',
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.Enum('percent', 'amount', name='discount_kind'), nullable=False),
    sa.Column('value', sa.Numeric(precision=12, scale=2), nullable=False),
    sa.Column('minimum_amount', sa.Numeric(precision=12, scale=2), server_default=sa.text('0'), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('most_uses', sa.Integer(), nullable=True),
    sa.Column('uses', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("value > 0 AND (kind <> 'percent' OR value <= 100)", name='discounts_value_sane'),
    sa.CheckConstraint('uses >= 0 AND (most_uses IS NULL OR uses <= most_uses)', name='discounts_uses_left'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('idx_discounts_code', 'discounts', [sa.literal_column('upper(code)')], unique=True)
    op.create_table('option_groups',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('required', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('most', sa.Integer(), server_default=sa.text('1'), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.CheckConstraint('most >= 1', name='option_groups_most_positive'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    op.create_table('product_option_groups',
    sa.Column('product_id', sa.Uuid(), nullable=False),
    sa.Column('group_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.ForeignKeyConstraint(['group_id'], ['option_groups.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['product_id'], ['products.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('product_id', 'group_id')
    )
    op.create_table('product_options',
    sa.Column('group_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('price_difference', sa.Numeric(precision=12, scale=2), server_default=sa.text('0'), nullable=False),
    sa.Column('aliases', sa.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('available', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('position', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.ForeignKeyConstraint(['group_id'], ['option_groups.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('idx_product_options_name', 'product_options', ['group_id', 'name'], unique=True)
    op.create_table('staff_actions',
    sa.Column('staff', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Uuid(), nullable=True),
    sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.ForeignKeyConstraint(['order_id'], ['orders.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('idx_staff_actions_order', 'staff_actions', ['order_id'], unique=False)
    op.create_table('refunds',
    sa.Column('payment_id', sa.Uuid(), nullable=False),
    sa.Column('amount', sa.Numeric(precision=12, scale=2), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('requested_by', sa.Text(), nullable=False),
    sa.Column('status', sa.Enum('pending', 'done', 'failed', name='refund_status'), nullable=False),
    sa.Column('provider_id', sa.Text(), nullable=True),
    sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('next_try_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('completed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint('amount > 0', name='refunds_amount_positive'),
    sa.ForeignKeyConstraint(['payment_id'], ['payments.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('idx_refunds_payment', 'refunds', ['payment_id'], unique=False)
    op.create_index('idx_refunds_pending', 'refunds', ['next_try_at'], unique=False, postgresql_where=sa.text("status = 'pending'"))
    op.add_column('cart_items', sa.Column('option_ids', sa.ARRAY(sa.Uuid()), server_default='{}', nullable=False))
    op.add_column('cart_items', sa.Column('removals', sa.ARRAY(sa.Text()), server_default='{}', nullable=False))
    op.drop_constraint('cart_items_cart_id_product_id_key', 'cart_items', type_='unique')
    op.create_unique_constraint('cart_items_one_per_wish', 'cart_items', ['cart_id', 'product_id', 'option_ids', 'removals'])
    op.add_column('carts', sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('carts', sa.Column('discount_code', sa.String(length=32), nullable=True))
    op.add_column('carts', sa.Column('fulfilment', FULFILMENT, server_default='pickup', nullable=False))
    op.add_column('carts', sa.Column('delivery_address', sa.Text(), nullable=True))
    op.add_column('carts', sa.Column('scheduled_for', sa.DateTime(timezone=True), nullable=True))
    op.add_column('carts', sa.Column('history', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False))
    op.add_column('carts', sa.Column('reviewed', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_index('idx_carts_expiry', 'carts', ['expires_at'], unique=False, postgresql_where=sa.text("status = 'open'"))
    op.create_index('idx_commands_created', 'commands', ['created_at'], unique=False)
    op.add_column('commands', sa.Column('customer_id', sa.Uuid(), nullable=True))
    op.create_foreign_key('commands_customer_id_fkey', 'commands', 'customers', ['customer_id'], ['id'])
    # Whose the older results are is known where the message led to a new state.
    op.execute(
        "UPDATE commands SET customer_id = changes.customer_id FROM state_changes changes"
        " WHERE changes.message_id = commands.message_id AND changes.message_id <> ''"
    )
    op.create_index('idx_commands_customer', 'commands', ['customer_id'], unique=False)
    op.add_column('customers', sa.Column('phone_lookup_next', sa.String(length=128), nullable=True))
    op.add_column('customers', sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('idx_customers_phone_next', 'customers', ['phone_lookup_next'], unique=True)
    op.add_column('order_items', sa.Column('option_ids', sa.ARRAY(sa.Uuid()), server_default='{}', nullable=False))
    op.add_column('order_items', sa.Column('option_names', sa.ARRAY(sa.Text()), server_default='{}', nullable=False))
    op.add_column('order_items', sa.Column('removals', sa.ARRAY(sa.Text()), server_default='{}', nullable=False))
    op.add_column('orders', sa.Column('discount_amount', sa.Numeric(precision=12, scale=2), server_default=sa.text('0'), nullable=False))
    op.add_column('orders', sa.Column('discount_code', sa.String(length=32), nullable=True))
    op.add_column('orders', sa.Column('taxes', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False))
    op.add_column('orders', sa.Column('delivery_fee', sa.Numeric(precision=12, scale=2), server_default=sa.text('0'), nullable=False))
    op.add_column('orders', sa.Column('fulfilment', FULFILMENT, server_default='pickup', nullable=False))
    op.add_column('orders', sa.Column('delivery_address', sa.Text(), nullable=True))
    op.add_column('orders', sa.Column('scheduled_for', sa.DateTime(timezone=True), nullable=True))
    op.add_column('orders', sa.Column('receipt_token', sa.String(length=64), nullable=True))
    op.add_column('orders', sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('idx_state_changes_created', 'state_changes', ['created_at'], unique=False)
    op.create_index('idx_orders_created', 'orders', [sa.literal_column('created_at DESC')], unique=False)
    op.create_index('idx_orders_expiry', 'orders', ['expires_at'], unique=False, postgresql_where=sa.text("status = 'awaiting_payment'"))
    op.create_index('idx_orders_newest', 'orders', ['customer_id', sa.literal_column('created_at DESC')], unique=False)
    op.create_check_constraint(
        'orders_parts_sum_to_total', 'orders',
        'total_amount = items_amount - discount_amount + tax_amount + delivery_fee',
    )
    op.create_check_constraint(
        'orders_parts_not_negative', 'orders',
        'discount_amount BETWEEN 0 AND items_amount AND delivery_fee >= 0',
    )
    op.create_check_constraint('order_items_price_not_negative', 'order_items', 'unit_price >= 0')
    op.create_check_constraint('payments_amount_not_negative', 'payments', 'amount >= 0')
    op.create_unique_constraint('orders_receipt_token_key', 'orders', ['receipt_token'])
    op.create_index('idx_outbox_customer', 'outbox', ['customer_id'], unique=False, postgresql_where=sa.text('dispatched_at IS NULL'))
    op.create_index('idx_payment_events_reference', 'payment_events', ['payment_reference'], unique=False)
    op.add_column('payments', sa.Column('provider_id', sa.Text(), nullable=True))
    op.add_column('payments', sa.Column('url', sa.Text(), nullable=True))
    op.add_column('payments', sa.Column('received_amount', sa.Numeric(precision=12, scale=2), nullable=True))
    op.add_column('payments', sa.Column('received_currency', sa.String(length=3), nullable=True))
    op.add_column('payments', sa.Column('confirmed_by', sa.Text(), nullable=True))
    op.add_column('payments', sa.Column('next_check_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('idx_payments_check', 'payments', ['next_check_at'], unique=False, postgresql_where=sa.text('next_check_at IS NOT NULL'))
    op.add_column('products', sa.Column('removable', sa.ARRAY(sa.Text()), server_default='{}', nullable=False))
    op.add_column('products', sa.Column('tax_class', sa.String(length=32), server_default='standard', nullable=False))
    op.add_column('sandbox_charges', sa.Column('refund_keys', sa.ARRAY(sa.Text()), server_default='{}', nullable=False))
    op.add_column('sandbox_charges', sa.Column('refunded', sa.Numeric(precision=12, scale=2), server_default=sa.text('0'), nullable=False))


def downgrade() -> None:
    op.drop_constraint('payments_amount_not_negative', 'payments', type_='check')
    op.drop_constraint('order_items_price_not_negative', 'order_items', type_='check')
    op.drop_constraint('orders_parts_not_negative', 'orders', type_='check')
    op.drop_constraint('orders_parts_sum_to_total', 'orders', type_='check')
    op.drop_column('sandbox_charges', 'refunded')
    op.drop_column('sandbox_charges', 'refund_keys')
    op.drop_column('products', 'tax_class')
    op.drop_column('products', 'removable')
    op.drop_index('idx_payments_check', table_name='payments', postgresql_where=sa.text('next_check_at IS NOT NULL'))
    op.drop_column('payments', 'next_check_at')
    op.drop_column('payments', 'confirmed_by')
    op.drop_column('payments', 'received_currency')
    op.drop_column('payments', 'received_amount')
    op.drop_column('payments', 'url')
    op.drop_column('payments', 'provider_id')
    op.drop_index('idx_payment_events_reference', table_name='payment_events')
    op.drop_index('idx_outbox_customer', table_name='outbox', postgresql_where=sa.text('dispatched_at IS NULL'))
    op.drop_constraint('orders_receipt_token_key', 'orders', type_='unique')
    op.drop_index('idx_state_changes_created', table_name='state_changes')
    op.drop_index('idx_orders_newest', table_name='orders')
    op.drop_index('idx_orders_expiry', table_name='orders', postgresql_where=sa.text("status = 'awaiting_payment'"))
    op.drop_index('idx_orders_created', table_name='orders')
    op.drop_column('orders', 'reminded_at')
    op.drop_column('orders', 'receipt_token')
    op.drop_column('orders', 'scheduled_for')
    op.drop_column('orders', 'delivery_address')
    op.drop_column('orders', 'fulfilment')
    # What was paid stays: discount and fee become part of the items.
    op.execute('UPDATE orders SET items_amount = total_amount - tax_amount')
    op.drop_column('orders', 'delivery_fee')
    op.drop_column('orders', 'taxes')
    op.drop_column('orders', 'discount_code')
    op.drop_column('orders', 'discount_amount')
    op.drop_column('order_items', 'removals')
    op.drop_column('order_items', 'option_names')
    op.drop_column('order_items', 'option_ids')
    op.drop_index('idx_customers_phone_next', table_name='customers')
    op.drop_column('customers', 'erased_at')
    op.drop_column('customers', 'phone_lookup_next')
    op.drop_index('idx_commands_customer', table_name='commands')
    op.drop_constraint('commands_customer_id_fkey', 'commands', type_='foreignkey')
    op.drop_column('commands', 'customer_id')
    op.drop_index('idx_commands_created', table_name='commands')
    op.drop_index('idx_carts_expiry', table_name='carts', postgresql_where=sa.text("status = 'open'"))
    op.drop_column('carts', 'reviewed')
    op.drop_column('carts', 'history')
    op.drop_column('carts', 'scheduled_for')
    op.drop_column('carts', 'delivery_address')
    op.drop_column('carts', 'fulfilment')
    op.drop_column('carts', 'discount_code')
    op.drop_column('carts', 'expires_at')
    # One line per product again: lines that differ in options alone become one.
    op.execute(
        "UPDATE cart_items kept SET quantity = sums.quantity FROM ("
        " SELECT cart_id, product_id, sum(quantity) AS quantity, min(position) AS position"
        " FROM cart_items GROUP BY 1, 2 HAVING count(*) > 1) sums"
        " WHERE kept.cart_id = sums.cart_id AND kept.product_id = sums.product_id"
        " AND kept.position = sums.position"
    )
    op.execute(
        "DELETE FROM cart_items extra USING cart_items kept WHERE kept.cart_id = extra.cart_id"
        " AND kept.product_id = extra.product_id AND kept.position < extra.position"
    )
    op.drop_constraint('cart_items_one_per_wish', 'cart_items', type_='unique')
    op.create_unique_constraint('cart_items_cart_id_product_id_key', 'cart_items', ['cart_id', 'product_id'])
    op.drop_column('cart_items', 'removals')
    op.drop_column('cart_items', 'option_ids')
    op.drop_index('idx_refunds_pending', table_name='refunds', postgresql_where=sa.text("status = 'pending'"))
    op.drop_index('idx_refunds_payment', table_name='refunds')
    op.drop_table('refunds')
    op.drop_index('idx_staff_actions_order', table_name='staff_actions')
    op.drop_table('staff_actions')
    op.drop_index('idx_product_options_name', table_name='product_options')
    op.drop_table('product_options')
    op.drop_table('product_option_groups')
    op.drop_table('option_groups')
    op.drop_index('idx_discounts_code', table_name='discounts')
    op.drop_table('discounts')
    for name in ('refund_status', 'discount_kind', 'fulfilment'):
        op.execute(f'DROP TYPE {name}')
