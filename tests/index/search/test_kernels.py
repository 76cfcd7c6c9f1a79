"""The compiled loops: their constants stand once, and what is kept of them is never stale."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np

from index import search
from index.search.kernels import codes, constants, filters, memtable, products, scan, top
from index.search.kernels.warm import warm
from index.search.rows import Rows
from index.search.segment_file import plan
from index.search.sizes import Sizes
from index.types.filter import Filter
from index.types.records import Changes
from tests.index.search.oracle import Row, entries, unit

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


def test_no_question_waits_for_a_loop_to_be_compiled(tmp_path: Path) -> None:
    rng, rows = np.random.default_rng(1), Rows(64, folder=tmp_path, sizes=Sizes(settle_rows=500))
    warm(64)
    before = _compiled()
    vectors = unit(rng, 1200, 64)
    some = [Row(n, 1, n % 5, False, vectors[n : n + 1], n % 3, float(n)) for n in range(1200)]
    rows.apply(Changes(added=entries(some[:1000])))
    rows.finish_compaction(settling := rows.begin_settling(hurried=True), settling.build())
    rows.apply(Changes([3], entries(some[1000:])))
    for few_rows in (0, 2048):
        rows._sizes = Sizes(few_rows=few_rows)
        for filter in (
            Filter(1),
            Filter(1, frozenset({1, 2}), kind="image"),
            Filter(1, owners=frozenset({1}), since=10.0),
            Filter(1, but_owners=frozenset({1}), until=900.0),
            Filter(1, only=frozenset({5, 6, 1001}), without=frozenset({6})),
            Filter(2),
        ):
            found = rows.search(vectors[5], filter, k=5)
            assert (len(found.links) > 0) == (filter.space == 1)
    assert _compiled() == before


def _compiled() -> dict[str, int]:
    """For how many types of arguments each loop is compiled."""
    loops = {
        f"{module.__name__}.{name}": loop
        for module in (codes, filters, memtable, products, scan, top)
        for name, loop in vars(module).items()
    }
    return {
        name: len(loop.signatures)
        for name, loop in loops.items()
        if hasattr(loop, "nopython_signatures")
    }
