"""Which step happens when: drawn from the seed before the run begins.

A step has a moment, a kind, and dice. The dice decide everything random in it, such as which of
the messages of that moment, how long, and how much. So a seed can be played again, as far as the
machine is as fast; the log says what came of each step.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

# What people do, and how often each happens relative to the others.
DEEDS = {
    "post": 26, "post_again": 5, "post_broken": 2, "post_link": 8, "post_sticker": 3,
    "post_embed": 4, "post_components": 4, "forward": 5, "talk": 6,
    "drop_attachment": 5, "add_attachment": 3, "change_link": 3, "hide_embeds": 2, "reword": 2,
    "delete": 12, "delete_old": 4, "delete_bulk": 3, "delete_all_of_one": 2,
    "start_thread": 3, "post_in_forum": 3, "archive": 2, "wake": 2, "delete_thread": 2,
    "make_channel": 2, "delete_channel": 1, "move_channel": 1,
    "give_role": 3, "take_role": 3, "open_channel": 2, "close_channel": 3, "close_role": 2,
    "close_to_bot": 1, "open_to_bot": 2, "age_restrict": 1, "join_thread": 1, "leave_thread": 1,
    "join": 2, "leave": 2, "opt_out": 1, "opt_in": 1, "opt_in_earlier": 1, "erase": 1,
    "reindex": 1,
    "delete_server": 1,
}  # fmt: skip
FAULTS = {
    "kill": 8, "terminate": 3,
    "gateway_drop": 5, "gateway_reconnect": 3, "gateway_invalid": 3, "gateway_zombie": 3,
    "miss_event": 6, "miss_permission": 3, "repeat_event": 6,
    "limit_user": 4, "limit_shared": 3, "limit_global": 2, "limit_plain": 2, "limit_misleading": 4,
    "error": 6, "slow": 3, "late": 3, "cut": 4,
    "search_indexing": 3, "search_lacks": 4, "search_refused": 1,
    "file_error": 6, "file_slow": 3, "file_stalled": 1, "file_truncated": 5, "file_expired": 4,
    "file_wrong": 5, "file_endless": 1,
    "disk_full": 2, "file_limit": 2, "lock": 3, "clock": 4,
    "outage": 2, "leave_server": 1, "come_back": 2,
}  # fmt: skip

# What is done once more when all has settled, to see that deletions are followed at once.
AT_ONCE = {
    "post": 10, "post_link": 3, "post_embed": 3, "start_thread": 2,
    "drop_attachment": 5, "change_link": 2, "hide_embeds": 2,
    "delete": 8, "delete_old": 4, "delete_bulk": 2, "delete_all_of_one": 1,
    "delete_thread": 3, "delete_channel": 1,
}  # fmt: skip
# Faults after which the bot still hears of every deletion.
HARMLESS = {
    "gateway_drop": 3, "gateway_reconnect": 2, "repeat_event": 3, "limit_user": 2,
    "limit_shared": 2, "slow": 1, "late": 1, "file_slow": 3, "lock": 1,
}  # fmt: skip
AT_ONCE_S = 8.0
# Most of the history is read before the first fault, so the search meets some from its beginning.
OF_THE_SEARCH = ("search_indexing", "search_lacks", "search_refused", "error", "cut", "slow")
AT_FIRST = 3

DEED_EVERY_S = 0.4
FAULT_EVERY_S = 1.6
SHARE_OF_FAULTS = 0.6  # of the kinds of faults, one seed has this share


@dataclass(frozen=True, slots=True)
class Step:
    at_s: float
    what: str
    dice: tuple[float, ...]  # each in [0, 1)


def draw(seed: int, seconds: float) -> list[Step]:
    """The steps of a run, in order."""
    rng = random.Random(seed)
    faults = {kind: n for kind, n in FAULTS.items() if rng.random() < SHARE_OF_FAULTS}
    return _drawn(rng, seconds, {DEED_EVERY_S: DEEDS, FAULT_EVERY_S: faults})


def draw_at_first(seed: int) -> list[Step]:
    """The faults that the first pass over the history meets."""
    rng = random.Random(f"{seed} at first")
    return [Step(0, kind, _dice(rng)) for kind in rng.sample(OF_THE_SEARCH, AT_FIRST)]


def draw_at_once(seed: int) -> list[Step]:
    """The steps by which it is judged whether deletions are followed at once: each way of deleting
    at least once."""
    rng = random.Random(f"{seed} at once")
    steps = _drawn(rng, AT_ONCE_S, {DEED_EVERY_S / 2: AT_ONCE, FAULT_EVERY_S: HARMLESS})
    ways = [kind for kind in AT_ONCE if kind not in ("post", "post_link", "post_embed")]
    return steps + [Step(AT_ONCE_S, kind, _dice(rng)) for kind in ways]


def _drawn(rng: random.Random, seconds: float, often: dict[float, dict[str, int]]) -> list[Step]:
    """Steps of these kinds, by the mean time between two of them."""
    steps = []
    for every_s, kinds in often.items():
        at_s = 0.0
        while (at_s := at_s + rng.expovariate(1 / every_s)) < seconds:
            (what,) = rng.choices(list(kinds), list(kinds.values()))
            steps.append(Step(at_s, what, _dice(rng)))
    return sorted(steps, key=lambda step: step.at_s)


def _dice(rng: random.Random) -> tuple[float, ...]:
    return tuple(rng.random() for _ in range(4))
