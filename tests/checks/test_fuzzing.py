"""A short run of the fuzzing: what `python -m bench fuzz` does by tens of thousands."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from checks.fuzzing import campaign, files, together
from checks.fuzzing.__main__ import children, keep, opened, processor_s
from checks.fuzzing.target import file_of, rng_of
from index.images import decoders

SEED = 20260101


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("messages", 250),
        ("addresses", 500),
        ("settings", 250),
        ("lines", 300),
        ("questions", 40),
        ("doors", 30),
    ],
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
@pytest.mark.parametrize(
    ("kind", "count"), [("pictures", 600), ("bombs", 3), ("clips", 20), ("words", 3)]
)
def test_no_hostile_picture_ends_or_stalls_its_process(
    tmp_path: Path, kind: str, count: int
) -> None:
    tried = campaign.Campaign(kind, SEED, count, tmp_path).run()
    assert (tried.crashes, tried.hangs) == ([], [])
    assert sum(tried.outcomes.values()) == count
    assert tried.growth_mb < campaign.MEMORY_MB


@pytest.mark.slow
async def test_others_are_answered_beside_one_members_bombs() -> None:
    measured = await together.measure(SEED, sure=4, any=0, rounds=1)
    assert measured.bombs["had no place"] == 1
    assert len(measured.beside["in words"]) > 12  # they would be few if they waited for the bombs


def test_the_slowest_input_is_known_whatever_came_of_it(tmp_path: Path) -> None:
    tried = campaign.Outcomes("bombs")
    tried.came("decoded", 1.0)
    tried.came("PictureTooSlow", 9.0)
    tried.came("decoded", 2.0)
    assert "slowest 9.00 s (PictureTooSlow)" in tried.told()


def test_the_time_of_an_input_has_that_of_the_process_that_decodes_it() -> None:
    whole = files.encoded(Image.new("L", (2000, 2000), 128), "JPEG", progressive=True)
    end = whole.rindex(b"\xff\xd9")
    slow = whole[:end] + whole[whole.rindex(b"\xff\xda", 0, end) : end] * 100 + whole[end:]
    began, own = processor_s(), time.process_time()
    decoders.decode(slow, 32)
    took, own = processor_s() - began, time.process_time() - own
    decoders.close()
    assert took > 4 * own
    assert processor_s() - began > 4 * own  # also when that process has ended


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


def test_children_are_counted_while_threads_end() -> None:
    over = threading.Event()

    def churn() -> None:
        while not over.is_set():
            threading.Thread(target=time.sleep, args=(0.0005,)).start()

    churning = threading.Thread(target=churn)
    churning.start()
    try:
        for _ in range(500):
            children()
    finally:
        over.set()
        churning.join()
