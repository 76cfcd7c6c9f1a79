"""From frames and words to unit vectors: checkpoints, towers, and the thread that runs a model."""
