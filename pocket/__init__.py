"""How the pocket model is made: artwork, scenes, captions, training, evaluation.

`pocket/model/` has the result, a plain transformers CLIP folder, which needs none of this code.
"""

from pathlib import Path

MODEL = Path(__file__).resolve().parent / "model"
