"""The demo: its world for the sandbox, and the program that shows Magpie in it on one address.

`world/` is what `python -m pocket world` draws: world.json for the sandbox, the pictures, avatars
and stickers that it names, labels.json (what each picture shows) and the licenses of the artwork.
"""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "world"
WORLD = FOLDER / "world.json"
