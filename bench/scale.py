"""What ten servers, a thousand and a million need, and what that costs: a model, not a measurement.

It measures nothing itself. MEASURED has what other measurements printed, each with its command;
ASSUMED what depends on the servers, and PRICES what machines are rented for. `BENCH_SCALE` puts
other numbers in their place: `BENCH_SCALE='core_month=20,asked_share=0.1' python -m bench scale`.
`docs/scale.md` shows its figures, and a test holds the page to them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bench.options import Options
from bench.report import Figure, Report
from console.exits import WrongUse
from index.copies.lookup import ROW
from index.search.sizes import DEFAULT_SIZES

SERVERS = (10, 1_000, 1_000_000)
DAY_S = 86_400
MB, GB = 1e6, 1e9
# Servers that a shard may serve at most.
SERVERS_OF_A_SHARD = 2_500
HASH_ROW_BYTES = ROW.itemsize - ROW["space"].itemsize  # the space is not kept with each


@dataclass(frozen=True, slots=True)
class Known:
    """A number, and where it comes from."""

    value: float
    unit: str
    source: str


MEASURED: Mapping[str, Known] = {
    "file_bytes": Known(10_971, "bytes a picture in a file, with segments", "footprint"),
    "postgres_bytes": Known(3_385, "bytes a picture in PostgreSQL", "store"),
    "fingerprint_bytes": Known(2_916, "bytes of a fingerprint, which come on top there", "copies"),
    "row_bytes": Known(2_600, "bytes in memory of a picture in a server that is asked", "store"),
    "bot_mb": Known(595, "MB of a bot's own, with the model", "start"),
    "file_row_bytes": Known(
        100, "bytes in memory of a picture whose vectors are in files", "search"
    ),
    "decoders_mb": Known(256, "MB of the processes that decode", "footprint"),
    "embedded_per_s": Known(16.4, "pictures a second that a core takes in", "ingest"),
    "committed_per_s": Known(420, "pictures a second that PostgreSQL takes while asked", "store"),
    "question_ms": Known(15.4, "ms of a processor for a question", "find"),
}
ASSUMED: Mapping[str, Known] = {
    "pictures_each": Known(1_000, "pictures of a server", "assumed"),
    "new_each_day": Known(10, "new pictures of a server a day", "assumed"),
    "questions_each_day": Known(20, "questions in a server a day", "assumed"),
    "peak": Known(5, "times the average in the busiest hour", "assumed"),
    "asked_share": Known(0.05, "share of all pictures in servers that are in memory", "assumed"),
    "row_room": Known(1.5, "times that, since arrays that grow have room", "assumed"),
    "database_copies": Known(2, "copies of the database: one more to take over", "assumed"),
    "disk_room": Known(1.5, "disk for each byte of data", "assumed"),
    "database_memory": Known(0.05, "share of a database that its memory holds", "assumed"),
    "spare_gb": Known(2, "GB on each machine for a picture that is made to hurt", "assumed"),
    "fullest": Known(0.5, "share of a core that is used at the peak", "assumed"),
}
PRICES: Mapping[str, Known] = {
    "core_month": Known(10, "$ a core and month", "assumed"),
    "memory_month": Known(3, "$ a GB of memory and month", "assumed"),
    "disk_month": Known(0.1, "$ a GB of SSD and month", "assumed"),
}
Numbers = Mapping[str, float]


def numbers(changed: Numbers) -> dict[str, float]:
    """All numbers of the model, some of them changed. raises   WrongUse for one that isn't there"""
    known = {**MEASURED, **ASSUMED, **PRICES}
    if unknown := changed.keys() - known.keys():
        raise WrongUse(
            f"BENCH_SCALE knows no {sorted(unknown)[0]!r}; its names are: {', '.join(known)}."
        )
    return {name: one.value for name, one in known.items()} | dict(changed)


def needs(servers: int, given: Numbers) -> dict[str, float]:
    """What so many servers need, by name; the money is a month's, but for the first look."""
    pictures = servers * given["pictures_each"]
    asked = pictures * given["asked_share"]
    peak = servers * given["peak"] / DAY_S
    new_per_s, questions_per_s = peak * given["new_each_day"], peak * given["questions_each_day"]
    in_file = servers < SERVERS_OF_A_SHARD
    data_gb = pictures * _bytes(in_file, given) / GB
    if in_file:
        disk_gb = 3 * data_gb  # it is written anew after something was erased, through two copies
        rows_gb = pictures * (given["file_row_bytes"] + HASH_ROW_BYTES) / GB
        database_cores = database_gb = 0.0
        bots = 1
    else:
        disk_gb = data_gb * given["database_copies"] * given["disk_room"]
        rows_gb = asked * given["row_room"] * (given["row_bytes"] + HASH_ROW_BYTES) / GB
        write_cores = new_per_s / given["committed_per_s"] / given["fullest"]
        database_cores = given["database_copies"] * max(2, math.ceil(write_cores))
        database_gb = given["database_copies"] * data_gb * given["database_memory"]
        bots = max(1, math.ceil(rows_gb * GB / DEFAULT_SIZES.cached_bytes))
    question_cores = questions_per_s * given["question_ms"] / 1000 / given["fullest"]
    worker_cores = new_per_s / given["embedded_per_s"] / given["fullest"]
    cores = max(bots, math.ceil(question_cores)) + max(1, math.ceil(worker_cores))
    processes = bots + (0 if in_file else max(1, math.ceil(worker_cores)))
    process_gb = (given["bot_mb"] + given["decoders_mb"]) * MB / GB + given["spare_gb"]
    memory_gb = processes * process_gb + rows_gb + database_gb
    cores += math.ceil(database_cores)
    money = (
        cores * given["core_month"]
        + memory_gb * given["memory_month"]
        + disk_gb * given["disk_month"]
    )
    first_look_h = pictures / given["embedded_per_s"] / 3600
    return {
        "pictures": pictures,
        "shards": math.ceil(servers / SERVERS_OF_A_SHARD),
        "data, GB": data_gb,
        "disk, GB": disk_gb,
        "rows in memory, GB": rows_gb,
        "bots": bots,
        "new pictures a second, peak": new_per_s,
        "questions a second, peak": questions_per_s,
        "cores": cores,
        "memory, GB": memory_gb,
        "$ a month": money,
        "$ a month for 1,000 servers": 1000 * money / servers,
        "first look, hours of a core": first_look_h,
        "first look, $": first_look_h * given["core_month"] / 730,
    }


def _bytes(in_file: bool, given: Numbers) -> float:
    """What a picture takes on disk."""
    return given["file_bytes"] if in_file else given["postgres_bytes"] + given["fingerprint_bytes"]


def table(given: Numbers) -> list[str]:
    """The needs of all SERVERS as lines of Markdown."""
    columns = [needs(servers, given) for servers in SERVERS]
    head = " | ".join(f"{servers:,} servers" for servers in SERVERS)
    lines = [f"| | {head} |", f"|---{'|---:' * len(SERVERS)}|"]
    for name in columns[0]:
        lines.append(f"| {name} | {' | '.join(_shown(one[name]) for one in columns)} |")
    return lines


def _shown(value: float) -> str:
    """Two digits are more than the model is worth; counts are shown as they are."""
    if value == int(value) and value < 1e6:
        return f"{int(value):,}"
    digits = 1 - math.floor(math.log10(abs(value))) if value else 0
    return f"{round(value, digits):,.{max(digits, 0)}f}"


def run(options: Options) -> Report:
    given = numbers(options.scale)
    figures: dict[str, Figure] = {}
    for servers in SERVERS:
        for name, value in needs(servers, given).items():
            figures[f"{servers:,} servers: {name}"] = value
    return Report(figures, {name: given[name] for name in given})
