"""the catalogue knows its version

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op
revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

# What the order parser reads; prices and stock, which orders change, are none of it.
READ = {
    'products': 'name, aliases, category, available, removable, position',
    'option_groups': 'name, required, most',
    'product_options': 'group_id, name, aliases, available, position',
    'product_option_groups': 'product_id, group_id, position',
}
COUNT = """
    CREATE FUNCTION count_catalogue_version() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO catalogue_version (counted_for) VALUES (txid_current())
        ON CONFLICT (single) DO UPDATE SET number = catalogue_version.number + 1, counted_for = txid_current()
        WHERE catalogue_version.counted_for IS DISTINCT FROM txid_current();
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    op.create_table(
        'catalogue_version',
        sa.Column('single', sa.Boolean(), server_default=sa.text('true'), nullable=False),
        sa.Column('series', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
        sa.Column('number', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
        sa.Column('counted_for', sa.BigInteger(), nullable=True),
        sa.CheckConstraint('single', name='catalogue_version_single'),
        sa.PrimaryKeyConstraint('single'),
    )
    op.execute('INSERT INTO catalogue_version DEFAULT VALUES')
    op.execute(COUNT)
    for table, columns in READ.items():
        op.execute(
            f'CREATE TRIGGER count_catalogue_version AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF {columns}'
            f' ON {table} FOR EACH STATEMENT EXECUTE FUNCTION count_catalogue_version()'
        )


def downgrade() -> None:
    for table in READ:
        op.execute(f'DROP TRIGGER count_catalogue_version ON {table}')
    op.execute('DROP FUNCTION count_catalogue_version()')
    op.drop_table('catalogue_version')
