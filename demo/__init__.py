"""The demo: a world for the sandbox, and the program that shows Magpie in it at one address.

`python -m pocket world` draws `world/`: world.json for the sandbox, its pictures, avatars and
stickers, labels.json (what each picture shows), and the licences of the artwork.
"""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "world"
WORLD = FOLDER / "world.json"
