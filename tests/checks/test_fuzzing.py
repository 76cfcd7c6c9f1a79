"""A short run of the fuzzing: what `python -m bench fuzz` does by tens of thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.fuzzing import campaign
from checks.fuzzing.__main__ import keep, opened
from checks.fuzzing.target import file_of, rng_of

SEED = 20260101


@pytest.mark.parametrize(
    ("kind", "count"),
    [("messages", 250), ("addresses", 500), ("settings", 250), ("questions", 40), ("doors", 20)],
)
def test_no_hostile_input_does_what_is_not_foreseen(kind: str, count: int) -> None:
    with opened(kind) as target:
        for number in range(count):
            subject = target.make(rng_of(SEED, kind, number))
            try:
                target.run(subject)
            except Exception as error:
                error.add_note(f"python -m checks.fuzzing {kind} {SEED} {number} 1 build/fuzz")
                raise


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "count"), [("pictures", 600), ("bombs", 4)])
def test_no_hostile_picture_ends_or_stalls_its_process(
    tmp_path: Path, kind: str, count: int
) -> None:
    tried = campaign.Campaign(kind, SEED, count, tmp_path).run()
    assert (tried.crashes, tried.hangs) == ([], [])
    assert sum(tried.outcomes.values()) == count
    assert tried.growth_mb < campaign.MEMORY_MB


def test_an_input_is_the_same_for_the_same_seed() -> None:
    for kind in ("pictures", "messages", "addresses", "settings"):
        with opened(kind) as target:
            once, again = (target.kept(target.make(rng_of(1, kind, 3))) for _ in range(2))
            assert once == again


def test_a_failure_is_kept_under_its_seed_and_number(tmp_path: Path) -> None:
    with opened("addresses") as target:
        path = file_of(tmp_path, 1, "addresses", 3)
        subject = target.make(rng_of(1, "addresses", 3))
        keep(path, target, subject, "why")
    assert path.read_bytes() == subject.encode(errors="backslashreplace")
    assert (tmp_path / "addresses-1-3.txt").read_text() == "why"
