"""The list of broken copies fits the code, and the tests notice one of them here.

`python -m bench mutants` runs all of them.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.options import Options
from checks.mutants import campaign
from checks.mutants.campaign import Verdict
from checks.mutants.mutant import ROOT, Mutant
from checks.mutants.promises import BY_KIND, MUTANTS, with_word
from console.exits import WrongUse

LEAST = 40
QUICK = "View Channel alone opens no history"  # its tests fail at once; others may wait for long


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.promise)
def test_each_mutant_can_be_made_of_the_code_as_it_is(mutant: Mutant) -> None:
    broken = mutant.broken((ROOT / mutant.file).read_text())
    if mutant.file.endswith(".py"):
        compile(broken, mutant.file, "exec")
    assert mutant.tests
    for test in mutant.tests:
        file, _, name = test.partition("::")
        kind = "class" if name.startswith("Test") else "def"
        assert f"{kind} {name}" in (ROOT / file).read_text()


def test_a_word_of_no_mutant_runs_no_tests() -> None:
    with pytest.raises(WrongUse, match="No mutant has 'zebra crossing'"):
        campaign.run(Options(only="zebra crossing"))


def test_a_word_means_promises_files_and_kinds() -> None:
    one = BY_KIND["words_in_pictures"][0]
    for word in ("words_in_pictures", one.promise, one.file):
        assert one in with_word(word)
    assert one not in with_word(BY_KIND["watches"][0].promise)


def test_there_are_enough_and_no_promise_stands_twice() -> None:
    promises = [mutant.promise for mutant in MUTANTS]
    assert len(set(promises)) == len(promises) >= LEAST


@pytest.fixture(scope="module")
def folders() -> Iterator[queue.Queue[Path]]:
    with campaign.copies(1) as made:
        yield made


@pytest.mark.slow
def test_the_tests_notice_a_broken_promise(folders: queue.Queue[Path]) -> None:
    [mutant] = [mutant for mutant in MUTANTS if mutant.promise == QUICK]
    assert campaign.judge(folders, mutant) is Verdict.NOTICED


@pytest.mark.slow
def test_a_change_that_breaks_nothing_survives(folders: queue.Queue[Path]) -> None:
    """So `noticed` means more than that the copy can't run its tests."""
    harmless = Mutant(
        "nothing",
        "bot/access/permissions.py",
        "PRIVATE_THREADS_AT_ONCE = 8",
        "PRIVATE_THREADS_AT_ONCE = 7",
        ("tests/bot/access/test_permissions.py::test_a_channel_needs_both_view_and_history",),
    )
    assert campaign.judge(folders, harmless) is Verdict.SURVIVED
