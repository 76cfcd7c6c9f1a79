"""Keeps the gallery in step with Discord: live messages, history, erasure, the one writer."""
