"""The compiled loops: their constants stand once, and what is kept of them is never stale."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from index import search
from index.search.kernels import constants
from index.search.segment_file import plan

FOLDER = Path(search.__file__).parent


def test_constants_of_the_loops_are_defined_once() -> None:
    """A second definition could differ, and filters would break without an error."""
    names = {name for name in vars(constants) if name.isupper()}
    assert {"LANES", "LOWEST", "FOREVER", "PRODUCT_ERROR", "TOMBSTONE", "PLANES"} <= names
    for path in FOLDER.rglob("*.py"):
        if path == Path(constants.__file__):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                assert node.id not in names, f"{path}:{node.lineno} defines {node.id} again"


def test_loops_are_compiled_again_when_another_file_of_theirs_changes(tmp_path: Path) -> None:
    """numba only looks at the file of the loop that is called."""
    package = tmp_path / "loops"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "called.py").write_text(
        "from index.compiled import compiled\n"
        "from loops.constants import NUMBER\n"
        "@compiled\ndef called(n):\n    return n + NUMBER\n"
    )
    (package / "calling.py").write_text(
        "from index.compiled import compiled\n"
        "from loops.called import called\n"
        "@compiled\ndef calling(n):\n    return called(n)\n"
    )
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(FOLDER.parents[1])!r}]\n"
        "from loops.calling import calling\nprint(calling(1))"
    )
    for number in (10, 20):
        (package / "constants.py").write_text(f"NUMBER = {number}\n")
        said = subprocess.run(
            [sys.executable, "-B", "-c", code], capture_output=True, text=True, check=True
        )
        assert int(said.stdout) == 1 + number


def test_arrays_lie_where_they_lay_in_files_written_before() -> None:
    where = plan(dimension=64, blocks=3, rows=70, lists=2, keys=2)
    assert where.bytes == 106_496
    assert list(where.arrays.items()) == [
        ("vectors", (4096, "<f4", (96, 64))),
        ("codes", (28672, "<u8", (3, 1, 32))),
        ("factors", (32768, "<f4", (2, 96))),
        ("keys", (36864, "<i4", (96,))),
        ("links", (40960, "<i8", (96,))),
        ("frames", (45056, "<i4", (96,))),
        ("owners", (49152, "<i8", (96,))),
        ("posted", (53248, "<f8", (96,))),
        ("sums", (57344, "<u8", (2, 96))),
        ("by_link", (61440, "<i8", (70,))),
        ("place_of", (65536, "<u4", (70,))),
        ("centroids", (69632, "<f4", (2, 64))),
        ("spreads", (73728, "<f4", (2,))),
        ("errors", (77824, "<f4", (2,))),
        ("starts", (81920, "<i8", (3,))),
        ("rotation", (86016, "<f4", (64, 64))),
        ("key_names", (102400, "<i8", (2, 3))),
    ]
