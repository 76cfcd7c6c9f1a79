"""From frames and words to unit vectors: checkpoints, towers, and the threads that run a model."""
