"""Rows in segments and in memory against brute force, also while things go wrong."""

from __future__ import annotations

import random
import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from index.search import compaction
from index.search import rows as rows_module
from index.search.encoding import rotation, signs
from index.search.kernels import codes, top
from index.search.rows import Rows
from index.search.segment_file import (
    FIXED,
    Damaged,
    fixed_sum,
    map_arrays,
    planned,
    read_header,
    write_header,
)
from index.search.sizes import Sizes
from index.search.view import view_of
from index.types.filter import Filter
from index.types.records import Changes, Floats, Settled
from tests.index.search import oracle
from tests.index.search.oracle import DIMENSION, Row, entries, some_filter, some_row, unit

SETTLE = 40


def settle(rows: Rows) -> None:
    """Let rows settle and segments become one as a gallery does, until nothing is needed."""
    while rows.needs_settling or rows.needs_compaction:
        begin = rows.begin_settling if rows.needs_settling else rows.begin_compaction
        compaction = begin(hurried=True)
        rows.finish_compaction(compaction, compaction.build())
        rows.remove_other_files()


def names_of(rows: Rows) -> tuple[str, ...]:
    return rows.settled().names


def check(rows: Rows, living: dict[int, Row], rng: np.random.Generator, like: Floats) -> None:
    query = unit(rng, 1)[0] if rng.random() < 0.8 else like[0]
    filter, k = some_filter(rng, living), int(rng.integers(1, 13))
    expected = oracle.answer(living.values(), query, filter)
    all_compared = rng.random() < 0.7
    rows._sizes = replace(rows._sizes, few_rows=Sizes().few_rows if all_compared else 0)
    found = rows.search(query, filter, k=k)
    pairs = list(zip(found.links.tolist(), found.frames.tolist(), strict=True))
    assert pairs == expected[:k] if all_compared else set(pairs) <= set(expected)
    assert found.searched == len(expected)
    assert len(rows) == sum(len(row.vectors) for row in living.values())


@pytest.mark.parametrize("seed", range(6))
def test_same_answers_as_brute_force_over_a_random_history(seed: int, tmp_path: Path) -> None:
    """Adds, removals, replacements, and restarts. Meanwhile rows settle and segments become one;
    either may be done first."""
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    rows, living = (
        Rows(DIMENSION, folder=tmp_path, sizes=Sizes(settle_rows=SETTLE, largest_rows=300)),
        dict[int, Row](),
    )
    repeated, following = unit(rng, 1), iter(range(1, 100_000))
    settled, touched = Settled((), 0), set[int]()

    def change() -> None:
        new = [some_row(rng, next(following), repeated) for _ in range(chance.randint(0, 30))]
        known = sorted(living)
        gone = chance.sample(known, min(len(known), chance.randint(0, 12)))
        replaced = chance.sample(known, min(len(known), chance.randint(0, 3)))
        new += [some_row(rng, link, repeated) for link in replaced]
        rows.apply(Changes([*gone, *replaced], entries(new) if new else None))
        touched.update(link for link in [*gone, *replaced] if link <= settled.newest)
        for link in gone:
            living.pop(link, None)
        living.update({row.link: row for row in new})

    for _ in range(50):
        change()
        check(rows, living, rng, repeated)
        due = [rows.begin_settling] * rows.needs_settling
        due += [rows.begin_compaction] * rows.needs_compaction
        chance.shuffle(due)
        running = []
        for begin in due:
            running.append(begin(hurried=True))
            change()
            check(rows, living, rng, repeated)
        chance.shuffle(running)
        for one in running:
            made = one.build()
            change()
            rows.finish_compaction(one, made)
            settled = rows.settled()
            touched = set(settled.touched)
            rows.remove_other_files()
            check(rows, living, rng, repeated)
        if chance.random() < 0.15:
            rows = reopened(tmp_path, settled.names, touched, settled.newest)
            later = [
                row for link, row in living.items() if link > settled.newest or link in touched
            ]
            if later:
                rows.apply(Changes(added=entries(later)))
            check(rows, living, rng, repeated)


@pytest.mark.parametrize("few_rows", [0, 10**9])
@pytest.mark.parametrize("dimension", [16, 72, 512])
def test_many_rows_are_found_by_their_codes(tmp_path: Path, dimension: int, few_rows: int) -> None:
    """There are far more rows than are compared by their vectors, so codes are scanned: in the
    order in which they lie, or of those that may answer."""
    rng = np.random.default_rng(1)
    middles = unit(rng, 40, dimension)
    vectors = middles[rng.integers(0, 40, 9000)] + 0.8 * unit(rng, 9000, dimension)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    sizes = Sizes(settle_rows=4000, few_rows=few_rows)
    rows = Rows(dimension, folder=tmp_path, sizes=sizes)
    groups = rng.integers(0, 10, 9000)
    for start in range(0, 9000, 3000):
        some = range(start, start + 3000)
        rows.apply(
            Changes(
                added=entries([Row(n, 1, int(groups[n]), False, vectors[n : n + 1]) for n in some])
            )
        )
        settle(rows)
    assert names_of(rows)
    rows.warm()
    right = 0
    for query in vectors[:20] + 0.5 * unit(rng, 20, dimension):
        query /= np.linalg.norm(query)
        for allowed in (None, frozenset({1, 2, 3}), frozenset({7})):
            mine = np.ones(9000, bool) if allowed is None else np.isin(groups, list(allowed))
            scores = np.where(mine, vectors @ query, -2)
            found = rows.search(query, Filter(1, allowed), k=10)
            assert found.searched == mine.sum()
            np.testing.assert_allclose(found.scores, scores[found.links], atol=1e-6)
            right += len(set(np.argsort(-scores)[:10].tolist()) & set(found.links.tolist()))
    assert right >= 0.98 * 20 * 3 * 10


@pytest.mark.parametrize("few_rows", [0, 10**9])
def test_file_of_an_earlier_version_is_searched_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few_rows: int
) -> None:
    """It has another rotation, and no quantized vectors."""
    rng = np.random.default_rng(5)
    random, _ = np.linalg.qr(rng.standard_normal((72, 72)))
    assert not np.allclose(random, rotation(72), atol=0.1)
    vectors = unit(rng, 3000, 72)
    rows = Rows(72, folder=tmp_path, sizes=Sizes(settle_rows=2000, few_rows=few_rows))
    rows.apply(
        Changes(added=entries([Row(n, 1, n % 3, False, vectors[n : n + 1]) for n in range(3000)]))
    )
    with monkeypatch.context() as earlier:
        earlier.setattr(compaction, "rotation", lambda dimension: random.astype(np.float32))
        settling = rows.begin_settling(hurried=True)
        rows.finish_compaction(settling, settling.build())
    settled = rows.settled()
    without_quantized(tmp_path / settled.names[0])
    rows = Rows(72, folder=tmp_path, sizes=Sizes(settle_rows=2000, few_rows=few_rows))
    rows.load(settled)
    (part,) = rows._now.parts
    assert "quantized" not in part.segment.mapped
    np.testing.assert_allclose(part.segment.rotated(vectors[0]), random @ vectors[0], atol=1e-5)

    def found() -> int:
        right = 0
        for query in vectors[:20]:
            links = rows.search(query, Filter(1), k=10).links.tolist()
            right += len(set(links) & set(np.argsort(-(vectors @ query))[:10].tolist()))
        return right

    least = 200 if few_rows else 160
    assert found() >= least
    assert rows.needs_compaction
    settle(rows)
    (part,) = rows._now.parts
    assert part.segment.has_quantized
    assert found() >= least


def without_quantized(path: Path) -> None:
    """Write a segment as earlier versions did."""
    fields = read_header(path)
    old = map_arrays(path, planned(fields), write=False)
    fields.pop("quantized")
    where = planned(fields)
    raw = np.zeros(where.bytes, np.uint8)
    for name, (at, kind, shape) in where.arrays.items():
        raw[at : at + old[name].nbytes].view(kind).reshape(shape)[:] = old[name]
    raw.tofile(path.with_suffix(".earlier"))
    path.with_suffix(".earlier").replace(path)
    arrays = map_arrays(path, where, write=False)
    write_header(path, {**fields, "fixed_sum": fixed_sum(arrays)})


@pytest.mark.parametrize("dimension", [16, 72, 512, 768])
def test_a_query_is_turned_quickly_as_vectors_are(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    turning, turned = rotation(dimension), np.empty(dimension, np.float32)
    np.testing.assert_allclose(turning @ turning.T, np.eye(dimension), atol=1e-5)
    # Nearly each number of a vector reaches each number of what comes out, and none reaches far.
    assert (np.abs(turning) > 1e-4 / dimension**0.5).mean() > 0.98
    assert np.abs(turning).max() < 6 / dimension**0.5
    for query in unit(rng, 5, dimension):
        codes.rotate(query, signs(dimension), turned)
        np.testing.assert_allclose(turned, turning @ query, atol=1e-6)


def test_filters_that_scatter_are_kept_to_at_any_share(tmp_path: Path) -> None:
    """Filters by group, owner and time let through between one row and all. Vectors are compared
    directly, after codes block by block, and after codes row by row."""
    rng = np.random.default_rng(9)
    count, dimension = 9000, 64
    middles = unit(rng, 60, dimension)
    vectors = middles[rng.integers(0, 60, count)] + 0.7 * unit(rng, count, dimension)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    groups, owners = rng.integers(0, 100, count), rng.integers(0, 100, count)
    rows = Rows(dimension, folder=tmp_path, sizes=Sizes(settle_rows=4000))
    for start in range(0, count, 3000):
        rows.apply(
            Changes(
                added=entries(
                    [
                        Row(n, 1, int(groups[n]), False, vectors[n : n + 1], int(owners[n]), n)
                        for n in range(start, start + 3000)
                    ]
                )
            )
        )
        settle(rows)
    rows.warm()
    paths = {"exact": (10**9, 0), "by blocks": (0, 0), "by rows": (0, 99)}
    right = dict.fromkeys(paths, 0)
    asked = 0
    for number in range(40):
        query = vectors[rng.integers(count)] + 0.5 * unit(rng, 1, dimension)[0]
        query /= np.linalg.norm(query)
        chosen = rng.choice(100, [1, 10, 40, 90][number % 4], replace=False)
        owner = int(rng.integers(100)) if number % 5 == 1 else None
        since, until = (1000.0, float(rng.integers(2000, count))) if number % 3 == 1 else (0, None)
        mine = np.isin(groups, chosen) & (np.arange(count) >= since)
        mine &= (owners == owner) if owner is not None else True
        mine &= (np.arange(count) < until) if until is not None else True
        best = np.flatnonzero(mine)[np.argsort(-(vectors[mine] @ query), kind="stable")[:10]]
        asked += len(best)
        for path, (few_rows, scattered_lanes) in paths.items():
            rows._sizes = Sizes(
                settle_rows=4000, few_rows=few_rows, scattered_lanes=scattered_lanes
            )
            groups_of_it = frozenset(chosen.tolist())
            filter = Filter(
                1,
                groups_of_it,
                owners=None if owner is None else frozenset({owner}),
                since=since,
                until=until,
            )
            found = rows.search(query, filter, k=10)
            assert found.searched == mine.sum()
            assert mine[found.links].all()
            assert len(found.links) == len(best)
            right[path] += len(set(found.links.tolist()) & set(best.tolist()))
    assert right["exact"] == asked
    assert right["by blocks"] >= 0.97 * asked
    assert right["by rows"] >= 0.97 * asked


@pytest.mark.parametrize("scattered_lanes", [0, 99])
@pytest.mark.parametrize("copies", [3000, 20_000])
def test_copies_without_number_come_in_the_order_of_their_links(
    tmp_path: Path, copies: int, scattered_lanes: int
) -> None:
    rng = np.random.default_rng(2)
    sizes = Sizes(settle_rows=100, scattered_lanes=scattered_lanes)
    rows = Rows(DIMENSION, folder=tmp_path, sizes=sizes)
    one = unit(rng, 1)
    rows.apply(Changes(added=entries([Row(n, 1, n % 7, False, one) for n in range(1, copies)])))
    rows.apply(Changes(added=entries([Row(copies, 1, 1, False, unit(rng, 500))])))
    settle(rows)
    found = rows.search(one[0], Filter(1), k=12)
    assert found.links.tolist() == list(range(1, 13))


def test_quantized_vectors_miss_nothing_that_vectors_find() -> None:
    """Comparing quantized vectors first gives exactly what comparing vectors gives."""
    rng = np.random.default_rng(3)
    vectors = unit(rng, 6000, 64)
    rows = Rows(64)
    rows.apply(
        Changes(added=entries([Row(n, 1, n % 3, False, vectors[n : n + 1]) for n in range(6000)]))
    )
    filters = (Filter(1), Filter(1, frozenset({0, 1})))
    questions = [(query, filter) for query in unit(rng, 30, 64) for filter in filters]
    before = [rows.search(query, filter, k=20) for query, filter in questions]
    rows.warm()
    after = [rows.search(query, filter, k=20) for query, filter in questions]
    assert rows._loops is not None
    for one, other in zip(before, after, strict=True):
        assert one.links.tolist() == other.links.tolist()
        np.testing.assert_allclose(one.scores, other.scores, rtol=0, atol=1e-12)


def test_above_counts_exactly(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    vectors = unit(rng, 300)
    rows = Rows(DIMENSION, folder=tmp_path, sizes=Sizes(settle_rows=SETTLE))
    for start in (0, 150):
        some = range(start, start + 150)
        rows.apply(Changes(added=entries([Row(n, 1, 1, False, vectors[n : n + 1]) for n in some])))
        settle(rows)
    rows.apply(Changes(added=entries([Row(300, 1, 1, False, vectors[:1])])))
    query = unit(rng, 1)[0]
    expected = int((np.append(vectors @ query, vectors[0] @ query) > 0.2).sum())
    assert rows.above(query, 0.2, Filter(1)) == expected


def test_row_keeps_its_score_when_it_settles(tmp_path: Path) -> None:
    """One page may come from memory, and the next one from a segment."""
    rng = np.random.default_rng(3)
    rows = Rows(512, folder=tmp_path, sizes=Sizes(settle_rows=SETTLE))
    vectors = rng.normal(size=(2000, 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    made = [Row(n, 1, 1, False, vectors[n : n + 1]) for n in range(len(vectors))]
    rows.apply(Changes(added=entries(made)))
    question = vectors[0]
    before = rows.search(question, Filter(1), k=50)
    rows.warm()
    compiled = rows.search(question, Filter(1), k=50)
    settle(rows)
    settled = rows.search(question, Filter(1), k=50)
    assert rows.unsettled == 0
    for other in (compiled, settled):
        assert other.links.tolist() == before.links.tolist()
        assert other.scores.tolist() == before.scores.tolist()


def filled(folder: Path, count: int = 200) -> tuple[Rows, Floats]:
    rng = np.random.default_rng(5)
    vectors = unit(rng, count)
    rows = Rows(DIMENSION, folder=folder, sizes=Sizes(settle_rows=SETTLE))
    some = [Row(n, 1, n % 5, False, vectors[n : n + 1], n + 1, float(n)) for n in range(count)]
    rows.apply(Changes(added=entries(some)))
    settle(rows)
    return rows, vectors


def reopened(
    folder: Path, names: Sequence[str], touched: Collection[int] = (), newest: int = 10_000
) -> Rows:
    rows = Rows(DIMENSION, folder=folder, sizes=Sizes(settle_rows=SETTLE))
    rows.load(Settled(tuple(names), newest, frozenset(touched)))
    return rows


def test_removed_row_leaves_nothing_in_the_file(tmp_path: Path) -> None:
    rows, vectors = filled(tmp_path)
    (name,) = names_of(rows)
    raw = vectors[17].tobytes()
    segment = rows._now.parts[0].segment
    (place,) = segment.places_of([17])
    quantized = segment.mapped["quantized"][place].tobytes()
    for kept in (raw, quantized, quantized[:DIMENSION]):
        assert kept in (tmp_path / name).read_bytes()
    (at,) = np.flatnonzero(segment.by_key.rows == place)
    assert segment.by_key.owner_marks[at]
    assert segment.by_key.time_marks[at]
    rows.apply(Changes([17]))
    segment.flush()
    for gone in (raw, quantized[:DIMENSION]):
        assert gone not in (tmp_path / name).read_bytes()
    assert not segment.codes[place // 32, :, place % 32].any()
    assert not segment.by_key.owner_marks[at]
    assert not segment.by_key.time_marks[at]
    assert not segment.mapped["codes"][place // 32, :, place % 32].any()
    again = reopened(tmp_path, [name])
    assert 17 not in again.search(vectors[17], Filter(1), k=200).links
    assert len(again) == 199


def test_row_that_is_removed_while_it_is_compared_is_no_hit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, vectors = filled(tmp_path)
    assert rows.search(vectors[17], Filter(1), k=5).links[0] == 17
    loop = top.best_of_few

    def compare(*args: Any) -> Any:
        found = loop(*args)
        rows.apply(Changes([17]))
        return found

    monkeypatch.setattr(top, "best_of_few", compare)
    assert 17 not in rows.search(vectors[17], Filter(1), k=5).links


def test_centroid_that_was_a_removed_vector_goes_with_the_next_compaction(tmp_path: Path) -> None:
    """Copies of one picture, far from all others, have a list and a centroid of their own."""
    rng = np.random.default_rng(6)
    one, *middles = np.linalg.qr(rng.normal(size=(DIMENSION, 6)))[0].T.astype(np.float32)
    others = np.repeat(middles, 300, axis=0) + 0.2 * unit(rng, 1500)
    vectors = np.concatenate([np.repeat([one], 900, axis=0), others]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = Rows(DIMENSION, folder=tmp_path, sizes=Sizes(settle_rows=SETTLE))
    added = [Row(n, 1, n % 5, False, vectors[n : n + 1]) for n in range(len(vectors))]
    rows.apply(Changes(added=entries(added)))
    settle(rows)
    rows.apply(Changes(list(range(899))))
    assert not rows.needs_compaction  # one copy is left
    rows.apply(Changes([899]))
    centroids = rows._now.parts[0].segment.centroids
    told = centroids[np.argmax(centroids @ vectors[0])]
    np.testing.assert_allclose(told, vectors[0], atol=1e-6)
    name, *_ = names_of(rows)
    assert reopened(tmp_path, [name], range(900)).needs_compaction  # also after a restart
    assert rows.needs_compaction
    settle(rows)
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert len(rows) == 1500
    assert told.tobytes() not in files
    assert vectors[0].tobytes() not in files


def test_list_without_rows_has_no_pictures_vector_for_a_centroid(tmp_path: Path) -> None:
    """Centroids begin as vectors of rows. Of equal centroids, all but one get no rows."""
    rng = np.random.default_rng(7)
    vectors = np.concatenate([np.repeat(unit(rng, 1), 1500, axis=0), unit(rng, 500)])
    rows = Rows(DIMENSION, folder=tmp_path, sizes=Sizes(settle_rows=SETTLE))
    added = [Row(n, 1, n % 5, False, vectors[n : n + 1]) for n in range(2000)]
    rows.apply(Changes(added=entries(added)))
    settle(rows)
    segment = rows._now.parts[0].segment
    empty = np.diff(segment.starts) == 0
    assert empty.any()
    assert not segment.centroids[empty].any()


def test_removal_that_was_cut_off_is_done_at_the_next_start(tmp_path: Path) -> None:
    rows, vectors = filled(tmp_path)
    (name,) = names_of(rows)
    segment = rows._now.parts[0].segment
    (place,) = segment.places_of([17])
    segment.mapped["codes"][place // 32, 0, place % 32] ^= (
        5  # as if the process had been killed half-way
    )
    segment.flush()
    with pytest.raises(Damaged):
        reopened(tmp_path, [name])
    group = segment.mapped["keys"][place]
    segment.mapped["keys"][place] = 40  # there is no such channel
    segment.flush()
    with pytest.raises(Damaged):
        reopened(tmp_path, [name], {17, 999})
    segment.mapped["keys"][place] = group
    segment.flush()
    again = reopened(tmp_path, [name], {17, 999})
    assert len(again) == 199
    assert vectors[17].tobytes() not in (tmp_path / name).read_bytes()
    assert len(reopened(tmp_path, [name])) == 199


def use(folder: Path, name: str, query: Floats, sizes: Sizes) -> None:
    again = Rows(DIMENSION, folder=folder, sizes=sizes)
    again.load(Settled((name,), 10_000))
    again.search(query, Filter(1), k=5)
    segment = again._now.parts[0].segment
    segment.read(np.arange(len(segment.keys)))


def flip(path: Path, at: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


@pytest.mark.parametrize("seed", range(3))
def test_flipped_bit_is_noticed_wherever_it_is(tmp_path: Path, seed: int) -> None:
    """In an array that is loaded, it is noticed at the start; in a vector, by the query that ranks
    it."""
    sizes = Sizes(settle_rows=SETTLE, scattered_lanes=99 * (seed % 2))
    chance = random.Random(seed)
    rows, vectors = filled(tmp_path)
    (name,) = names_of(rows)
    where = rows._now.parts[0].segment.mapped
    fields = read_header(tmp_path / name)
    places = rows._now.parts[0].all_rows()
    del rows
    arrays = planned(fields).arrays
    good = (tmp_path / name).read_bytes()
    for array in [*arrays, *arrays]:
        at = arrays[array][0] + chance.randrange(where[array].nbytes)
        if array == "quantized":  # a query looks at rows only, and not at what fills up a list
            _, _, (_, width) = arrays[array]
            at = arrays[array][0] + int(chance.choice(places)) * width + chance.randrange(width)
        (tmp_path / name).write_bytes(good)
        flip(tmp_path / name, at, chance.randrange(8))
        with pytest.raises(Damaged):
            use(tmp_path, name, vectors[0], sizes)
    assert set(FIXED) < set(arrays)


@pytest.mark.parametrize("few_rows", [0, 10**9])
def test_vector_that_changed_is_noticed_by_the_query_that_ranks_it(
    tmp_path: Path, few_rows: int
) -> None:
    rows, vectors = filled(tmp_path)
    rows._sizes = replace(rows._sizes, few_rows=few_rows)
    segment = rows._now.parts[0].segment
    (place,) = segment.places_of([17])
    segment.mapped["vectors"][place, 3] += 0.25
    with pytest.raises(Damaged):  # no sample: it would be noticed there, too
        rows.search(vectors[17], Filter(1), k=1, sampled=False)


def test_picture_is_found_though_its_quantized_vector_is_lost(tmp_path: Path) -> None:
    """A page of a file that never reached the disk is full of zeros, of which the checksum is 0,
    too."""
    rows, vectors = filled(tmp_path)
    segment = rows._now.parts[0].segment
    (place,) = segment.places_of([17])
    segment.mapped["quantized"][place] = 0
    assert rows.search(vectors[17], Filter(1), k=3).links[0] == 17


@pytest.mark.parametrize("few_rows", [0, 10**9])
def test_who_may_see_a_row_does_not_follow_a_file_that_changes_later(
    tmp_path: Path, few_rows: int
) -> None:
    """The file was checked when it was opened; the rest of a row only says how it is ranked."""
    rng = np.random.default_rng(2)
    rows = Rows(DIMENSION, folder=tmp_path, sizes=Sizes(settle_rows=SETTLE))
    living = [some_row(rng, link, unit(rng, 1)) for link in range(1, 201)]
    rows.apply(Changes(added=entries(living)))
    settle(rows)
    query = unit(rng, 1)[0]
    rows._sizes = replace(rows._sizes, few_rows=few_rows)
    asked = [Filter(row.space, frozenset({row.group})) for row in living]
    before = [rows.search(query, filter, k=50).links.tolist() for filter in asked]
    (part,) = rows._now.parts
    part.kept.clear()
    assert len(set(part.segment.mapped["keys"].tolist())) > 1
    part.segment.mapped["keys"][:] = part.segment.mapped["keys"][0]
    assert [rows.search(query, filter, k=50).links.tolist() for filter in asked] == before


def test_missing_short_or_foreign_file_is_noticed(tmp_path: Path) -> None:
    rows, _ = filled(tmp_path)
    (name,) = names_of(rows)
    del rows
    good = (tmp_path / name).read_bytes()
    for bad in (good[:-1], good[: len(good) // 2], good[:100], b"", good + b"\0", b"x" * 9000):
        (tmp_path / name).write_bytes(bad)
        with pytest.raises(Damaged):
            reopened(tmp_path, [name])
    (tmp_path / name).unlink()
    with pytest.raises(Damaged):
        reopened(tmp_path, [name])
    (tmp_path / name).write_bytes(good)
    with pytest.raises(Damaged, match="another model"):
        Rows(24, folder=tmp_path).load(Settled((name,), 0))


def test_unfinished_file_is_not_believed(tmp_path: Path) -> None:
    rows, _ = filled(tmp_path)
    rng = np.random.default_rng(6)
    rows.apply(Changes(added=entries([Row(n, 1, 1, False, unit(rng, 1)) for n in range(500, 600)])))
    compaction = rows.begin_settling(hurried=True)
    compaction.build()
    with compaction.path.open("r+b") as file:
        file.write(b"\0" * 4096)  # the header is written last
    with pytest.raises(Damaged):
        reopened(tmp_path, [compaction.path.name])


def test_failed_compaction_leaves_everything_as_it_was(tmp_path: Path) -> None:
    rows, vectors = filled(tmp_path)
    rng = np.random.default_rng(7)
    rows.apply(Changes(added=entries([Row(n, 1, 1, False, unit(rng, 1)) for n in range(500, 600)])))
    settling = rows.begin_settling(hurried=True)
    rows.finish_compaction(settling, settling.build())
    files = set(tmp_path.iterdir())
    compaction = rows.begin_compaction(hurried=True)
    segment = compaction.parts[-1].segment
    segment.mapped["vectors"][segment.places_of([3])[0], 0] += 1
    with pytest.raises(Damaged):
        compaction.build()
    rows.abandon_compaction(compaction)
    assert set(tmp_path.iterdir()) == files
    segment.mapped["vectors"][segment.places_of([3])[0]] = vectors[3]
    settle(rows)
    assert len(rows) == 300


def test_segment_of_which_no_row_is_left_goes(tmp_path: Path) -> None:
    rows, _ = filled(tmp_path)
    rows.apply(Changes(range(300)))
    settle(rows)
    assert len(rows) == 0
    assert not list(tmp_path.iterdir())
    found = rows.search(unit(np.random.default_rng(7), 1)[0], Filter(1), k=4)
    assert not len(found.links)


def test_segments_of_the_largest_size_are_left_as_they_are(tmp_path: Path) -> None:
    """Else each row would be written again and again while the gallery grows."""
    rng = np.random.default_rng(9)
    rows = Rows(DIMENSION, folder=tmp_path, sizes=Sizes(settle_rows=SETTLE, largest_rows=400))
    full = dict[str, int]()
    for start in range(0, 4000, 50):
        new = [Row(n, 1, 1, False, unit(rng, 1)) for n in range(start, start + 50)]
        rows.apply(Changes(added=entries(new)))
        settle(rows)
        for part in rows._now.parts:
            if len(part) >= 400:
                full[part.segment.path.name] = len(part)
    assert max(full.values()) < 2 * 400
    assert set(full) <= set(names_of(rows))
    assert sum(full.values()) > 3500
    gone = next(part for part in rows._now.parts if part.segment.path.name in full)
    rows.apply(Changes(gone.segment.mapped["by_link"][:350].tolist()))
    settle(rows)  # what is worn is made anew
    assert gone.segment.path.name not in names_of(rows)
    assert len(rows) == 4000 - 350


def test_rows_settle_while_segments_become_one(tmp_path: Path) -> None:
    """Writers may wait for rows to settle, and never for a compaction, which takes minutes."""
    rows, _ = filled(tmp_path)
    rng = np.random.default_rng(10)

    def put(first: int) -> None:
        new = [Row(n, 1, 1, False, unit(rng, 1)) for n in range(first, first + 100)]
        rows.apply(Changes(added=entries(new)))
        settling = rows.begin_settling(hurried=True)
        rows.finish_compaction(settling, settling.build())
        rows.remove_other_files()

    put(500)
    compaction = rows.begin_compaction(hurried=True)
    made = compaction.build()
    put(600)
    assert rows.unsettled == 0
    rows.apply(Changes(range(500, 510)))
    rows.finish_compaction(compaction, made)
    settled = rows.settled()
    assert settled.newest == 699  # and not what the compaction had found when it began
    assert (
        len(reopened(tmp_path, settled.names, settled.touched, settled.newest)) == len(rows) == 390
    )


def test_no_search_sees_half_a_change_while_rows_settle(tmp_path: Path) -> None:
    """Pairs of links come and go together while others search and compactions run."""
    rng = np.random.default_rng(8)
    query = unit(rng, 1)[0]
    rows = Rows(DIMENSION, folder=tmp_path, sizes=Sizes(settle_rows=SETTLE))
    over, odd = threading.Event(), list[int]()
    newest, oldest = [0], [0]

    def search() -> None:
        while not over.is_set():
            surely_from, surely_to = oldest[0], newest[0]
            found = rows.search(query, Filter(1), k=400)
            links = set(found.links.tolist())
            certain = set(range(oldest[0], surely_to))  # in the gallery before and after
            if found.searched % 2 or certain - links or min(links, default=0) < surely_from - 2:
                odd.append(found.searched)

    def compact() -> None:
        while not over.is_set():
            settle(rows)
            over.wait(0.001)

    threads = [threading.Thread(target=work) for work in (search, search, compact)]
    for thread in threads:
        thread.start()
    for link in range(0, 3000, 2):
        pair = [Row(n, 1, 1, False, unit(rng, 1)) for n in (link, link + 1)]
        gone = [link - 200, link - 199] if link >= 200 else []
        oldest[0] = max(link - 198, 0)
        rows.apply(Changes(gone, entries(pair)))
        newest[0] = link + 2
    over.set()
    for thread in threads:
        thread.join()
    assert not odd
    assert len(rows) == 200


def of_spaces(folder: Path, sizes: dict[int, int]) -> tuple[Rows, NDArray[np.int64], Floats]:
    """Rows of spaces of these sizes in one segment, mixed as they are posted; and the space and the
    vector of each."""
    rng = np.random.default_rng(11)
    spaces = rng.permutation(np.repeat(list(sizes), list(sizes.values())))
    vectors = unit(rng, len(spaces), 64)
    rows = Rows(64, folder=folder, sizes=Sizes(settle_rows=SETTLE))
    added = [
        Row(link, int(space), link % 4, link % 9 == 0, vectors[link : link + 1], link % 5, link)
        for link, space in enumerate(spaces)
    ]
    rows.apply(Changes(added=entries(added)))
    settle(rows)
    return rows, spaces, vectors


OF_SPACES = {1: 40, 2: 1500, 3: 3, 5: 90, 8: 700, 9: 200, 11: 1}


def test_rows_of_a_space_lie_together(tmp_path: Path) -> None:
    rows, spaces, _ = of_spaces(tmp_path, OF_SPACES)
    (part,) = rows._now.parts
    segment = part.segment
    assert segment.by_space
    for space in OF_SPACES:
        places = segment.places_of(np.flatnonzero(spaces == space).tolist())
        _, blocks = segment.of_space(space)
        assert blocks == slice(places.min() // 32, places.max() // 32 + 1)
        lists = segment.lists_of(blocks)
        assert segment.starts[lists.start] * 32 <= places.min()
        assert places.max() < segment.starts[lists.stop] * 32
    few = [segment.lists_of(segment.of_space(space)[1]) for space in OF_SPACES]
    assert [one.stop - one.start for one in few] == [1, 6, 1, 1, 3, 1, 1]
    for space in (0, 4, 12):
        assert view_of(part, Filter(space, kind=None)) is None


@pytest.mark.parametrize("few_rows", [0, 512])
@pytest.mark.parametrize("scattered_lanes", [0, 99])
def test_no_space_answers_for_another(
    tmp_path: Path, few_rows: int, scattered_lanes: float
) -> None:
    """Small spaces share lists and blocks."""
    rows, spaces, vectors = of_spaces(tmp_path, OF_SPACES)
    rows._sizes = Sizes(SETTLE, few_rows=few_rows, scattered_lanes=scattered_lanes)
    links = np.arange(len(spaces))
    right = asked = 0
    for query in unit(np.random.default_rng(12), 6, 64):
        for space in OF_SPACES:
            for filter, mine in (
                (Filter(space, kind=None), links >= 0),
                (Filter(space, frozenset({1, 3})), (links % 2 == 1) & (links % 9 > 0)),
                (Filter(space, kind="text", owners=frozenset({2})), links % 45 == 27),
                (Filter(space, kind=None, but_owners=frozenset({2, 3})), links % 5 % 4 < 2),
                (
                    Filter(space, kind=None, since=500.0, until=2100.0),
                    (links >= 500) & (links < 2100),
                ),
            ):
                mine = links[mine & (spaces == space)]
                best = mine[np.argsort(-(vectors[mine] @ query))[:10]]
                found = rows.search(query, filter, k=10)
                assert found.searched == len(mine)
                assert np.isin(found.links, mine).all()
                assert len(found.sample) == 0 or set(map(bytes, found.sample)) <= set(
                    map(bytes, vectors[mine])
                )
                right += np.isin(best, found.links).sum()
                asked += len(best)
                assert len(mine) >= few_rows or np.isin(best, found.links).all()
    assert right >= 0.99 * asked


def test_file_in_which_spaces_are_scattered_is_read_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier Magpie made lists of all spaces together."""
    with monkeypatch.context() as earlier:
        earlier.setattr(compaction, "_gathered", lambda spaces: iter([np.arange(len(spaces))]))
        earlier.setattr(rows_module, "compacted", lambda parts, largest: [])
        rows, spaces, vectors = of_spaces(tmp_path, OF_SPACES)
    name, *_ = names_of(rows)
    again = Rows(64, folder=tmp_path, sizes=Sizes(settle_rows=SETTLE))
    again.load(Settled((name,), 10_000))
    assert not again._now.parts[0].segment.by_space

    def check() -> None:
        for space in OF_SPACES:
            mine = np.flatnonzero(spaces == space)
            query = vectors[mine[0]]
            found = again.search(query, Filter(space, kind=None), k=3)
            assert found.searched == len(mine)
            best = mine[np.argsort(-(vectors[mine] @ query))[:3]]
            assert found.links[0] == mine[0]
            assert np.isin(found.links, mine).all()
            assert len(best) == len(found.links)

    check()
    assert again.needs_compaction
    settle(again)
    assert again._now.parts[0].segment.by_space
    check()


def test_a_new_segment_is_not_made_anew(tmp_path: Path) -> None:
    """Small servers share a list, also where they have many rows together."""
    rng = np.random.default_rng(12)
    rows = Rows(DIMENSION, folder=tmp_path, sizes=Sizes(settle_rows=SETTLE))
    new = [Row(n, 1 + n % 3, 1, False, unit(rng, 1)) for n in range(1000)]
    rows.apply(Changes(added=entries(new)))
    settling = rows.begin_settling(hurried=True)
    rows.finish_compaction(settling, settling.build())
    assert not rows.needs_compaction


def test_sample_is_left_out_where_none_is_wanted(tmp_path: Path) -> None:
    rows, vectors = filled(tmp_path)
    found = rows.search(vectors[3], Filter(1), k=5)
    other = rows.search(vectors[3], Filter(1), k=5, sampled=False)
    assert len(found.sample) > 0
    assert other.sample.shape == (0, DIMENSION)
    assert found.links.tolist() == other.links.tolist()
