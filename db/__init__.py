"""PostgreSQL: tables, repositories, migrations and the demo menu."""
