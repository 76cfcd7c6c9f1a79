"""How Magpie presents itself to a server, and is set up there."""
