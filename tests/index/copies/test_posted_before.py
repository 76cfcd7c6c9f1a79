"""Where a picture was posted before: in a gallery, within what the asker may see."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from demo import FOLDER
from index import Copy, Filter, Gallery, Group, Link, LinkGone
from index.copies.derivation import FingerprintDerivation
from index.types.derivations import FINGERPRINT
from tests.index.colours import ColourEmbedder
from tests.index.store.samples import all_bytes

DRAWINGS = sorted((FOLDER / "pictures").iterdir())
HIDDEN = 99


def drawing(number: int) -> Image.Image:
    with Image.open(DRAWINGS[number]) as image:
        return image.convert("RGB")


def encoded(image: Image.Image, format: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, format)
    return out.getvalue()


@pytest.fixture
async def gallery(place: str, embedder: ColourEmbedder) -> AsyncIterator[Gallery]:
    opened = await Gallery.open(place, embedder)
    yield opened
    await opened.close()


async def post(
    gallery: Gallery, data: bytes, source: str, at: float, group: int = 10, space: int = 1
) -> int:
    """Add a picture; the id of its link."""
    await gallery.add(data, Link(space, Group(group), source, "a", owner=5, posted_at=at))
    return (await gallery.links.ids_of_source(space, source))["a"]


def told(copies: list[Copy]) -> list[tuple[int, str, set[str]]]:
    return [(copy.id, copy.kind, set(copy.edits)) for copy in copies]


async def test_copies_come_oldest_first_and_other_pictures_do_not(gallery: Gallery) -> None:
    picture = drawing(0)
    original = await post(gallery, encoded(picture), "1", at=1.0)
    turned = await post(gallery, encoded(picture.rotate(90, expand=True)), "2", at=2.0)
    again = await post(gallery, encoded(picture), "3", at=3.0)
    for number in range(1, 6):
        await post(gallery, encoded(drawing(number)), f"other {number}", at=0.5)
    asked = ImageOps.expand(picture, 40, (0, 0, 0))
    assert told(await gallery.copies_of(encoded(asked, "JPEG"), Filter(1))) == [
        (original, "copy", {"framed"}),
        (turned, "copy", {"framed", "turned"}),
        (again, "copy", {"framed"}),
    ]
    assert told(await gallery.copies_of(again, Filter(1))) == [
        (original, "exact", set()),
        (turned, "copy", {"turned"}),
    ]
    assert await gallery.copies_of(encoded(drawing(9)), Filter(1)) == []
    # The same pixels in another kind of file.
    (first, *_) = await gallery.copies_of(encoded(picture, "BMP"), Filter(1))
    assert (first.id, first.kind) == (original, "exact")
    with pytest.raises(LinkGone):
        await gallery.copies_of(999, Filter(1))


async def test_only_what_the_filter_allows_is_told(gallery: Gallery) -> None:
    picture = drawing(0)
    await post(gallery, encoded(picture), "1", at=1.0, group=HIDDEN)
    await post(gallery, encoded(ImageOps.mirror(picture)), "2", at=2.0, group=HIDDEN)
    await post(gallery, encoded(picture), "3", at=2.0, space=2)
    # A picture that is a copy of the hidden ones, but not of the one that is asked with.
    seen = await post(gallery, encoded(picture), "4", at=3.0)
    copies = await gallery.copies_of(encoded(picture), Filter(1, frozenset({10})))
    assert told(copies) == [(seen, "exact", set())]
    assert await gallery.copies_of(seen, Filter(1, frozenset({10}))) == []
    assert len(await gallery.copies_of(seen, Filter(1))) == 2
    for nothing in (
        Filter(1, frozenset()),
        Filter(1, owners=frozenset({6})),
        Filter(1, but_owners=frozenset({5})),
        Filter(1, until=1.0),
        Filter(1, since=4.0),
        Filter(1, only=frozenset()),
        Filter(3),
    ):
        assert await gallery.copies_of(encoded(picture), nothing) == []


async def test_hidden_copies_take_no_place_from_those_that_are_seen(gallery: Gallery) -> None:
    picture = drawing(0).resize((240, 180))
    turned = await post(gallery, encoded(picture.rotate(90, expand=True)), "0", at=1.0)
    for number in range(50):
        shade = picture.point(lambda v, n=number: max(0, v - n % 7))  # type: ignore[misc]
        shade.putpixel((0, 0), (number, 0, 0))
        await post(gallery, encoded(shade), f"hidden {number}", at=1.0, group=HIDDEN)
    copies = await gallery.copies_of(encoded(picture), Filter(1, frozenset({10})))
    assert told(copies) == [(turned, "copy", {"turned"})]


async def test_what_was_called_no_copy_stays_so(gallery: Gallery, tmp_path: Path) -> None:
    picture = drawing(0)
    one = await post(gallery, encoded(picture), "1", at=1.0)
    other = await post(gallery, encoded(ImageOps.mirror(picture)), "2", at=2.0)
    reposted = await post(gallery, encoded(picture), "3", at=3.0)
    await gallery.bookkeeping.not_a_copy(1, other, one)
    assert told(await gallery.copies_of(other, Filter(1))) == []
    assert told(await gallery.copies_of(one, Filter(1))) == [(reposted, "exact", set())]
    assert [copy.id for copy in await gallery.copies_of(encoded(picture), Filter(1))] == [
        one,
        reposted,
    ]
    hits = (await gallery.search(await _words(gallery), Filter(1), k=10, guesses=True)).hits
    assert [(hit.id, hit.copies) for hit in hits] == [(one, (reposted,)), (other, ())]
    # Said of both items, and forgotten with either.
    await gallery.remove_sources(1, ["2"])
    back = await post(gallery, encoded(ImageOps.mirror(picture)), "2", at=2.0)
    assert [copy.id for copy in await gallery.copies_of(back, Filter(1))] == [one, reposted]


async def test_copies_fold_into_the_best_hit(gallery: Gallery) -> None:
    picture = drawing(0)
    links = [
        await post(gallery, encoded(image), str(number), at=number)
        for number, image in enumerate(
            (picture, picture.crop((40, 20, 440, 340)), ImageOps.mirror(picture), drawing(3))
        )
    ]
    hidden = await post(gallery, encoded(picture.resize((200, 150))), "h", at=9.0, group=HIDDEN)
    answer = await gallery.search(
        await _words(gallery), Filter(1, frozenset({10})), k=10, guesses=True
    )
    shown = {frozenset((hit.id, *hit.copies)) for hit in answer.hits}
    assert shown == {frozenset(links[:3]), frozenset(links[3:])}
    assert hidden not in {id for hit in answer.hits for id in (hit.id, *hit.copies)}


async def test_an_erased_picture_leaves_no_fingerprint(gallery: Gallery, tmp_path: Path) -> None:
    data = encoded(drawing(0))
    link = await post(gallery, data, "1", at=1.0)
    other = await post(gallery, encoded(drawing(4)), "2", at=2.0)
    await gallery.bookkeeping.not_a_copy(1, link, other)
    assert await gallery.copies_of(data, Filter(1))
    key = (await gallery.embed_picture(data, Link(1, Group(10), "1", ""))).key
    made = await gallery.derivations.get(FINGERPRINT, key)
    assert made is not None
    await gallery.remove_sources(1, ["1"])
    table = gallery._lookup._spaces[1].table
    assert table is not None
    assert link not in table._rows["link"]
    assert np.frombuffer(made.data[:16], "<u8")[0] not in table._hashes
    await gallery.vacuum()
    written = all_bytes(tmp_path / "g.db")
    parts = [made.data[start : start + 16] for start in range(0, len(made.data) - 16, 16)]
    telling = [part for part in parts if len(set(part)) > 8]  # the sky of another is as blue
    assert len(telling) > 50
    assert not any(part in written for part in telling)
    assert await gallery.copies_of(data, Filter(1)) == []


async def test_pictures_of_an_earlier_magpie_answer_and_get_theirs_on_a_second_look(
    gallery: Gallery,
) -> None:
    picture = drawing(0)
    data, edited = encoded(picture), encoded(ImageOps.mirror(picture))
    old = await post(gallery, data, "1", at=1.0)
    await gallery.derivations.drop(FINGERPRINT)
    await gallery.derivations.begin(FINGERPRINT, FingerprintDerivation.revision, {})
    assert await gallery.slots_pending(1, "1") == {"a"}
    assert [copy.id for copy in await gallery.copies_of(data, Filter(1))] == [old]
    assert await gallery.copies_of(edited, Filter(1)) == []
    await post(gallery, data, "1", at=1.0)
    assert await gallery.slots_pending(1, "1") == set()
    assert told(await gallery.copies_of(edited, Filter(1))) == [(old, "copy", {"mirrored"})]


async def _words(gallery: Gallery):  # type: ignore[no-untyped-def]
    from index import Query

    return await gallery.embed_query(Query(text="white"))
