"""Pictures of many servers of very unequal size, and questions inside one of them.

Most questions are like this: about one server, of an asker who may read most of its channels. The
peers hold all servers in one index, too. Each server is asked twice: as it is, and while pictures
of it are added and removed between the questions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.search import graph
from bench.search.peers import IN_A_ROW, SLOW_ROWS, Answer, flat_of, in_turn, of_faiss, of_usearch
from bench.search.rows import entries, filled, of_engine
from bench.search.timed import Timed
from bench.search.workload import CHUNK_ROWS, OWNERS, QUESTIONS, Columns
from bench.vectors import Floats, pictures
from index.search.rows import Rows
from index.types.filter import Filter
from index.types.records import Changes

SERVERS = 2000  # the n-th largest has a n-th as many pictures as the largest
ROWS_A_SERVER = 50  # on the average, where the rows are too few for so many servers
CHANNELS, READ = 20, 14  # of each server, as unequal; and how many the asker may read
ASKED = (1, 10, 100, 1000)  # the largest, the tenth and so on
CHANGED = 50  # pictures of the server that are added, and removed, between some questions


@dataclass(frozen=True)
class Server:
    """A server, and what its asker may read."""

    space: int
    groups: NDArray[np.int64]

    @classmethod
    def of(cls, space: int) -> Server:
        """The asker may read READ channels, large and small ones."""
        random = np.random.default_rng(space)
        return cls(space, _group(space, random.choice(CHANNELS, READ, replace=False)))

    @property
    def filter(self) -> Filter:
        return Filter(self.space, frozenset(self.groups.tolist()))

    def mask(self, columns: Columns) -> NDArray[np.bool_]:
        """(rows,) which rows the asker may see."""
        here: NDArray[np.bool_] = columns.spaces == self.space
        return here & np.isin(columns.groups, self.groups)


def _group(space: int | NDArray[np.int64], channel: NDArray[np.int64]) -> NDArray[np.int64]:
    return space * CHANNELS + channel


def columns_of(rows: int) -> Columns:
    """The columns of `rows` rows as they are posted: servers and channels in turn, by chance."""
    random = np.random.default_rng(7)
    servers = min(SERVERS, rows // ROWS_A_SERVER)
    shares, of_channels = (1 / np.arange(1, many + 1) for many in (servers, CHANNELS))
    spaces = 1 + random.choice(servers, rows, p=shares / shares.sum())
    channels = random.choice(CHANNELS, rows, p=of_channels / of_channels.sum())
    owners = random.integers(0, OWNERS, rows)
    return Columns(spaces, _group(spaces, channels), owners, np.arange(rows) / rows)


def compare(
    vectors: Floats, asked: dict[str, Floats], folder: Path, seed: int
) -> tuple[float, dict[str, Timed]]:
    """Resident bytes a row of the engine, and times by server."""
    size, dimension = vectors.shape
    columns = columns_of(size)
    chunks = (vectors[start : start + CHUNK_ROWS] for start in range(0, size, CHUNK_ROWS))
    rows = filled(chunks, dimension, columns, folder)
    held, flat = rows.resident_bytes / size, flat_of(vectors)
    hnsw = graph.made(vectors) if size <= SLOW_ROWS else graph.kept(size, seed)
    timed, servers = {}, int(columns.spaces.max())
    for space in (one for one in ASKED if one <= servers):
        server = Server.of(space)
        mine = server.mask(columns)
        if not mine.any():
            continue
        answers: dict[str, Answer] = of_engine(rows, server.filter)
        if hnsw is not None:
            tuned, expansion = of_usearch(hnsw, vectors, mine, asked)
            answers[f"usearch, expansion {expansion},"] = tuned
        answers |= of_faiss(flat, mine, partial(server.mask, columns))
        name = f"server {space}, {np.count_nonzero(mine)} of its rows"
        timed[name] = Timed({who: [] for who in answers})
        for kind, queries in asked.items():
            for start in range(0, QUESTIONS, IN_A_ROW):
                in_turn(timed[name], answers, vectors, mine, kind, queries[start:][:IN_A_ROW])
        timed[name].keep_fastest("faiss")
    changing = Changing(rows, flat, hnsw, vectors, columns, pictures(SLOW_ROWS, dimension, seed))
    for space in (one for one in ASKED[:2] if one <= servers):
        name = f"server {space}, while pictures come and go"
        timed[name] = changing.ask(Server.of(space), asked)
    return held, timed


class Changing:
    """The rows of the engine and of each peer, while pictures are added to and removed from them.

    Changes are not timed, nor is the making of the peers' filters. faiss keeps what was removed,
    since taking it out means moving all that follows: its filter leaves it out.
    """

    def __init__(
        self, rows: Rows, flat: Any, hnsw: Any, vectors: Floats, columns: Columns, new: Floats
    ) -> None:
        self._rows, self._flat, self._hnsw = rows, flat, hnsw
        self._old, self._columns, self._new = vectors, columns, new
        self._gone = np.zeros(len(vectors), np.bool_)
        self._added: list[Columns] = []

    def ask(self, server: Server, asked: dict[str, Floats]) -> Timed:
        """Ask about a server, of which some pictures change after each few questions."""
        timed = Timed()
        random = np.random.default_rng(server.space)
        for kind, queries in asked.items():
            for start in range(0, QUESTIONS, IN_A_ROW):
                self._change(server, random)
                vectors, columns = self._all()
                mine = self._mask(server, columns)
                answers: dict[str, Answer] = of_engine(self._rows, server.filter)
                if self._hnsw is not None:
                    few = {kind: queries[start:][:IN_A_ROW]}
                    answers["usearch"], _ = of_usearch(self._hnsw, vectors, mine, few)
                made = partial(self._mask, server, columns)
                answers |= of_faiss(self._flat, mine, made)
                for who in answers:
                    timed.seconds.setdefault(who, [])
                in_turn(timed, answers, vectors, mine, kind, queries[start:][:IN_A_ROW])
        timed.keep_fastest("faiss")
        return timed

    def _mask(self, server: Server, columns: Columns) -> NDArray[np.bool_]:
        return server.mask(columns) & ~self._gone

    def _all(self) -> tuple[Any, Columns]:
        """Vectors and columns of all rows that ever were."""
        added = self._added
        columns = Columns(
            *(
                np.concatenate([getattr(one, name) for one in (self._columns, *added)])
                for name in ("spaces", "groups", "owners", "posted")
            )
        )
        return _Joined(self._old, self._new), columns

    def _change(self, server: Server, random: np.random.Generator) -> None:
        begin = len(self._gone)
        used = begin - len(self._old)
        vectors = self._new[used : used + CHANGED]
        groups = _group(server.space, random.integers(0, CHANNELS, CHANGED))
        spaces, owners = np.full(CHANGED, server.space), random.integers(0, OWNERS, CHANGED)
        new = Columns(spaces, groups, owners, np.full(CHANGED, 1.0))
        known = self._columns.spaces == server.space
        there = np.flatnonzero(known & ~self._gone[: len(known)])
        gone = random.choice(there, min(CHANGED, len(there) // 2), replace=False)
        links = np.arange(begin, begin + CHANGED)
        added = replace(entries(vectors, new, 0), links=links)
        self._rows.apply(Changes(gone.tolist(), added))
        self._flat.add(np.ascontiguousarray(vectors))
        if self._hnsw is not None:
            self._hnsw.remove(gone)
            self._hnsw.add(links, np.asarray(vectors), threads=1)
        self._gone = np.append(self._gone, np.zeros(CHANGED, np.bool_))
        self._gone[gone] = True
        self._added.append(new)


class _Joined:
    """The vectors that were there, and behind them those that came, by number."""

    def __init__(self, old: Floats, new: Floats) -> None:
        self._old, self._new = old, new

    def __getitem__(self, rows: NDArray[np.int64]) -> Floats:
        out = np.empty((len(rows), self._old.shape[1]), np.float32)
        before = rows < len(self._old)
        out[before] = self._old[rows[before]]
        out[~before] = self._new[rows[~before] - len(self._old)]
        return out
