"""Searches of 10⁴ to 10⁶ rows beside faiss Flat and numpy, with the same filter, on one core.

BENCH_ROWS (such as 10000,100000) chooses the sizes, and `--seed` (or BENCH_SEED) other vectors.
`--plot docs/search.svg` measures from 10³ to 10⁷ rows and draws how the time grows; this takes most
of an hour and 45 GB of disk.

The engine and the peers are asked a few questions each, in turn, and processor time is measured, so
that their ratio holds on a noisy machine. faiss gets its filter ready-made, and the fastest of its
kinds of filter counts. The engine is asked twice: with a filter that it keeps since it was asked
before, which stands beside faiss's, and with one that it makes for the question, beside faiss with
a filter that numpy makes for the question. Recall is measured against faiss Flat, which compares
everything. Up to 100,000 rows USearch (HNSW, tuned) and sqlite-vec answer too. With
10⁷ rows the peers would need more memory than there is, so only the engine is asked, and the right
answers are found while the vectors are made. The same is measured with real vectors: those of the
pocket model for crops of the demo's pictures.

Most questions are about one of many servers: these are asked too (`servers`).

At 1,000,000 rows a gallery's file is measured too: a start from the derived files beside one from
SQLite, and questions while 500 links a second are added and removed.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

# Set before numpy is imported, which is when its library chooses its number of threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from bench import BUILD
from bench.options import Options
from bench.report import Report, Target, spread
from bench.search import alone, peers, plot, servers, through_gallery
from bench.search.rows import WHERE
from bench.search.timed import AGAIN, OURS, Timed
from bench.search.workload import DIMENSION, QUESTIONS
from bench.vectors import Floats, pictures, questions, real

SIZES = (10_000, 100_000, 1_000_000)
PLOTTED = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
LOADED_ROWS = 1_000_000  # the size that is also measured through a gallery's file
ALONE_ROWS = 10_000_000  # from this size on, no peers are asked
TARGETS = {
    "10k_speedup": (10_000, "all", 1.3),
    "100k_speedup": (100_000, "all", 12.0),
    "1m_speedup": (1_000_000, "all", 20.0),
    "1m_30_speedup": (1_000_000, "30%", 20.0),
    "1m_1_speedup": (1_000_000, "1%", 5.0),
}


def run(options: Options) -> Report:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sizes = options.rows or (PLOTTED if options.plot else SIZES)
    report = Report({}, {}, {})
    measured: dict[int, dict[str, Timed]] = {}
    with tempfile.TemporaryDirectory(dir=_scratch()) as scratch:
        for size in sizes:
            folder = Path(scratch) / str(size)
            questions_ = questions(size, QUESTIONS, DIMENSION, options.seed)
            if size >= ALONE_ROWS:
                held, measured[size] = alone.answer(size, questions_, folder, options.seed)
            else:
                vectors = pictures(size, DIMENSION, options.seed)
                held, measured[size] = peers.compare(vectors, questions_, folder)
                _tell_servers(report, size, vectors, questions_, folder, options.seed)
            _tell(report, str(size), held, measured[size])
        recalls = [
            timed.recall for one in measured.values() for timed in one.values() if timed.recalls
        ]
        for target, (size, name, least) in TARGETS.items():
            if size in measured:
                report.figures[target] = measured[size][name].ratio("faiss")
                report.targets[target] = Target(measured[size][name].ratio("faiss"), least)
        held_real, timed_real = peers.compare(
            *real(QUESTIONS, options.seed), Path(scratch) / "real"
        )
        _tell(report, "pocket model's", held_real, timed_real)
        recalls += [timed.recall for timed in timed_real.values() if timed.recalls]
        report.figures["worst_recall@10"] = min(recalls)
        report.targets["worst_recall@10"] = Target(min(recalls), 0.99)
        if LOADED_ROWS in measured:
            asyncio.run(through_gallery.measure(report, LOADED_ROWS, Path(scratch), options.seed))
    if options.plot:
        options.plot.write_text(plot.drawn(measured), "utf-8")
    return report


def _tell(report: Report, of: str, held: float, timed: dict[str, Timed]) -> None:
    report.figures[f"{of}, resident bytes a row"] = held
    if of == str(LOADED_ROWS):
        report.figures["resident_bytes"] = held
        report.targets["resident_bytes"] = Target(held, 160, at_least=False)
    for name, times in timed.items():
        if name == WHERE:
            for step in times.seconds:
                report.figures[f"{of}, {name}: {step}, ms"] = spread(times.ms(step))
            continue
        report.figures[f"{of}, {name}, ms"] = spread(times.ms(OURS))
        if AGAIN in times.seconds:
            report.figures[f"{of}, {name}, filter asked again, ms"] = spread(times.ms(AGAIN))
        report.figures[f"{of}, {name}, recall@10"] = times.recall
        if not times.peers:
            waited = spread([1000 * seconds for seconds in times.elapsed[OURS]])
            report.figures[f"{of}, {name}, ms with waiting for the disk"] = waited
        for peer in times.peers:
            ratio = f"{spread(times.ms(peer))} × {times.ratio(peer):.3g}"
            if peer in times.peer_recalls:
                ratio += f", recall {times.recall_of(peer):.3f}"
            report.peers[f"{of}, {name}, {peer} ms (× ours)"] = ratio


def _tell_servers(
    report: Report, size: int, vectors: Floats, asked: dict[str, Floats], folder: Path, seed: int
) -> None:
    """Add how questions inside one of many servers are answered; the least ratios are targets."""
    held, timed = servers.compare(vectors, asked, folder.with_name(f"{size} servers"), seed)
    _tell(report, f"{size} in {servers.SERVERS} servers", held, timed)
    for peer in ("faiss", "usearch"):
        ratios = [
            one.ratio(who)
            for one in timed.values()
            for who in one.peers
            if who.split(",")[0] == peer
        ]
        if ratios:
            target = f"{size}_servers_speedup, {peer}"
            report.figures[target] = min(ratios)
            report.targets[target] = Target(min(ratios), 1.0)
    target = f"{size}_servers_recall@10"
    report.figures[target] = min(one.recall for one in timed.values())
    report.targets[target] = Target(min(one.recall for one in timed.values()), 0.99)


def _scratch() -> Path:
    BUILD.mkdir(exist_ok=True)
    return BUILD
