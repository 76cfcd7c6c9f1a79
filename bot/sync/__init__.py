"""What keeps the gallery in step with Discord: live messages, history, erasure, one writer."""
