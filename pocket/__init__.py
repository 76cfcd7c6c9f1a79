"""How the pocket model is made: artwork, scenes, captions, training, evaluation.

`pocket/model/` holds the result, a plain transformers CLIP folder that needs none of this.
"""

from pathlib import Path

MODEL = Path(__file__).resolve().parent / "model"
