"""What the bot has ready before it serves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo import FOLDER
from pocket import MODEL

# In a process of its own: in this one, other tests may have loaded the loops.
PROGRAM = """
import asyncio, sys
from PIL import Image
from bot.__main__ import run
from bot.ops import settings
from bot.app import StartFailed

chosen = settings.read(dict(DISCORD_TOKEN="t", MAGPIE_DB=sys.argv[1], MAGPIE_MODEL=sys.argv[2],
                            DISCORD_API="http://127.0.0.1:9"))
try:
    asyncio.run(run(chosen))
except StartFailed:
    pass
from numba.core.registry import CPUDispatcher

modules = [sys.modules[f"index.{part}.loops"] for part in ("copies", "overview")]
ready = lambda: {(module.__name__, name): loop.signatures for module in modules
                 for name, loop in vars(module).items() if isinstance(loop, CPUDispatcher)}
before = {name: list(types) for name, types in ready().items()}
from index.copies.comparison import compare
from index.copies.fingerprint import Fingerprint, fingerprint

def made(image):
    return Fingerprint.from_bytes(fingerprint([image], image.size).to_bytes())

drawing = Image.open(sys.argv[3]).convert("RGB")
wide, high = drawing.size
edited = drawing.transpose(Image.Transpose.ROTATE_90).crop((0, 0, high, wide * 3 // 4))
assert compare(made(drawing), made(edited)) is not None

import numpy as np
from index.overview.layout import laid_out

rows = np.random.default_rng(0).standard_normal((40, 64)).astype(np.float32)
laid_out(rows / np.linalg.norm(rows, axis=1, keepdims=True), lambda: None)
assert before == {name: list(types) for name, types in ready().items()}, "a loop was loaded"
"""


@pytest.mark.slow
def test_no_loop_is_loaded_or_compiled_with_the_first_picture_or_overview(tmp_path: Path) -> None:
    drawing = min((FOLDER / "pictures").iterdir())
    given = [tmp_path / "g.db", MODEL, drawing]
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, given)], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


# Both ways of opening: of a gallery that is made, and of one that is there.
WORDS_FIRST = """
import asyncio, sys
import bot.__main__
from index import Filter, Gallery, Query

async def main():
    for _ in range(2):
        gallery = await Gallery.open(
            sys.argv[1], sys.argv[2], device="cpu", precision="default", gradually=True)
        try:
            await gallery.find(Query(text="a dog in the snow"), Filter(1), k=5)
            heavy = {"torch", "transformers", "scipy", "numba"} & sys.modules.keys()
            assert not heavy, heavy
        finally:
            await gallery.close()  # else its threads would keep the process

asyncio.run(main())
"""


def test_words_are_answered_before_torch_is_imported(tmp_path: Path) -> None:
    """Importing it takes half of a start."""
    given = [tmp_path / "g.db", MODEL]
    ran = subprocess.run(
        [sys.executable, "-c", WORDS_FIRST, *map(str, given)], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.skipif(
    sys.platform != "linux" or os.cpu_count() == 1, reason="/proc tells of threads; one of one core"
)
def test_the_bot_multiplies_in_the_thread_that_asks_for_it() -> None:
    """numpy starts no threads of its own, which would compete with the event loop."""
    program = "import bot.__main__, os, sys\nassert 'numpy' in sys.modules\n"
    program += "print(len(os.listdir('/proc/self/task')))"
    chosen = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    free = {name: value for name, value in os.environ.items() if name not in chosen}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=free, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["1"]
