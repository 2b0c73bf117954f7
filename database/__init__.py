"""The PostgreSQL schema, its migrations and their runner."""
