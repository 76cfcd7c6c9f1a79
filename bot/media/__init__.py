"""Which pictures a message shows, and their bytes."""
