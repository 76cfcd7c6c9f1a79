"""Keeping the best while rows are compared."""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled
from index.search.kernels.constants import LANES, LOWEST, PRODUCT_ERROR, TOMBSTONE
from index.search.kernels.filters import has
from index.search.kernels.instructions import prefetch_row
from index.search.kernels.products import AHEAD, exact_score, is_intact, row_score
from index.search.kernels.quantized import greatest_products

# Up to this many rows are compared by their vectors at once: estimating takes longer.
AT_ONCE = 24
GREATEST = np.float32(2)  # above all scores


@compiled
def enter(top: Any, scores: Any, rows: Any, found: int, score: float, row: int) -> int:
    """Take a row in, if it is among the best. How many there are then; -1: no room.

    The arrays are those of `arguments.Best`, one by one as in `products.row_score`.
    """
    if score < top[0] - PRODUCT_ERROR:
        return found
    if score > top[0]:
        raise_top(top, score)
    if found == scores.shape[0]:
        found = keep(top, scores, rows, found)
        if found > scores.shape[0] - LANES:
            return -1
    scores[found] = score
    rows[found] = row
    return found + 1


@compiled
def raise_top(top: Any, score: float) -> None:
    """Put a score among the best in place of the least. They are a heap, with the least in front;
    an ascending array is one."""
    i, under = 0, 1
    while under < top.shape[0]:
        if under + 1 < top.shape[0] and top[under + 1] < top[under]:
            under += 1
        if top[under] >= score:
            break
        top[i] = top[under]
        i, under = under, 2 * under + 1
    top[i] = score


@compiled
def keep(top: Any, scores: Any, rows: Any, found: int) -> int:
    """Move the rows that are still among the best to the front; how many they are."""
    kept, least = 0, top[0] - PRODUCT_ERROR
    for i in range(found):
        if scores[i] >= least:
            scores[kept] = scores[i]
            rows[kept] = rows[i]
            kept += 1
    return kept


@compiled
def best_links(
    estimates: Any,  # (n,) float32, of scores, or the most that they may be; LOWEST: it is gone
    error: float,  # how much greater than its estimate a score may be
    rows: Any,  # (n,) int64, these rows
    vectors: Any,  # (m, d) float32, of all rows
    words: Any,  # as `arguments.Vectors`; no checksums of rows in memory, which aren't checked
    checksums: Any,
    multipliers: Any,
    links: Any,  # (m,) int64; TOMBSTONE of a row that is gone
    frames: Any,  # (m,) int32
    posted: Any,  # (m,) float64
    animated: bool,  # whether a link may have several rows
    query: Any,  # (d,) float32
    out_links: Any,  # (k,) int64
    out_frames: Any,  # (k,) int32
    out_scores: Any,  # (k,) float64
    out_posted: Any,  # (k,) float64
    out_vectors: Any,  # (k, d) float32
    out_rows: Any,  # (k,) int64
) -> tuple[int, int]:
    """Fills these arrays with the k links that are most like the query, each with its best frame,
    the greatest score first, and then the least link. How many there are, and a row that isn't what
    was written, or -1.

    A link with several frames may fill the first places, so the number of rows that are taken grows
    until enough links are found.
    """
    n, found = estimates.shape[0], 0
    taken, exact_query = min(out_links.shape[0], n), query.astype(np.float64)
    while taken > 0:
        seeming = np.full(taken, LOWEST)
        for i in range(n):
            if estimates[i] > seeming[0]:
                raise_top(seeming, estimates[i])
        for i in range(n):
            if estimates[i] >= seeming[0]:
                prefetch_row(vectors, rows[i])
        # A heap, too: in front is the row that comes last. The rows that seem best come first, and
        # then of the others those that may be better than they seem.
        scores, best = np.full(taken, np.float64(LOWEST)), np.full(taken, rows[0])
        for others in range(2):
            for i in range(n):
                if (estimates[i] < seeming[0]) != (others == 1) or estimates[i] == LOWEST:
                    continue
                if estimates[i] + error < scores[0]:
                    continue
                if checksums.shape[0] > 0 and not is_intact(words, checksums, multipliers, rows[i]):
                    return 0, int(rows[i])
                score = exact_score(vectors, rows[i], exact_query)
                if links[rows[i]] != TOMBSTONE and _follows(
                    scores[0], best[0], score, rows[i], links, frames
                ):
                    _sink(scores, best, taken, score, rows[i], links, frames)
        for end in range(taken - 1, 0, -1):  # in order: the last one goes behind all others
            score, row = scores[end], best[end]
            scores[end], best[end] = scores[0], best[0]
            _sink(scores, best, end, score, row, links, frames)
        found = 0
        for i in range(taken):
            link = links[best[i]]
            if scores[i] == LOWEST or (animated and _is_among(link, out_links, found)):
                continue
            out_links[found], out_frames[found] = link, frames[best[i]]
            out_scores[found], out_posted[found] = scores[i], posted[best[i]]
            out_rows[found], row = best[i], np.uint64(best[i])
            for j in range(vectors.shape[1]):
                out_vectors[found, j] = vectors[row, j]
            found += 1
            if found == out_links.shape[0]:
                return found, -1
        if taken == n:
            break
        taken = min(2 * taken, n)
    return found, -1


@compiled
def best_of_few(
    rows: Any,  # (n,) int64, the rows that may answer
    without: Any,  # (w,) int64, ascending: links to leave out
    quantized: Any,  # as `arguments.Quantized`; no rows in a file of an earlier version
    of_quantized: Any,
    signs: Any,
    vectors: Any,  # as `arguments.Vectors`
    words: Any,
    checksums: Any,
    multipliers: Any,
    overwritten: Any,
    links: Any,  # from here on as in `best_links`
    frames: Any,
    posted: Any,
    animated: bool,
    query: Any,
    out_links: Any,
    out_frames: Any,
    out_scores: Any,
    out_posted: Any,
    out_vectors: Any,
    out_rows: Any,
) -> tuple[int, int]:
    """Fills these arrays with the k best links of these rows of a segment, as `best_links`. How
    many there are, and a row that isn't what was written, or -1."""
    n, estimates = rows.shape[0], np.full(rows.shape[0], LOWEST)
    if n <= AT_ONCE:
        for i in range(n):
            row = np.uint64(rows[i])
            if not overwritten[row] and not (without.shape[0] > 0 and has(without, links[row])):
                estimates[i] = GREATEST
    elif quantized.shape[0] > 0:
        bad = greatest_products(
            *(quantized, of_quantized, signs, rows, overwritten, links, without, query, estimates)
        )
        if bad >= 0:
            return 0, bad
    else:
        for i in range(n):
            if i + AHEAD < n:
                prefetch_row(vectors, rows[i + AHEAD])
            row = np.uint64(rows[i])
            if overwritten[row] or (without.shape[0] > 0 and has(without, links[row])):
                continue
            estimates[i], intact = row_score(vectors, words, checksums, multipliers, query, row)
            if not intact:
                return 0, int(rows[i])
    found, bad = best_links(
        *(estimates, PRODUCT_ERROR, rows, vectors, words, checksums, multipliers),
        *(links, frames, posted, animated, query),
        *(out_links, out_frames, out_scores, out_posted, out_vectors, out_rows),
    )
    return found, bad


@compiled
def _follows(
    score: float, row: int, other_score: float, other_row: int, links: Any, frames: Any
) -> bool:
    """Whether a row comes after another one: its score is less, or its link or frame greater."""
    if score != other_score:
        return bool(score < other_score)
    if links[row] != links[other_row]:
        return bool(links[row] > links[other_row])
    return bool(frames[row] > frames[other_row])


@compiled
def _sink(
    scores: Any, rows: Any, size: int, score: float, row: int, links: Any, frames: Any
) -> None:
    """Put a row into a heap of so many, in place of the one in front."""
    i, under = 0, 1
    while under < size:
        if under + 1 < size and _follows(
            scores[under + 1], rows[under + 1], scores[under], rows[under], links, frames
        ):
            under += 1
        if _follows(score, row, scores[under], rows[under], links, frames):
            break
        scores[i], rows[i] = scores[under], rows[under]
        i, under = under, 2 * under + 1
    scores[i], rows[i] = score, row


@compiled
def _is_among(link: int, links: Any, count: int) -> bool:
    """Whether a link is one of the first ones."""
    among = False
    for i in range(count):
        among |= links[i] == link
    return among
