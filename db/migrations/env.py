"""Alembic's entry: migrates the database that DATABASE_URL (or the caller's connection) names."""

from alembic import context

from db.engine import make_engine
from db.models import Base
from settings import read_settings_or_exit


def run() -> None:
    """Run migrations on the connection given by the caller, else on the one of the settings."""
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _migrate(connection)
        return
    url = context.config.get_main_option("sqlalchemy.url") or read_settings_or_exit().database_url
    if url is None:
        raise SystemExit("chatcart: DATABASE_URL: missing; name the database to migrate")
    engine = make_engine(url)
    with engine.connect() as own:
        _migrate(own)
        own.commit()
    engine.dispose()


def _migrate(connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


run()
