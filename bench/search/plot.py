"""An SVG of how the time of a question grows with the number of rows."""

from __future__ import annotations

import math
import statistics

from bench.search.timed import Timed

WIDE, HIGH, EDGE = 720, 400, 60
LINES = {
    ("magpie", "all"): "#4c6ef5",
    ("magpie", "1%"): "#12b886",
    ("faiss", "all"): "#e64980",
    ("faiss", "1%"): "#f59f00",
}


def drawn(measured: dict[int, dict[str, Timed]]) -> str:
    """An SVG of milliseconds over rows, both on a logarithmic scale."""
    lines = {
        (who, name): {
            size: statistics.median(one[name].ms(who))
            for size, one in measured.items()
            if who in one[name].seconds
        }
        for who, name in LINES
    }
    rows = [math.log10(size) for size in measured]
    times = [math.log10(ms) for line in lines.values() for ms in line.values()]
    left, right = math.floor(min(rows)), max(math.ceil(max(rows)), math.floor(min(rows)) + 1)
    low, high = math.floor(min(times)), math.ceil(max(times))

    def at(size: float, ms: float) -> str:
        x = EDGE + (math.log10(size) - left) / (right - left) * (WIDE - 3 * EDGE)
        y = HIGH - EDGE - (math.log10(ms) - low) / (high - low) * (HIGH - 1.5 * EDGE)
        return f"{x:.0f},{y:.0f}"

    parts = [f'<rect width="{WIDE}" height="{HIGH}" fill="white"/>']
    parts.append('<text x="60" y="18">ms of a question (median, one core) over rows of 512</text>')
    for power in range(low, high + 1):
        begin, end = at(10**left, 10**power), at(10**right, 10**power)
        parts.append(f'<polyline points="{begin} {end}" stroke="#dee2e6"/>')
        parts.append(f'<text x="8" y="{begin.split(",")[1]}">{10.0**power:g}</text>')
    for power in range(left, right + 1):
        x, y = at(10**power, 10**low).split(",")
        parts.append(f'<text x="{x}" y="{int(y) + 20}">{10**power:,}</text>')
    for (who, name), colour in LINES.items():
        points = lines[who, name]
        path = " ".join(at(size, ms) for size, ms in points.items())
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = at(max(points), points[max(points)]).split(",")
        title = "faiss Flat" if who == "faiss" else who
        parts.append(f'<text x="{int(x) + 6}" y="{y}" fill="{colour}">{title}, {name}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{HIGH}" '
        f'font-family="sans-serif" font-size="12">{"".join(parts)}</svg>\n'
    )
