"""staff sign in to the console; what they decide is not only about orders

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

ROLE = postgresql.ENUM('owner', 'staff', 'designer', name='staff_role', create_type=False)


def upgrade() -> None:
    ROLE.create(op.get_bind(), checkfirst=True)
    op.create_table(
        'staff_members',
        sa.Column('name', sa.String(length=40), nullable=False),
        sa.Column('password_hash', sa.Text(), nullable=False),
        sa.Column('role', ROLE, nullable=False),
        sa.Column('active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
        sa.Column('id', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_index('idx_staff_members_name', 'staff_members', [sa.literal_column('lower(name)')], unique=True)
    op.create_table(
        'staff_sessions',
        sa.Column('token_digest', sa.String(length=64), nullable=False),
        sa.Column('member_id', sa.Uuid(), nullable=False),
        sa.Column('csrf_token', sa.String(length=64), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['member_id'], ['staff_members.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('token_digest'),
    )
    op.create_index('idx_staff_sessions_member', 'staff_sessions', ['member_id'])
    op.create_table(
        'sign_in_attempts',
        sa.Column('key', sa.String(length=64), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('since_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('key'),
    )
    op.create_index('idx_sign_in_attempts_since', 'sign_in_attempts', ['since_at'])
    op.add_column('staff_actions', sa.Column('subject', sa.Text(), nullable=True))
    op.add_column('staff_actions', sa.Column('subject_id', sa.Text(), nullable=True))
    op.create_index('idx_staff_actions_created', 'staff_actions', [sa.literal_column('created_at DESC')])


def downgrade() -> None:
    op.drop_index('idx_staff_actions_created', table_name='staff_actions')
    op.drop_column('staff_actions', 'subject_id')
    op.drop_column('staff_actions', 'subject')
    op.drop_table('sign_in_attempts')
    op.drop_table('staff_sessions')
    op.drop_table('staff_members')
    ROLE.drop(op.get_bind(), checkfirst=True)
