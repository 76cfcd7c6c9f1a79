"""The page on scale shows what `python -m bench scale` prints, and where each number comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import MEASUREMENTS, scale
from bench.options import Options
from console.exits import WrongUse

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scale.md").read_text()


def test_the_page_has_the_figures_that_the_command_prints() -> None:
    given = scale.numbers({})
    assert "\n".join(scale.table(given)) in PAGE
    figures = scale.run(Options()).figures
    assert figures["1,000,000 servers: $ a month"] == scale.needs(1_000_000, given)["$ a month"]
    assert len(figures) == len(scale.SERVERS) * len(scale.needs(10, given))


def test_the_page_has_each_number_of_the_model_and_the_command_that_measured_it() -> None:
    rows = {
        row[1].strip(): row for row in (line.split("|") for line in PAGE.splitlines()) if row[2:]
    }
    for name, known in {**scale.MEASURED, **scale.ASSUMED, **scale.PRICES}.items():
        _, _, number, what, *source = rows[f"`{name}`"]
        assert (float(number.replace(",", "")), what.strip()) == (known.value, known.unit)
        if name in scale.MEASURED:
            assert known.source in MEASUREMENTS
            assert f"`python -m bench {known.source}`" in source[0]


def test_a_reader_puts_in_other_numbers() -> None:
    as_it_is = scale.needs(1_000_000, scale.numbers({}))
    dearer = scale.needs(1_000_000, scale.numbers({"disk_month": 1.0}))
    changed = {name for name, value in as_it_is.items() if dearer[name] != value}
    assert changed == {"$ a month", "$ a month for 1,000 servers"}
    assert dearer["$ a month"] - as_it_is["$ a month"] == pytest.approx(0.9 * as_it_is["disk, GB"])
    smaller = scale.needs(1_000_000, scale.numbers({"asked_share": 0.01}))
    assert smaller["bots"] < as_it_is["bots"] / 4
    with pytest.raises(WrongUse, match="knows no 'disc'"):
        scale.numbers({"disc": 1.0})
