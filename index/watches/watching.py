"""Judges new links by the watches of a gallery.

A link that was committed as new waits in the store until watches have judged it, so a restart
loses none. All watches of its space are screened in one pass (`screening`), and those that it may
fit judge it one by one (`judging`), each among the links that its owner may see at that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from index.answering import scoring
from index.answering.background import Background
from index.concurrency import Pool
from index.models import Models
from index.pipeline import Pipeline
from index.search.interface import VectorIndex
from index.store.interface import Store
from index.types.errors import ModelChanged
from index.types.filter import Filter
from index.types.query import Query
from index.types.records import EmbeddedPicture, Link
from index.types.watches import Stage, Unjudged, Watch
from index.watches.judging import Judged, is_written, judged
from index.watches.screening import Compiled, Screen, compiled

# Candidates that a search is asked for: only its sample and its count are needed.
FEW = 1


@dataclass(frozen=True, slots=True, eq=False)
class Judging:
    """A link that is being judged.

    watches   that it may fit
    lines     of its transcript; None while nobody has read it
    """

    unjudged: Unjudged
    link: Link
    item: EmbeddedPicture
    lines: Sequence[str] | None
    watches: Sequence[Watch]


class Watching:
    """Judges links.

    searching, screening   threads for queries, and for passes over all watches
    """

    def __init__(
        self,
        store: Store,
        models: Models,
        pipeline: Pipeline,
        index: VectorIndex,
        searching: Pool,
        screening: Pool,
    ) -> None:
        self._store = store
        self._models = models
        self._pipeline = pipeline
        self._index = index
        self._searching = searching
        self._screening = screening
        self._screens: dict[int, Screen] = {}  # by space
        self._compiled: dict[int, dict[int, Compiled]] = {}  # by space, and by watch
        self._made_of: tuple[int, str, Background | None] = (-1, "", None)

    @property
    def ready(self) -> bool:
        """Whether an answer could be sure. Until then links wait."""
        return self._models.loaded and not self._models.background_missing

    def forget(self, space: int) -> None:
        """Keep nothing of the watches of a space in memory."""
        self._screens.pop(space, None)
        self._compiled.pop(space, None)

    async def judging(self, unjudged: Unjudged) -> Judging | None:
        """A link with the watches that it may fit; None when it was removed, or when the model has
        changed and has not embedded it."""
        links = await self._store.links.with_ids(unjudged.space, [unjudged.link])
        item = await self._store.items.item_of_link(unjudged.link)
        if item is None or unjudged.link not in links:
            return None
        link = links[unjudged.link][0]
        screen = await self._screen(link.space)
        if item.revision not in ("", self._models.revision):
            return None
        lines = await self._lines(unjudged, item.key)
        work = partial(_candidates, screen, item, lines, unjudged.stage)
        watches = await self._screening.run(work)
        return Judging(unjudged, link, item, lines, watches)

    async def _lines(self, unjudged: Unjudged, key: bytes) -> Sequence[str] | None:
        """What was read in the picture for this link, line by line; None: nothing yet."""
        said = (await self._store.transcripts.of_links([unjudged.link])).get(unjudged.link)
        return () if said is None and unjudged.stage is Stage.READ else said

    async def _screen(self, space: int) -> Screen:
        """The active watches of a space, as they are now."""
        background = self._models.background
        made_of = (self._store.watches.version, self._models.revision, background)
        if made_of != self._made_of:
            if made_of[1:] != self._made_of[1:]:
                self._compiled.clear()
            self._screens.clear()
            self._made_of = made_of
        if space not in self._screens:
            active = await self._store.watches.active(space)
            watches = [one for one in active if one.revision == self._models.revision]
            known = self._compiled.get(space, {})
            work = partial(_screen_of, watches, known, background)
            screen, self._compiled[space] = await self._screening.run(work)
            self._screens[space] = screen
            return screen
        return self._screens[space]

    async def judge(self, watch: Watch, judging: Judging, filter: Filter) -> Judged:
        """What a watch says of a link, among what its owner may see.

        filter   what it asks for, in the groups that its owner may read at this moment
        raises   ModelChanged
        """
        assert watch.embedding is not None
        embedding, link = watch.embedding, judging.unjudged.link
        filter = await self._store.links.resolved(filter)
        if not filter.admits(link, judging.link, judging.item.kind):
            return Judged(fits=False, searched=watch.searched, bar=watch.bar)
        if not embedding.wanted:
            return Judged(fits=True)
        self._models.check_revision(embedding.revision)
        queries = scoring.probes(embedding)
        found = await self._index.search(queries, filter, k=FEW)
        frames, judge = judging.item.vectors, self._models.judge
        work = partial(judged, embedding, frames, found.sample, found.searched, judge)
        said = await self._searching.run(work)
        if not said.fits and judging.lines and is_written(embedding.terms, judging.lines):
            said = replace(said, fits=True)
        return said

    async def embed_again(self, watch: Watch) -> Watch | None:
        """The watch as the gallery's model reads it; None when it has a picture that isn't kept.

        raises   ModelChanged
        """
        if watch.asked.with_picture:
            return None
        asked = watch.asked
        query = Query(text=asked.words or None, minus=asked.minus)
        embedding = await self._pipeline.query(query)
        if embedding.revision != self._models.revision:
            raise ModelChanged
        return replace(watch, embedding=embedding, revision=embedding.revision)

    async def outdated(self) -> list[Watch]:
        """The active watches that the gallery's model has not read yet."""
        return await self._store.watches.outdated(self._models.revision)


def _screen_of(
    watches: Sequence[Watch], known: dict[int, Compiled], background: Background | None
) -> tuple[Screen, dict[int, Compiled]]:
    """A screen of these watches, and the rows that it was made of; `known`: those that were made
    before."""
    new = [watch for watch in watches if watch.id not in known]
    made = known | dict(zip((one.id for one in new), compiled(new, background), strict=True))
    made = {watch.id: made[watch.id] for watch in watches}
    return Screen(watches, made, background), made


def _candidates(
    screen: Screen, item: EmbeddedPicture, lines: Sequence[str] | None, stage: Stage
) -> list[Watch]:
    """The watches that a link may fit.

    Those that ask for exact words wait until its words were read. By then the others have judged
    what it shows, and only its words are new.
    """
    seen = {watch.id for watch in screen.passing(item.vectors)}
    return [watch for watch in screen.watches if _may_fit(watch, seen, lines, stage)]


def _may_fit(watch: Watch, seen: set[int], lines: Sequence[str] | None, stage: Stage) -> bool:
    asks_words = bool(watch.asked.filter and watch.asked.filter.says)
    if asks_words and lines is None:
        return False
    shown = watch.id in seen and (stage is Stage.SHOWN or asks_words)
    terms = watch.embedding.terms if watch.embedding else ()
    return shown or (lines is not None and is_written(terms, lines))
