"""One file for each command: its parser, and what it does."""
