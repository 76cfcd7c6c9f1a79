"""The demo: the sandbox with its demo world, and Magpie in it, on one address."""
