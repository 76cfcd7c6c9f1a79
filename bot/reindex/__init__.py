"""Reindex jobs: their state, their work, and the message that shows it."""
