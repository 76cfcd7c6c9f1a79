"""Times of questions, by who answered them, and recall."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.vectors import Floats

# The engine finds out which rows a filter allows, and keeps what it has found for later questions.
OURS, AGAIN = "magpie", "magpie, filter asked again"
MADE = "filter made by numpy, faiss"  # for each question


@dataclass
class Timed:
    """Seconds of each question, by who answered it, and the share of right hits that was found."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    recalls: dict[str, list[float]] = field(default_factory=dict)  # by kind of question
    peer_recalls: dict[str, dict[str, list[float]]] = field(default_factory=dict)  # by peer
    elapsed: dict[str, list[float]] = field(default_factory=dict)  # on the clock, disk included

    def ask(self, who: str, answer: Callable[[Floats], Any], queries: Floats) -> list[Any]:
        """The answers to the queries. The first query is asked once more before, untimed."""
        answer(queries[0])
        answers = []
        for query in queries:
            began, began_at = time.thread_time(), time.perf_counter()
            answers.append(answer(query))
            self.seconds[who].append(time.thread_time() - began)
            self.elapsed.setdefault(who, []).append(time.perf_counter() - began_at)
        return answers

    def ms(self, who: str) -> list[float]:
        return [1000 * seconds for seconds in self.seconds[who]]

    def ratio(self, peer: str) -> float:
        """How many times as long as the engine a peer took. A peer that makes its filter for each
        question stands beside the engine that does, and others beside a filter that is kept."""
        ours = AGAIN if AGAIN in self.seconds and peer != MADE else OURS
        pairs = zip(self.seconds[peer], self.seconds[ours], strict=True)
        return statistics.median(theirs / ours for theirs, ours in pairs)

    def keep_fastest(self, peer: str) -> None:
        """Let the fastest of the peers with this name and a number stand for all of them."""
        numbered = [who for who in self.seconds if who.startswith(f"{peer} ")]
        fastest = min(numbered, key=lambda who: statistics.median(self.seconds[who]))
        self.seconds[peer] = self.seconds[fastest]
        self.peer_recalls[peer] = self.peer_recalls[fastest]

    def recall_of(self, peer: str) -> float:
        """The lesser of the mean recalls of its kinds of questions."""
        return min(statistics.mean(found) for found in self.peer_recalls[peer].values())

    @property
    def peers(self) -> list[str]:
        ours = (OURS, AGAIN)
        return [who for who in self.seconds if who not in ours and not who.startswith("faiss ")]

    @property
    def recall(self) -> float:
        return min(statistics.mean(found) for found in self.recalls.values())
