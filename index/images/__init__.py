"""Bytes to RGB frames, decoded in separate processes."""
