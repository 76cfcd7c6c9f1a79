"""From bytes to RGB frames, in processes of their own."""
