"""`bench permissions` in short, and that it would notice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.access import permissions as access
from bot.access.sight import Sight
from bot.ask import cards, names, suggestions
from bot.text import answers as answer_text
from checks.permissions import asking, side_channels
from checks.permissions.doors import DOORS
from checks.permissions.run import inquire
from checks.permissions.verdict import Verdict
from index import Filter, Gallery, Group
from index.embed import checkpoint, embedder
from index.embed.embedder import Embedder
from index.types.address import is_address
from pocket import MODEL

WORLDS, WORLDS_JUDGED = 16, 10
SERVERS = 2


@pytest.fixture(scope="module")
def model() -> Embedder:
    return embedder.load(checkpoint.find(str(MODEL)), "cpu")


@pytest.fixture(scope="module")
def judging() -> Embedder:
    """A model of its own: in those of `model` everything fits."""
    return embedder.load(checkpoint.find(str(MODEL)), "cpu")


async def test_nobody_sees_more_or_less_than_they_may(
    tmp_path: Path, model: Embedder, place: str
) -> None:
    verdict, seed = Verdict(), 2 if is_address(place) else 1
    await inquire(seed, WORLDS, tmp_path, model, verdict, place=_place(place), servers=SERVERS)
    assert not verdict.failures
    assert verdict.asked.keys() >= DOORS.keys() - {"a picture in reply to an answer"}
    assert verdict.barred > 100  # there was something to keep off the pages


async def test_where_words_are_judged_nobody_sees_more_or_less_than_they_may(
    tmp_path: Path, judging: Embedder
) -> None:
    verdict = Verdict()
    await inquire(4, WORLDS_JUDGED, tmp_path, judging, verdict, servers=SERVERS, judges=True)
    assert not verdict.failures
    assert verdict.asked["guesses"]
    assert verdict.asked["narrowing"]


async def test_closed_channels_full_of_matches_are_not_told_from_empty_ones(
    tmp_path: Path, model: Embedder, place: str
) -> None:
    told = await side_channels.compare(tmp_path, model, place=_place(place), closed=12, rounds=1)
    assert not told.by_words
    assert not told.by_work
    assert told.compared > 15


def _place(place: str) -> Path | str:
    """What the bot's settings have: a file, or an address as it is."""
    return place if is_address(place) else Path(place)


# ── That it would notice ─────────────────────────────────────────────────────────────────


class Noticed(Exception):
    """A fault of the kind that was waited for."""


class UntilNoticed(Verdict):
    """Ends the questions at the first fault of one kind, such as `leaked`."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if value and name == getattr(self, "fault", None):
            raise Noticed


async def assert_noticed(
    fault: str, tmp_path: Path, model: Embedder, *, worlds: int = 6, judges: bool = False
) -> None:
    verdict = UntilNoticed(fault)
    with pytest.raises(Noticed):
        await inquire(1, worlds, tmp_path, model, verdict, servers=1, judges=judges)


async def test_a_bot_that_shows_a_channel_too_many_is_found_out(
    tmp_path: Path, model: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known(member: Any, guild: Any, place: Any, groups: Any) -> tuple[set[int], list[Group]]:
        return {group.id for group in groups}, []

    monkeypatch.setattr(access, "known", known)
    await assert_noticed("leaked", tmp_path, model)


async def test_a_bot_that_shows_a_channel_too_few_is_found_out(
    tmp_path: Path, model: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    truly = access.known

    def known(*asked: Any) -> tuple[set[int], list[Group]]:
        allowed, private = truly(*asked)
        return set(sorted(allowed)[1:]), private

    monkeypatch.setattr(access, "known", known)
    await assert_noticed("withheld", tmp_path, model)


def only(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let members ask in one way only."""
    monkeypatch.setattr(asking, "DOORS", {door: DOORS[door]})


async def test_a_bot_that_offers_closed_names_while_somebody_types_is_found_out(
    tmp_path: Path, model: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "_open", lambda _, groups: {group.id for group in groups})
    only("what is offered while typing", monkeypatch)
    await assert_noticed("leaked", tmp_path, model)


@pytest.mark.parametrize("door", ["a watch", "a watch, in a channel"])
async def test_notices_of_closed_channels_are_found_out(
    tmp_path: Path, model: Embedder, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    monkeypatch.setattr(Sight, "open", lambda _, groups: {group.id for group in groups})

    async def look(_: Sight, groups: list[Group]) -> set[int]:
        return {group.id for group in groups}

    monkeypatch.setattr(Sight, "look", look)
    only(door, monkeypatch)
    await assert_noticed("leaked", tmp_path, model)


async def test_a_bot_that_knows_closed_names_is_found_out(
    tmp_path: Path, model: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = names.known_places

    def all_known(guild: Any, groups: Any, _: Any) -> Any:
        return known(guild, groups, lambda asked: {group.id for group in asked})

    monkeypatch.setattr(names, "known_places", all_known)
    only("/find with fields", monkeypatch)
    await assert_noticed("told", tmp_path, model)


async def test_a_form_that_knows_closed_names_is_found_out(
    tmp_path: Path, model: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = names.known_places

    def all_known(guild: Any, groups: Any, _: Any) -> Any:
        return known(guild, groups, lambda asked: {group.id for group in asked})

    monkeypatch.setattr(names, "known_places", all_known)
    monkeypatch.setattr(asking, "CHANGES", ("narrow",))
    # The commands of this door name no channel; only the form below its answers does.
    only("/find", monkeypatch)
    await assert_noticed("told", tmp_path, model, worlds=12)


async def test_a_bot_that_hides_that_nothing_fits_is_found_out(
    tmp_path: Path, judging: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "nothing_like", lambda _: answer_text.nothing_found())
    only("/find", monkeypatch)
    await assert_noticed("told", tmp_path, judging, judges=True)


async def test_guesses_from_closed_channels_are_found_out(
    tmp_path: Path, judging: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Gallery.search

    async def search_all(self: Gallery, embedding: Any, filter: Filter, **how: Any) -> Any:
        if how.get("guesses"):
            filter = replace(filter, groups=None)
        return await search(self, embedding, filter, **how)

    monkeypatch.setattr(Gallery, "search", search_all)
    monkeypatch.setattr(Sight, "open", lambda _, groups: {group.id for group in groups})
    only("/find", monkeypatch)
    await assert_noticed("leaked", tmp_path, judging, judges=True)
