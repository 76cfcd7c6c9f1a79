"""What is written in pictures counts beside what they show, and neither drowns the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from index import Filter, Gallery, Group, Link, Query, Verdict
from index.store.sql import columns
from index.types.records import Answer
from pocket import MODEL

SPACE, OPEN, CLOSED = 1, 10, 20
WORLD = Path(__file__).parents[3] / "demo" / "world" / "pictures"


@pytest.fixture
async def gallery(place: str) -> AsyncIterator[Gallery]:
    """Drawings of the demo with the pocket model; some of them say something."""
    gallery = await Gallery.open(place, str(MODEL))
    await gallery.transcripts.begin("test")
    names = sorted(WORLD.glob("*.webp"))[:24]
    for number, path in enumerate(names):
        group = CLOSED if number >= 20 else OPEN
        link = Link(SPACE, Group(group), str(number), "", posted_at=float(number))
        await gallery.add(path.read_bytes(), link)
    said = {
        3: ["ONE DOES NOT", "SIMPLY WALK INTO M0RDOR"],
        5: ["xqzzy blorf"],
        8: ["my d0g ate the homework"],
        9: ["the homework of a wizard is never late"],
        10: ["late is never: a plan"],
        11: ["a plan is never late", "though it is"],
        12: ["plan b for the dishwasher"],
        13: ["nobody has a dishwasher though"],
        21: ["xqzzy homework"],
        22: ["homework"],
        23: ["homework homework homework"],
    }
    for one in await gallery.transcripts.pending(limit=100):
        lines = said.get(int(one.link.source), [])
        await gallery.transcripts.put(one.key, "test", lines)
    await gallery.ready_to_judge()
    yield gallery
    await gallery.close()


async def find(gallery: Gallery, text: str, *groups: int, guesses: bool = False) -> Answer:
    filter = Filter(SPACE, frozenset(groups or (OPEN,)))
    return await gallery.find(Query(text=text), filter, k=20, guesses=guesses)


FIRST = [
    ("one does not simply", "3", True),
    ("walk into mordor simply", "3", False),  # OCR read a figure in it
    ("one dose not simply walk", "3", False),  # mistyped
    ("xqzzy", "5", True),  # gibberish that is there
    ("xqzzy blorf", "5", True),
    ("homework wizard", "9", True),
]


async def test_a_picture_that_says_it_comes_first_and_is_sure(gallery: Gallery) -> None:
    for asked, source, sure in FIRST:
        answer = await find(gallery, asked)
        assert answer.hits, asked
        assert (answer.hits[0].link.source, answer.hits[0].sure) == (source, sure), asked
        assert answer.hits[0].says
        assert answer.verdict is (Verdict.SURE if sure else Verdict.UNSURE)
    for nowhere in ("qwertyuiop", "blurf", "xqzz"):  # short ones nearly said are other words
        assert (await find(gallery, nowhere)).verdict is Verdict.NOTHING, nowhere
    mistyped = await find(gallery, "hemework")
    assert {hit.link.source for hit in mistyped.hits if hit.says} == {"8", "9"}
    assert not any(hit.sure for hit in mistyped.hits if hit.says)


async def test_words_side_by_side_come_before_the_same_words_scattered(gallery: Gallery) -> None:
    for asked, first, then in [
        ("plan is never late", "11", "10"),
        ("a plan late is never", "10", "11"),
        ("for the dishwasher", "12", "13"),  # one word that has a meaning
        ("a dishawsher though", "13", "11"),  # mistyped
    ]:
        hits = (await find(gallery, asked, guesses=True)).hits
        order = [hit.link.source for hit in hits if hit.says]
        assert order[:2] == [first, then], asked


async def test_a_word_that_stands_alone_of_several_is_not_sure(gallery: Gallery) -> None:
    """Not every picture that says "who" is meant by "who is this?"."""
    for asked, sure in [("nobody", True), ("my nobody has", True), ("this is nobody", False)]:
        [hit] = [hit for hit in (await find(gallery, asked)).hits if hit.says]
        assert (hit.link.source, hit.sure) == ("13", sure), asked


async def test_a_word_that_stands_nowhere_does_not_hide_the_others(gallery: Gallery) -> None:
    hits = (await find(gallery, "never xyzzyq plan", guesses=True)).hits
    assert {hit.link.source for hit in hits if hit.says} == {"10", "11"}


async def test_what_others_say_changes_neither_order_nor_scores(gallery: Gallery) -> None:
    """How rare a word is must not tell what stands in channels that the asker can't read."""
    kept = [one async for one in _pages(gallery)]
    closed = [hit.link for hit in (await find(gallery, "homework", CLOSED)).hits]
    assert {link.source for link in closed} == {"21", "22", "23"}
    for number in (21, 22, 23):
        await gallery.remove_sources(SPACE, [str(number)])
    assert [one async for one in _pages(gallery)] == kept


async def _pages(gallery: Gallery) -> AsyncIterator[list[tuple[str, float, bool, str | None]]]:
    for asked in ("homework", "homework wizard late", "xqzzy homework", "the dog"):
        answer = await find(gallery, asked, guesses=True)
        yield [(hit.link.source, hit.score, hit.sure, hit.says) for hit in answer.hits]


async def test_pages_go_on_where_the_one_before_ended(gallery: Gallery) -> None:
    filter = Filter(SPACE, frozenset([OPEN]))
    embedding = await gallery.embed_query(Query(text="homework wizard"))
    whole = await gallery.search(embedding, filter, k=30, guesses=True)
    found, after = [], None
    while True:
        page = await gallery.search(embedding, filter, k=4, after=after, guesses=True)
        found += [hit.id for hit in page.hits]
        if not page.more or len(found) >= 30:
            break
        after = page.hits[-1].position
    assert found[: len(whole.hits)] == [hit.id for hit in whole.hits]


async def test_words_are_kept_with_a_saved_question(gallery: Gallery) -> None:
    embedding = await gallery.embed_query(Query(text="Homework, of the wizard"))
    blob, parts = columns.query_blob(embedding)
    again = columns.query_of(blob, parts, None)
    assert again.terms == embedding.terms == ("homework", "wizard")
    assert again.pairs == embedding.pairs == ("homework of", "of the", "the wizard")
    assert embedding.words is not None
    assert again.words is not None
    assert np.array_equal(again.words, embedding.words)


async def test_copies_that_say_something_else_are_two_hits(tmp_path: Path) -> None:
    gallery = await Gallery.open(tmp_path / "g.db", str(MODEL))
    await gallery.transcripts.begin("test")
    drawn = Image.open(sorted(WORLD.glob("*.webp"))[2]).convert("RGB")
    files = {name: tmp_path / name for name in ("0.png", "1.webp", "2.jpg")}
    for name, path in files.items():
        drawn.save(path)
        await gallery.add(path.read_bytes(), Link(SPACE, Group(OPEN), name, ""))
    filter, like = Filter(SPACE), Query(image=files["0.png"].read_bytes())
    [hit] = (await gallery.find(like, filter, k=9)).hits
    assert len(hit.copies) == 2
    said = {
        "0.png": ["monday morning again"],
        "1.webp": ["friday evening at last"],
        "2.jpg": ["m0nday mornin again and again"],
    }
    for one in await gallery.transcripts.pending(limit=9):
        await gallery.transcripts.put(one.key, "test", said[one.link.source])
    hits = (await gallery.find(like, filter, k=9)).hits
    assert sorted(1 + len(hit.copies) for hit in hits) == [1, 2]
    assert len({hit.link.source for hit in hits if hit.copies} & {"0.png", "2.jpg"}) == 1
    await gallery.close()
