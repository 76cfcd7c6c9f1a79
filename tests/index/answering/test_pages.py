"""Pages of a gallery's answers, whatever was asked."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from index import Answer, EmbeddedPicture, Filter, Gallery, Group, Link, QueryEmbedding, Sort
from index.answering import ranking
from index.answering.cutoff import Judgement
from index.types.records import Floats, Verdict
from tests.index.colours import ColourEmbedder
from tests.index.search.oracle import DIMENSION, unit

SPACE = 1
GROUPS = (1, 2, 3)


class Vectors(ColourEmbedder):
    """A model whose vectors are handed in."""

    dimension = DIMENSION


@pytest.fixture
async def gallery(place: str) -> AsyncIterator[Gallery]:
    gallery = await Gallery.open(place, Vectors())
    yield gallery
    await gallery.close()


def item(number: int, vectors: Floats, **of_link: object) -> tuple[EmbeddedPicture, Link]:
    picture = EmbeddedPicture(number.to_bytes(32, "big"), "image", vectors)
    link = Link(SPACE, Group(GROUPS[number % 3]), str(number), "", posted_at=float(number % 40))
    return picture, replace(link, **of_link)


def query(kind: str, rng: np.random.Generator) -> QueryEmbedding:
    parts = unit(rng, 6)
    words = QueryEmbedding(words=parts[0])
    return {
        "words": words,
        "words and a picture": replace(words, picture=parts[1]),
        "less of something": replace(words, minus=parts[2:4]),
        "clicks": replace(words, more=parts[4:5], less=parts[5:]),
    }[kind]


def sources(answer: Answer) -> list[int]:
    return [int(hit.link.source) for hit in answer.hits]


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("kind", ["words", "words and a picture", "less of something", "clicks"])
async def test_no_hit_comes_twice_and_none_is_left_out_while_links_come_and_go(
    kind: str, sort: Sort, gallery: Gallery
) -> None:
    rng, chance = np.random.default_rng(3), random.Random(3)
    there = dict(enumerate(unit(rng, 150)))
    await gallery.commit([item(number, one[None]) for number, one in there.items()])
    embedding, filter = query(kind, rng), Filter(SPACE, frozenset({1, 2}))
    staying, shown, after = set(there), list[int](), None
    while True:
        answer = await gallery.search(embedding, filter, k=7, after=after, sort=sort, guesses=True)
        shown += sources(answer)
        if not answer.more:
            break
        after = answer.hits[-1].position
        gone = [*chance.sample(sorted(there), 4), shown[-1]]
        await gallery.remove_sources(SPACE, [str(number) for number in gone])
        for number in gone:
            there.pop(number, None)
        staying -= set(gone)
        # What comes is very unlike the rest, so that the gallery spreads otherwise.
        new = {1000 + len(shown) * 10 + n: -embedding.vector for n in range(6)}
        there |= new
        await gallery.commit([item(number, one[None]) for number, one in new.items()])
    assert len(shown) == len(set(shown)) > 20
    assert {number for number in staying if number % 3 < 2} <= set(shown)


async def test_pages_of_a_question_are_not_scored_as_one_with_another_filter(
    gallery: Gallery,
) -> None:
    rng = np.random.default_rng(6)
    vectors = unit(rng, 60)
    gifs = [item(n, vectors[n][None], name="a.gif") for n in range(20)]
    await gallery.commit(gifs + [item(n, vectors[n][None]) for n in range(20, 60)])
    embedding = query("words and a picture", rng)
    some, every = Filter(SPACE, has=frozenset({"gif"})), Filter(SPACE)
    whole = await gallery.search(embedding, some, k=20, guesses=True)
    first = await gallery.search(embedding, some, k=5, guesses=True)
    await gallery.search(embedding, every, k=5, guesses=True)
    second = await gallery.search(
        embedding, some, k=15, after=first.hits[-1].position, guesses=True
    )
    assert [hit.score for hit in first.hits + second.hits] == [hit.score for hit in whole.hits]


async def test_pages_with_a_trait_are_scored_as_one_while_such_pictures_come(
    gallery: Gallery,
) -> None:
    rng = np.random.default_rng(8)
    vectors = unit(rng, 60)
    gifs = [item(n, vectors[n][None], name="a.gif") for n in range(60)]
    await gallery.commit(gifs[:30])
    embedding, some = query("words and a picture", rng), Filter(SPACE, has=frozenset({"gif"}))
    whole = await gallery.search(embedding, some, k=30, guesses=True)
    first = await gallery.search(embedding, some, k=5, guesses=True)
    await gallery.commit(gifs[30:])
    second = await gallery.search(
        embedding, some, k=60, after=first.hits[-1].position, guesses=True
    )
    scores = {hit.id: hit.score for hit in whole.hits}
    assert sum(hit.id in scores for hit in second.hits) == 25
    assert all(scores.get(hit.id, hit.score) == hit.score for hit in second.hits)


async def test_pages_are_the_whole_also_beyond_the_first_candidates(gallery: Gallery) -> None:
    """Copies of one picture are one hit: more candidates are looked at until a page is full."""
    rng = np.random.default_rng(4)
    embedding = query("words", rng)
    copied, others = embedding.words, unit(rng, 30)
    assert copied is not None
    copies = [(item(5000, copied[None])[0], item(number, copied[None])[1]) for number in range(250)]
    await gallery.commit(copies + [item(300 + n, one[None]) for n, one in enumerate(others)])
    shown, after = list[int](), None
    while True:
        answer = await gallery.search(embedding, Filter(SPACE), k=4, after=after, guesses=True)
        if not shown:
            assert len(answer.hits[0].copies) == 249
        shown += sources(answer)
        if not answer.more:
            break
        after = answer.hits[-1].position
    assert shown[0] == 0
    assert sorted(shown[1:]) == [300 + n for n in range(30)]
    whole = await gallery.search(embedding, Filter(SPACE), k=100, guesses=True)
    assert sources(whole) == shown


async def test_dates_order_what_fits_and_pages_of_guesses_show_the_rest(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    embedding = query("words", rng)
    assert embedding.words is not None
    vectors = unit(rng, 60)
    await gallery.commit([item(number, one[None]) for number, one in enumerate(vectors)])
    fits = {number for number, one in enumerate(vectors) if one @ embedding.words > 0.1}

    def judge(
        embedding: QueryEmbedding, vectors: Floats, sample: Floats, searched: int
    ) -> Judgement:
        passes = vectors @ embedding.vector > 0.1
        return Judgement(passes, passes, Verdict.SURE)

    monkeypatch.setattr(type(gallery._models), "judge", property(lambda _: judge))

    async def pages(sort: Sort, guesses: bool) -> list[int]:
        shown, after = list[int](), None
        while True:
            answer = await gallery.search(
                embedding, Filter(SPACE), k=5, after=after, sort=sort, guesses=guesses
            )
            shown += sources(answer)
            if not answer.more:
                return shown
            after = answer.hits[-1].position

    assert await pages(Sort.NEWEST, guesses=False) == sorted(
        fits, key=lambda number: (-(number % 40), -number)
    )
    assert await pages(Sort.OLDEST, guesses=False) == sorted(
        fits, key=lambda number: (number % 40, number)
    )
    best = await pages(Sort.BEST, guesses=False)
    guessed = await pages(Sort.BEST, guesses=True)
    assert set(best) == fits
    assert guessed[: len(best)] == best
    assert len(guessed) == 60


async def test_without_a_query_all_links_that_may_answer_are_listed(gallery: Gallery) -> None:
    rng = np.random.default_rng(6)
    await gallery.commit([item(number, one[None]) for number, one in enumerate(unit(rng, 50))])
    filter = Filter(SPACE, frozenset({1}), since=10.0)
    due = [number for number in range(50) if number % 3 == 0 and number % 40 >= 10]
    for sort, direction in ((Sort.BEST, -1), (Sort.NEWEST, -1), (Sort.OLDEST, 1)):
        shown, after = list[int](), None
        while True:
            answer = await gallery.search(QueryEmbedding(), filter, k=4, after=after, sort=sort)
            assert (answer.searched, answer.verdict) == (len(due), Verdict.SURE)
            shown += sources(answer)
            if not answer.more:
                break
            after = answer.hits[-1].position
        assert shown == sorted(due, key=lambda n: (direction * (n % 40), direction * n))
    nothing = await gallery.search(QueryEmbedding(), Filter(SPACE, since=1000.0), k=4)
    assert (nothing.hits, nothing.verdict) == ([], Verdict.NOTHING)


async def test_clicked_hits_that_are_gone_are_left_out(gallery: Gallery) -> None:
    rng = np.random.default_rng(7)
    vectors = unit(rng, 4)
    ids = await gallery.commit([item(number, one[None]) for number, one in enumerate(vectors)])
    await gallery.remove_sources(SPACE, ["1"])
    words = query("words", rng)
    steered = await gallery.steered(words, ids[:2], ids[1:3])
    assert np.allclose(steered.more, vectors[:1])
    assert np.allclose(steered.less, vectors[2:3])
    assert (await gallery.steered(words, [ids[1]], [999])).more.size == 0
    answer = await gallery.search(steered, Filter(SPACE), k=9, guesses=True)
    assert set(sources(answer)) == {0, 2, 3}


@pytest.mark.parametrize("kind", ["words", "words and a picture"])
async def test_however_much_is_asked_the_work_is_bounded(
    kind: str, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "MOST_CANDIDATES", 50)
    asked: list[int] = []
    search = gallery._engine.search

    async def counted(queries: Floats, filter: Filter, *, k: int) -> object:
        asked.append(k)
        return await search(queries, filter, k=k)

    monkeypatch.setattr(gallery._engine, "search", counted)
    rng = np.random.default_rng(8)
    await gallery.commit([item(number, one[None]) for number, one in enumerate(unit(rng, 300))])
    embedding = query(kind, rng)
    for sort in Sort:
        answer = await gallery.search(
            embedding, Filter(SPACE), k=1_000_000, sort=sort, guesses=True
        )
        assert 50 <= len(answer.hits) <= 50 * 3
        beyond = replace(answer.hits[-1].position, rank=900_000)
        later = await gallery.search(
            embedding, Filter(SPACE), k=10, after=beyond, sort=sort, guesses=True
        )
        assert later.hits == []
    assert set(asked) == {50}


def _traits(link: Link) -> set[str]:
    """What a link has, the plain way."""
    name, kind = link.name.lower(), link.details.get("kind")
    traits = {"gif"} if name.endswith(".gif") else set()
    traits |= {"video"} if name.endswith((".mp4", ".webm", ".mov")) else set()
    traits |= {"spoiler"} if link.spoiler else set()
    traits |= {"forward"} if link.details.get("forwarded") else set()
    named = {"attachment": "file", "embed": "link", "sticker": "sticker"}
    traits |= {named[kind]} if kind in named else set()
    return traits if traits & {"gif", "video", "sticker"} else traits | {"image"}


def _may_answer(link: Link, filter: Filter) -> bool:
    def inside(folders: Sequence[str]) -> bool:
        return any(link.source == one or link.source.startswith(f"{one}/") for one in folders)

    return (
        (filter.groups is None or link.group.id in filter.groups)
        and (filter.owners is None or link.owner in filter.owners)
        and link.owner not in filter.but_owners
        and filter.has <= _traits(link)
        and not filter.has_not & _traits(link)
        and (not filter.under or inside(filter.under))
        and not inside(filter.not_under)
    )


async def test_filters_let_through_what_they_say(gallery: Gallery) -> None:
    """Any filter, against the plain way. Both the index and the store answer for a part of it."""
    rng, chance = np.random.default_rng(9), random.Random(9)
    names = ("a.gif", "B.GIF", "c.mp4", "d.webm", "e.mov", "f.png", "g", "gif", "h.gif.png")
    kinds = ("attachment", "embed", "sticker", "component", None)
    folders = ("/p", "/p/a", "/p/a b", "/p/a%", "/q")
    items = [
        item(
            number,
            one[None],
            source=f"{chance.choice(folders)}/{number}",
            owner=chance.randrange(4),
            name=chance.choice(names),
            spoiler=chance.random() < 0.3,
            details={
                **({"kind": kind} if (kind := chance.choice(kinds)) else {}),
                **({"forwarded": True} if chance.random() < 0.3 else {}),
            },
        )
        for number, one in enumerate(unit(rng, 200))
    ]
    await gallery.commit(items)
    embedding, found = query("words", rng), 0
    every = ("image", "gif", "video", "sticker", "link", "file", "forward", "spoiler")
    for _ in range(150):
        traits = chance.sample(every, 3)
        wanted = chance.randrange(2)
        filter = Filter(
            SPACE,
            groups=chance.choice((None, frozenset({1}), frozenset({2, 3}))),
            owners=chance.choice((None, None, frozenset({0, 2}), frozenset({1, 7}))),
            but_owners=chance.choice((frozenset(), frozenset({2}), frozenset({1, 3}))),
            has=frozenset(traits[:wanted]),
            has_not=frozenset(traits[wanted : wanted + chance.randrange(3)]),
            under=chance.choice(((), (), ("/p",), ("/p/a", "/q"), ("/p/a%",))),
            not_under=chance.choice(((), (), ("/p/a",), ("/q", "/p/a b"))),
        )
        due = {link.source for _, link in items if _may_answer(link, filter)}
        answer = await gallery.search(embedding, filter, k=300, guesses=True)
        assert {hit.link.source for hit in answer.hits} == due, filter
        assert answer.searched == len(due)
        found += len(due)
    assert found > 1000
