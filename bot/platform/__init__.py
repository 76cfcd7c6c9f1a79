"""Facts of Discord: error codes, kinds of channels, links. Imports nothing of bot."""
