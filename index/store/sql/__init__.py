"""The parts of a store that are the same on SQLite and on PostgreSQL."""
