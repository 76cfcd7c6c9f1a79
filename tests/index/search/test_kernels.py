"""The compiled loops: their constants stand once, and what is kept of them is never stale."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index import search
from index.search import encoding
from index.search.kernels import (
    codes,
    constants,
    filters,
    memtable,
    products,
    quantized,
    scan,
    top,
)
from index.search.kernels.warm import warm
from index.search.limits import in_order
from index.search.rows import Rows
from index.search.segment_file import plan
from index.search.sizes import Sizes
from index.search.view import view_of
from index.types.filter import Filter
from index.types.records import Changes, Floats
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


def test_quantized_vectors_lie_behind_all_that_lay_there_before() -> None:
    before, now = (plan(64, blocks=3, rows=70, lists=2, keys=2, quantized=some) for some in (0, 1))
    added = {"quantized": (106_496, "|u1", (96, 80))}
    assert now.arrays == before.arrays | added


def with_one_great_number(rng: np.random.Generator, count: int, dimension: int) -> Floats:
    """Vectors as CLIP's are: one number is much greater than all others."""
    vectors = unit(rng, count, dimension)
    vectors[:, 5] += 2
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("dimension", [16, 72, 512])
def test_no_product_is_greater_than_its_bound(tmp_path: Path, dimension: int) -> None:
    """If one were, a row that belongs among the best could be passed over."""
    rng = np.random.default_rng(dimension)
    vectors = np.concatenate(
        [unit(rng, 500, dimension), with_one_great_number(rng, 500, dimension)]
    )
    rows = Rows(dimension, folder=tmp_path, sizes=Sizes(settle_rows=100))
    some = [Row(n, 1, 1, False, vectors[n : n + 1]) for n in range(1000)]
    rows.apply(Changes(added=entries(some)))
    rows.finish_compaction(settling := rows.begin_settling(hurried=True), settling.build())
    (part,) = rows._now.parts
    segment, places = part.segment, part.all_rows()
    bounds, none = np.empty(1000, np.float32), in_order(frozenset())
    for query in (vectors[3], vectors[700], *unit(rng, 10, dimension)):
        bad = quantized.greatest_products(
            *(*segment.quantized, places, segment.checked_vectors.overwritten),
            *(segment.mapped["links"], none, query, bounds),
        )
        assert bad == -1
        above = bounds - segment.vectors[places].astype(np.float64) @ query
        assert above.min() > -1e-6
        assert above.max() < 0.03  # else they would say nothing


def test_one_great_number_makes_no_steps_long(tmp_path: Path) -> None:
    """All vectors would come too close to a query to be passed over."""
    rng = np.random.default_rng(4)
    vectors = with_one_great_number(rng, 300, 512)
    assert encoding.quantized(vectors)[2].max() < 0.015  # and without, more than 0.04
    rows = Rows(512, folder=tmp_path, sizes=Sizes(settle_rows=100))
    rows.apply(
        Changes(added=entries([Row(n, 1, 1, False, vectors[n : n + 1]) for n in range(300)]))
    )
    assert rows._now.memtable.error < 0.015
    rows.finish_compaction(settling := rows.begin_settling(hurried=True), settling.build())
    (part,) = rows._now.parts
    *_, left_out, _, _ = part.segment.mapped["quantized"].view(np.float32)[part.all_rows()].T
    assert 0 < left_out.max() < 0.015


@pytest.mark.parametrize("few_keys", [True, False])
def test_rows_within_limits_are_those_that_numpy_finds(tmp_path: Path, few_keys: bool) -> None:
    """Keys have thousands of rows or a few, and limits of all kinds are met."""
    rng = np.random.default_rng(6)
    count, groups = 5000, 3 if few_keys else 700
    vectors = unit(rng, count, 16)
    group, owner = rng.integers(0, groups, count), rng.integers(0, 30, count)
    posted = np.sort(rng.integers(0, 400, count)).astype(float)  # many at the same time
    rows = Rows(16, folder=tmp_path, sizes=Sizes(settle_rows=100))
    some = [
        Row(n, 1, int(group[n]), False, vectors[n : n + 1], int(owner[n]), posted[n])
        for n in range(count)
    ]
    others = unit(rng, count, 16)
    some += [Row(count + n, n % 3, 1, False, others[n : n + 1]) for n in range(count) if n % 3 != 1]
    rows.apply(Changes(added=entries(some)))
    rows.finish_compaction(settling := rows.begin_settling(hurried=True), settling.build())
    rows.apply(Changes(gone := list(range(0, count, 7))))
    (part,) = rows._now.parts
    links, there = part.segment.mapped["links"], np.ones(count, np.bool_)
    there[gone] = False
    for number in range(60):
        allowed = rng.choice(groups, rng.integers(1, groups + 1), replace=False)
        named = frozenset(rng.choice(30, rng.integers(1, 14), replace=False).tolist())
        since, until = (float(end) for end in np.sort(rng.integers(-20, 420, 2)))
        but, of_time = number % 3 == 1, number % 2 == 0
        filter = Filter(
            1,
            frozenset(allowed.tolist()) if number % 5 else None,
            owners=named if number % 3 == 0 else None,
            but_owners=named if but else frozenset(),
            since=since if of_time else None,
            until=until if of_time and number % 4 else None,
        )
        some = rng.choice(2 * count, 900, replace=False) if number % 7 == 0 else None
        if some is not None:  # the latter half of these links are of another space
            filter = replace(filter, only=frozenset(some.tolist()))
        mine = there & (np.isin(group, allowed) if filter.groups is not None else True)
        mine &= np.isin(np.arange(count), some) if some is not None else True
        mine &= np.isin(owner, list(named)) if filter.owners is not None else True
        mine &= ~np.isin(owner, list(named)) if but else True
        mine &= (posted >= since) if filter.since is not None else True
        mine &= (posted < until) if filter.until is not None else True
        for sizes in (Sizes(), Sizes(few_rows=10)):
            view = view_of(part, filter, sizes)
            found = [] if view is None else links[view.places()].tolist()
            assert sorted(found) == np.flatnonzero(mine).tolist()


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
        for module in (codes, filters, memtable, products, quantized, scan, top)
        for name, loop in vars(module).items()
    }
    return {
        name: len(loop.signatures)
        for name, loop in loops.items()
        if hasattr(loop, "nopython_signatures")
    }
