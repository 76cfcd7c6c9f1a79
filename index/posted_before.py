"""Where a picture was posted before: exact and edited copies of it, and no look-alikes.

Candidates are the pictures with the most similar vectors, and those whose hashes are near; the
vectors of a picture in a frame or turned on its side are not similar to its own. Fingerprints tell
which of them are copies.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from index.answering.without_source import without_source
from index.concurrency import Pool
from index.copies.comparison import Relation, Sample, compare
from index.copies.derivation import fingerprint_of
from index.copies.fingerprint import Fingerprint
from index.copies.lookup import Lookup
from index.models import Models
from index.pipeline import Pipeline
from index.search.interface import VectorIndex
from index.store.interface import Store
from index.types.errors import LinkGone
from index.types.filter import Filter
from index.types.records import Copy, Floats, Link

# Pictures that are compared: the most similar by their vectors, and those with the nearest hashes.
SIMILAR, NEAR = 48, 32


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The picture that is asked about.

    vectors      (frames, d)
    revision     of the model whose vectors these are
    fingerprint  None when it has none (yet)
    posted_at    Unix seconds; infinity for one that is being posted
    """

    vectors: Floats
    revision: str
    fingerprint: Fingerprint | None
    posted_at: float


class PostedBefore:
    """Finds copies in one gallery.

    looking, searching   threads for the pictures of queries, and for comparisons
    """

    def __init__(
        self,
        store: Store,
        models: Models,
        pipeline: Pipeline,
        index: VectorIndex,
        lookup: Lookup,
        looking: Pool,
        searching: Pool,
    ) -> None:
        self._store = store
        self._models = models
        self._pipeline = pipeline
        self._index = index
        self._lookup = lookup
        self._looking = looking
        self._searching = searching

    async def copies_of(self, picture: bytes | int, filter: Filter) -> list[Copy]:
        """As `Gallery.copies_of`."""
        return await without_source(self._store.links, filter, partial(self._copies, picture))

    async def _copies(self, picture: bytes | int, filter: Filter) -> list[Copy]:
        links = self._store.links
        asked = await (
            self._link(filter.space, picture) if isinstance(picture, int) else self._posted(picture)
        )
        exact = await links.exact_copies(picture, filter)
        known = _admitted(filter, exact)
        relations = dict.fromkeys(known, Relation("exact"))
        own = picture if isinstance(picture, int) else next(iter(known), None)
        others = replace(filter, without=filter.without.union(exact))
        edited = await self._edited(asked, own, others)
        for id, copies in (await links.copies(list(edited), within=filter)).items():
            shown = _admitted(filter, copies)
            known |= shown
            relations |= dict.fromkeys(shown.keys() - relations.keys(), edited[id])
        relations.pop(picture if isinstance(picture, int) else 0, None)
        found = [
            Copy(id, known[id], relation.kind, relation.edits) for id, relation in relations.items()
        ]
        return sorted(found, key=lambda copy: (copy.link.posted_at, copy.id))

    # ---- the picture that is asked about

    async def _posted(self, data: bytes) -> _Asked:
        """raises   PictureError"""
        revision = self._models.revision
        vectors = await self._pipeline.asked_picture(data)
        fingerprint = await self._looking.run(partial(fingerprint_of, data))
        return _Asked(vectors, revision, fingerprint, np.inf)

    async def _link(self, space: int, id: int) -> _Asked:
        """raises   LinkGone"""
        item = await self._store.items.item_of_link(id)
        link = await self._store.links.link(space, id)
        if item is None or link is None:
            raise LinkGone(id)
        made = (await self._store.copies.fingerprints([id])).get(id)
        fingerprint = _read(made[1]) if made else None
        return _Asked(item.vectors, item.revision, fingerprint, link.posted_at)

    # ---- candidates

    async def _edited(self, asked: _Asked, own: int | None, filter: Filter) -> dict[int, Relation]:
        """Links whose pictures are copies of the one that is asked about, but other bytes.

        own      a link that shows it, if the asker may see one: what was said about it counts
        raises   ModelChanged
        """
        if asked.fingerprint is None:
            return {}
        near = await self._lookup.near(asked.fingerprint, filter, NEAR)
        self._models.check_revision(asked.revision)
        found = await self._index.search(asked.vectors, filter, k=SIMILAR, sampled=False)
        similar = found.links.tolist()
        candidates = await self._store.copies.fingerprints({*near, *similar})
        links = await self._store.links.with_ids(filter.space, list(candidates))
        admitted = [id for id, (link, kind, _) in links.items() if filter.admits(id, link, kind)]
        said = set() if own is None else await self._store.copies.not_copies([own, *admitted])
        others = {
            id: (candidates[id], links[id][0].posted_at)
            for id in admitted
            if frozenset((id, own)) not in said
        }
        return await self._searching.run(partial(_compared, asked, others))


def _admitted(filter: Filter, links: Mapping[int, Link]) -> dict[int, Link]:
    return {id: link for id, link in links.items() if filter.admits(id, link, "image")}


def _compared(
    asked: _Asked, others: Mapping[int, tuple[tuple[int, bytes], float]]
) -> dict[int, Relation]:
    """One link of each picture that is a copy of the one that is asked about."""
    assert asked.fingerprint is not None
    sample, copies, seen = Sample(asked.fingerprint), {}, set()
    for id, ((item, data), posted_at) in others.items():
        other = _read(data)
        if other is None or item in seen:
            continue
        seen.add(item)
        pair = (Sample(other), sample) if posted_at < asked.posted_at else (sample, Sample(other))
        relation = compare(*pair)
        if relation is not None:
            copies[id] = relation
    return copies


def _read(data: bytes) -> Fingerprint | None:
    """The fingerprint in these bytes; None for a text's, and for one that was not written whole."""
    try:
        return Fingerprint.from_bytes(data)
    except (ValueError, struct.error):
        return None
