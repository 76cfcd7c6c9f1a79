"""Decides which channels and threads members may read."""
