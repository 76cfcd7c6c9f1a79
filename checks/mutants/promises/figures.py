"""The figures in the docs are what was measured, and no failure costs an earlier one."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

TESTS = "tests/bench/test_measured.py"

MUTANTS = (
    Mutant(
        "a table shows the newest run as if it were the median",
        "bench/measured/tables.py",
        "middle = _number(statistics.median(numbers))",
        "middle = _number(numbers[-1])",
        (f"{TESTS}::test_numbers_of_several_runs_are_their_median_and_range",),
    ),
    Mutant(
        "a target that was missed is told as met",
        "bench/measured/tables.py",
        'verdict = "met" if verdicts == {True} else "**missed**"',
        'verdict = "met"',
        (f"{TESTS}::test_a_target_is_judged_by_how_far_it_is_met_or_missed",),
    ),
    Mutant(
        "figures of two processors are mixed",
        "bench/measured/kept.py",
        "(one for one in earlier if one.comparable(run))",
        "earlier",
        (f"{TESTS}::test_a_run_that_measured_something_else_takes_the_place_of_earlier_ones",),
    ),
    Mutant(
        "a report that is told to end leaves a bench behind",
        "bench/measured/campaign.py",
        "    signal.signal(signal.SIGTERM, signal.default_int_handler)"
        "  # ends a bench, as Ctrl-C does\n",
        "",
        (f"{TESTS}::test_a_stop_ends_the_bench_and_keeps_its_earlier_runs",),
    ),
)
