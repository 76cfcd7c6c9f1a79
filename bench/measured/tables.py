"""Tables of kept runs, and their places on a page.

On a page, what stands between two marks is written anew from what is kept:

    <!-- measured: search -->           all figures, peers and targets of a bench
    <!-- end -->

    <!-- measured: targets -->          what all benches should reach
    <!-- end -->

A table has a column for each kind of processor. A number of several runs is shown as the median and
the range; of a text with numbers in it, each number is the median.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bench.machine import PLAIN
from bench.measured.kept import Kept, Run, order
from bench.report import Figure

PLACE = re.compile(r"(<!-- measured: ([\w ]+?) -->\n).*?(<!-- end -->)", re.S)
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
TITLES = {
    "amx": "AMX",
    "avx512_bf16": "AVX-512 with bfloat16",
    "avx512": "AVX-512",
    "avx2": "AVX2",
}
ALL_TARGETS = "targets"
MANY_ROWS = 40  # a longer table is folded, below its targets


def names(page: str) -> list[str]:
    """What is measured on a page: benches, or ALL_TARGETS."""
    return [name for _, name, _ in PLACE.findall(page)]


def written(page: str, kept: Kept) -> str:
    """The page with its tables made anew."""

    def place(found: re.Match[str]) -> str:
        name = found[2]
        lines = _of_all(kept) if name == ALL_TARGETS else _of(name, kept.get(name, {}))
        return "\n".join([found[1], *lines, "", found[3]])

    return PLACE.sub(place, page)


def write(pages: Iterable[Path], kept: Kept) -> list[Path]:
    """Make the tables of the pages anew. -> those that changed"""
    changed = []
    for path in pages:
        before = path.read_text("utf-8")
        if (after := written(before, kept)) != before:
            path.write_text(after, "utf-8")
            changed.append(path)
    return changed


# ---- what stands between two marks


def _of(name: str, kinds: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    """The lines for one bench."""
    if not kinds:
        yield f"Not measured yet; `make bench-report ONLY={name}` does it."
        return
    for kind, runs in kinds.items():
        yield f"- {_title(kind)}: {_source(runs)}"
    yield ""
    figures, peers = (_in_order(kinds, part) for part in ("figures", "peers"))
    targets = _in_order(kinds, "targets")
    rows = [
        *(_row(one, one, "figures", kinds) for one in figures),
        *(_row(one, one, "targets", kinds) for one in targets if one not in figures),
        *(_row(f"peer: {one}", one, "peers", kinds) for one in peers),
    ]
    head = ["figure", "target", *map(_title, kinds)]
    if len(rows) <= MANY_ROWS:
        yield from _table(head, rows)
        return
    if targets:
        yield from _table(head, [_row(one, one, "targets", kinds) for one in targets])
        yield ""
    yield f"<details><summary>All {len(rows)} figures</summary>"
    yield ""
    yield from _table(head, rows)
    yield ""
    yield "</details>"


def _of_all(kept: Kept) -> Iterator[str]:
    """The lines for what all benches should reach."""
    every = sorted({kind for kinds in kept.values() for kind in kinds}, key=order)
    if not every:
        yield "Not measured yet; `make bench-report` does it."
        return
    for kind in every:
        newest = [kinds[kind][-1] for kinds in kept.values() if kind in kinds]
        cpus = dict.fromkeys(_processor(run) for run in newest)
        yield f"- {_title(kind)}: {'; '.join(cpus)}"
    yield ""
    rows = []
    for name, kinds in kept.items():
        columns = {kind: kinds.get(kind, []) for kind in every}
        for target in _in_order(kinds, "targets"):
            rows.append([f"`{name}`", *_row(target, target, "targets", columns)])
    yield from _table(["bench", "figure", "target", *map(_title, every)], rows)


def _in_order(kinds: Mapping[str, Sequence[Run]], part: str) -> list[str]:
    """The names in one part of all runs; those of the newest runs come first."""
    newest_first = sorted((run for runs in kinds.values() for run in runs), key=_date, reverse=True)
    return list(dict.fromkeys(name for run in newest_first for name in getattr(run, part)))


def _date(run: Run) -> str:
    return run.date


def _title(kind: str) -> str:
    return TITLES.get(kind, kind)


def _source(runs: Sequence[Run]) -> str:
    """Where, when and by which command runs were made."""
    newest = runs[-1]
    made = ", ".join(dict.fromkeys(f"{run.date} at `{run.commit}`" for run in runs))
    count = "one run" if len(runs) == 1 else f"{len(runs)} runs"
    return f"{_processor(newest)}; {count} of `{newest.command}`, {made}"


def _processor(run: Run) -> str:
    """Its name, and with which quick products it was where not all of its kind have them."""
    products = str(run.machine["products"])
    return str(run.machine["cpu"]) + (f", {products}" if products != PLAIN else "")


def _row(label: str, name: str, part: str, kinds: Mapping[str, Sequence[Run]]) -> list[str]:
    """The row of a figure, a peer or a target: its name, what it should reach, and each kind."""
    wanted, cells = [], []
    for runs in kinds.values():
        targets = [run.targets[name] for run in runs if name in run.targets]
        if targets and part != "peers":
            wanted += targets
            cells.append(_judged(targets))
        else:
            values = [getattr(run, part)[name] for run in runs if name in getattr(run, part)]
            cells.append(_measured(values) if values else "–")
    return [label, _wanted(wanted), *cells]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        cells = (cell.replace("|", "\\|") for cell in row)
        yield f"| {' | '.join(cells)} |"


# ---- what stands in a cell


def _measured(values: Sequence[Figure]) -> str:
    """The value of one run, or the median of several with their range."""
    numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) < len(values):
        return _median_text([_plain(one) for one in values])
    if len(set(numbers)) == 1:
        return _number(numbers[0])
    middle = _number(statistics.median(numbers))
    return f"{middle} ({_number(min(numbers))}–{_number(max(numbers))})"


def _median_text(texts: Sequence[str]) -> str:
    """The newest text; where all differ in their numbers only, with the median of each."""
    if len({NUMBER.sub("", text) for text in texts}) > 1 or len(texts) == 1:
        return texts[-1]
    columns = zip(*(NUMBER.findall(text) for text in texts), strict=True)
    medians = iter([sorted(column, key=_value)[(len(column) - 1) // 2] for column in columns])
    return NUMBER.sub(lambda _: next(medians), texts[-1])


def _value(number: str) -> float:
    return float(number.replace(",", ""))


def _judged(targets: Sequence[Mapping[str, float]]) -> str:
    """The value beside its verdict: by how much it is met or missed."""
    values = [one["value"] for one in targets]
    verdicts = {bool(one["met"]) for one in targets}
    if len(verdicts) > 1:
        met = sum(bool(one["met"]) for one in targets)
        return f"{_measured(values)}, met in {met} of {len(targets)} runs"
    verdict = "met" if verdicts == {True} else "**missed**"
    value, target = statistics.median(values), targets[-1]["target"]
    if value == target:
        return f"{_measured(values)}, {verdict}"
    far = _percent(100 * abs(value / target - 1)) if target else _number(abs(value))
    return f"{_measured(values)}, {verdict} by {far}"


def _wanted(targets: Sequence[Mapping[str, float]]) -> str:
    """What a figure should reach. Its direction is told by a value that differs from it."""
    if not targets:
        return ""
    target = targets[-1]["target"]
    for one in targets:
        if one["value"] != one["target"]:
            at_least = (one["value"] > one["target"]) == bool(one["met"])
            return f"{'≥' if at_least else '≤'} {_number(target)}"
    return _number(target)


def _plain(value: Figure) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value)
    return "–" if value is None else value


def _percent(value: float) -> str:
    return f"{value:.0f} %" if value >= 10 else f"{value:.2g} %"


def _number(value: float) -> str:
    """A count as it is, anything else with three digits that count, or six just below 1."""
    if isinstance(value, int) or value.is_integer():
        return f"{int(value):,}"
    if 0.99 < value < 1:  # such as a cosine, of which 0.9999 is asked
        return f"{value:.6g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
