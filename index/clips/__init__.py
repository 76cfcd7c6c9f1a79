"""Videos: a few frames of different scenes, read in processes of their own."""
