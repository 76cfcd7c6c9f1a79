"""Finds the pictures that a message shows, and downloads them."""
