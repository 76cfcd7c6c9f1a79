"""The index of the words in pictures, kept in step with the links.

Each link to a picture with a transcript has two entries, by the link's id. `words` has the terms in
order, `near_words` what terms have in common that are nearly the same.

The index holds no words but hashes, each of a term together with its home: the channel in which it
stands. So a search reads only what stands in the channels that are asked for, and its time tells
nothing of others. And what an engine keeps of a deleted entry for a while are no words.

A picture that is posted in another channel, too, is read once more for that one. Else it would
tell there, by being found or counted early, that it is known elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

import numpy as np

from index.store.sql.database import Said, Transaction
from index.transcripts.terms import REVISION, forgiving, terms

LINKS_AT_ONCE = 1_000
HASH_BYTES = 10  # two of a billion terms have the same one with a chance of 1 in 2 million
HASH_LETTERS = 16  # of base32, which has no other letters than these
_BASE32 = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", np.uint8)
_BITS = np.array([16, 8, 4, 2, 1], np.uint8)  # of a letter
# Where a link's words stand: a thread that is open to all who read its channel counts as a part of
# it, so that there are no more homes than channels and private threads.
HOME = """CASE WHEN groups.private != 0 OR groups.parent IS NULL THEN groups.id
    ELSE groups.parent END"""
IN_ITS_GROUP = "JOIN groups ON groups.space = links.space AND groups.id = links.group_id"
WAS_READ = "JOIN transcripts ON transcripts.item = links.item"
# That a link's words were not read for its home yet. A set of all such links would be made of those
# of every space.
UNREAD = "EXISTS (SELECT 1 FROM unread WHERE unread.link = links.id)"
_ROWS = f"""SELECT links.id, links.space, {HOME}, transcripts.lines
    FROM links {IN_ITS_GROUP} {WAS_READ}
    WHERE transcripts.lines != '' AND NOT {UNREAD}"""


def hashed(space: int, homes: Sequence[int], terms: Collection[str]) -> dict[str, list[str]]:
    """For each term its hashes, one for each home in which it may stand: letters and figures.

    A question asks for all of its terms in hundreds of channels. So the hashes are written in
    base32 together, which takes a fifth of the time of the module `base64`.

    homes   channels of the space
    """
    standing = [
        hashlib.blake2b(f"{space} {home} ".encode(), digest_size=HASH_BYTES) for home in homes
    ]
    digests = list[bytes]()
    for term in terms:
        encoded = term.encode()
        for home in standing:
            made = home.copy()
            made.update(encoded)
            digests.append(made.digest())
    bits = np.unpackbits(np.frombuffer(b"".join(digests), np.uint8)).reshape(-1, len(_BITS))
    letters = _BASE32[bits @ _BITS].tobytes().decode()
    starts = range(0, len(letters), HASH_LETTERS)
    hashes = iter([letters[at : at + HASH_LETTERS] for at in starts])
    return {term: list(islice(hashes, len(homes))) for term in terms}


async def begin(db: Transaction) -> None:
    """Index all words anew if the index has the terms of another revision. A transaction's work."""
    known = await db.rows("SELECT revision FROM word_terms")
    if [one for (one,) in known] == [REVISION]:
        return
    await db.clear_words()
    links = await links_with_words(db, "1 = 1")
    for start in range(0, len(links), LINKS_AT_ONCE):
        await add(db, links[start : start + LINKS_AT_ONCE])
    await db.execute("DELETE FROM word_terms")
    await db.execute("INSERT INTO word_terms (revision) VALUES (?)", REVISION)


async def add(db: Transaction, links: Iterable[int]) -> None:
    """Index the words in what these links show; they are not indexed yet. Part of a transaction."""
    if said := await _said(db, links):
        await db.put_words(said)


async def begin_links(db: Transaction, links: Sequence[int]) -> None:
    """Index the words in what new links show, where they were read for their home already;
    otherwise note that they are to be read. Part of a transaction."""
    read = f"SELECT links.id FROM links {WAS_READ} WHERE links.id IN (numbers(?))"
    links = [id for (id,) in await db.rows(read, list(links))] if links else []
    if not links:
        return  # as for most new pictures, so it must cost little
    await db.execute(
        f"""INSERT INTO unread (link) SELECT links.id FROM links {IN_ITS_GROUP}
        WHERE links.id IN (numbers(?1)) AND NOT EXISTS (
            SELECT 1 FROM links AS other
            JOIN groups AS its ON its.space = other.space AND its.id = other.group_id
            WHERE other.item = links.item AND other.space = links.space
            AND {HOME.replace("groups.", "its.")} = {HOME}
            AND other.id NOT IN (numbers(?1))
            AND NOT EXISTS (SELECT 1 FROM unread WHERE unread.link = other.id))""",
        links,
    )
    await add(db, links)


async def drop(db: Transaction, links: Iterable[int]) -> bool:
    """Take the words in what these links show out, before a link or its transcript changes; whether
    there were any. Part of a transaction."""
    if said := await _said(db, links):
        await db.take_words(said)
    return bool(said)


async def _said(db: Transaction, links: Iterable[int]) -> list[tuple[int, Said]]:
    """What the index has of each of these links."""
    if not (links := list(links)):
        return []
    found = await db.rows(f"{_ROWS} AND links.id IN (numbers(?))", links)
    return [(id, _said_in(space, home, lines)) for id, space, home, lines in found]


def _said_in(space: int, home: int, lines: str) -> Said:
    here = terms(lines)
    near = {like for term in set(here) for like in forgiving(term)}
    hashes = hashed(space, [home], {*here, *near})
    return [hashes[term][0] for term in here], [hashes[like][0] for like in sorted(near)]


async def links_with_words(db: Transaction, where: str, *params: object) -> list[int]:
    """Those links that meet the condition and show a picture with words."""
    rows = await db.rows(
        f"""SELECT id FROM links WHERE ({where}) AND EXISTS (
            SELECT 1 FROM transcripts WHERE transcripts.item = links.item AND lines != '')""",
        *params,
    )
    return [id for (id,) in rows]
