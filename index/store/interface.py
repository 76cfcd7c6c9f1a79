"""What a gallery's store offers, one protocol for each kind of caller.

Store
├── links         Links: what is kept, for callers; only reads
├── bookkeeping   Bookkeeping: what callers remember beside the pictures
├── writes        Writes: links are added and removed, for the gallery
├── items         Items: pictures and texts by their key, for the pipeline
├── model_record  ModelRecord: whose embeddings are kept
├── copies        Copies: what copies of pictures are told by
├── derivations   Derivations: what is made from items beside their embeddings
├── transcripts   Transcripts: the words that were read in pictures
└── watches       Watches: questions that new links are judged by
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from index.concurrency import Pool
from index.copies.lookup import HashSource
from index.search.interface import VectorIndex
from index.search.sizes import Sizes
from index.types.derivations import BegunDerivation, PendingItem
from index.types.filter import Filter
from index.types.query import QueryEmbedding
from index.types.records import (
    Belonging,
    Changes,
    Counts,
    Cursor,
    Derived,
    EmbeddedPicture,
    Group,
    Job,
    Kind,
    Link,
    ModelInfo,
    Note,
    Outlines,
    Welcome,
)
from index.types.searches import Asked, SavedSearch
from index.types.transcripts import Mentions, PendingTranscript, Place
from index.types.watches import Notice, Unjudged, Watch


class Store(Protocol):
    """Where a gallery keeps everything but segments."""

    @property
    def place(self) -> str:
        """Where it is, for people: a path, or an address without its password."""

    def vector_index(
        self,
        searching: Pool,
        settling: Pool,
        compacting: Pool,
        closed: asyncio.Event,
        *,
        write: bool,
        sizes: Sizes,
    ) -> VectorIndex:
        """The index that suits this store.

        searching   threads for queries
        settling    a thread for work in the background that writers may come to wait for
        compacting  a thread for work in the background that may take minutes
        closed      set from when on nothing changes
        """

    @property
    def links(self) -> Links: ...

    @property
    def bookkeeping(self) -> Bookkeeping: ...

    @property
    def writes(self) -> Writes: ...

    @property
    def items(self) -> Items: ...

    @property
    def model_record(self) -> ModelRecord: ...

    @property
    def derivations(self) -> Derivations: ...

    @property
    def copies(self) -> Copies: ...

    @property
    def transcripts(self) -> Transcripts: ...

    @property
    def watches(self) -> Watches: ...

    async def state(self) -> object:
        """Something that differs from what it was before if another process has written since."""

    async def vacuum(self) -> None:
        """Leave nothing of what was removed: in a file not even stray bytes; in PostgreSQL no
        entry of a table or an index, but perhaps bytes in unused parts of pages.

        Takes seconds a gigabyte, in which writes to a file wait. Does nothing where nothing was
        removed since the last time.
        """

    async def close(self) -> None:
        """Let running writes finish, refuse later ones, and close the store."""


class Links(Protocol):
    """The links that are kept, and how many there are of each kind. Only reads."""

    async def with_ids(
        self, space: int, ids: Sequence[int]
    ) -> dict[int, tuple[Link, Kind, str | None]]:
        """Those of these links that are (still) there, each with its item's kind and text. A link
        of another space counts as one that isn't there."""

    async def ids_of_source(self, space: int, source: str) -> dict[str, int]:
        """The slots of one source, each with the id of its link."""

    async def partial_slots(self, space: int, source: str) -> set[str]:
        """The slots of one source that show a picture whose file lacks a part of it."""

    async def slots(self, space: int, source: str) -> set[str]:
        """The slots of one source that are in the gallery."""

    async def seconds(self, frames: Mapping[int, int]) -> dict[int, float]:
        """For each of these links, when this frame of what it shows is shown; only of animations
        and videos, and where it is known."""

    async def stills(self, frames: Mapping[int, int]) -> dict[int, bytes]:
        """A small WebP of those frames."""

    async def resolved(self, filter: Filter) -> Filter:
        """The filter with every condition that only the store can answer turned into ids: into
        `only` and `without`, which a vector index understands."""

    async def known(self, space: int, group: int) -> dict[str, set[str]]:
        """All sources of a group, each with its slots."""

    async def outlines(self, space: int) -> Outlines:
        """All pictures of a space in short; of a million it takes seconds."""

    async def frame_counts(self, ids: Sequence[int]) -> dict[int, int]:
        """How many frames of the animation or video that each of these links shows are searched;
        of a still picture, nothing."""

    async def details(self, space: int, group: int) -> dict[str, Mapping[str, Any]]:
        """All sources of a group, each with the details of one of its links."""

    async def link(self, space: int, id: int) -> Link | None:
        """The link of a space with this id; None when it has none (any more)."""

    async def links_of_picture(self, data: bytes) -> dict[int, Link]:
        """All links to exactly these bytes, by id."""

    async def copies(self, ids: Sequence[int], within: Filter) -> dict[int, dict[int, Link]]:
        """For each of these links, the links of the filter's space and groups that show the same
        item, by id. No other link is looked at. A link is among its own copies."""

    async def exact_copies(self, picture: bytes | int, within: Filter) -> dict[int, Link]:
        """The links of the filter's space and groups that show these bytes, or what this link
        shows, by id. No other link is looked at, so the time tells nothing of others."""

    async def items(self, ids: Sequence[int]) -> dict[int, int]:
        """The item of each of these links; of one that is gone, nothing. Links that show the same
        bytes have the same item."""

    async def groups(self, space: int) -> list[Group]:
        """Every group that has links."""

    async def spaces(self) -> set[int]:
        """All spaces that have watched groups or links."""

    async def count(
        self, space: int | None = None, groups: Collection[int] | None = None
    ) -> Counts:
        """How many images, texts and links there are; of a space, of some groups, if given."""

    async def count_links(self, space: int | None = None, groups: Collection[int] = ()) -> int:
        """How many links there are (nearly, of very many), or those of some groups of a space;
        quicker than `count`."""

    async def count_of_owner(self, space: int, owner: int) -> int:
        """How many links an owner has."""

    async def owners(
        self, space: int, groups: Collection[int], *, limit: int = 1000
    ) -> dict[int, int]:
        """Whose links these groups have, and how many of each; most first. The time that it takes
        depends on these groups alone."""

    async def belongings(
        self, space: int, owner: int, *, after: int = 0, limit: int = 1000
    ) -> list[tuple[int, Belonging]]:
        """An owner's links with ids above `after`, by id, with all that is kept of each; fewer
        where they have many stills."""

    async def disk_bytes(self) -> int:
        """What the store takes on disk."""

    async def model(self) -> ModelInfo | None:
        """The model whose embeddings are kept; None in an empty gallery."""


class BookkeepingReader(Protocol):
    """What a caller remembers beside the pictures, to be read."""

    async def left_out(self) -> dict[tuple[int, int], float]:
        """By (space, owner): up to when their links are left out (Unix seconds).

        Infinity for an owner who wants none of their links kept.
        """

    async def retention(self) -> dict[int, int]:
        """The days that pictures are kept, of each space that has a limit."""

    async def days_kept(self, space: int) -> int | None:
        """The days that a space keeps pictures; None: no limit."""

    async def departed(self) -> dict[int, float]:
        """The spaces that were left, each since when (Unix seconds)."""

    async def closed_groups(self) -> dict[tuple[int, int], float]:
        """The groups that the caller cannot read, by space and id, each since when."""

    async def not_copies_of(self, link: int) -> set[int]:
        """The links of its space whose pictures somebody called no copies of this one's."""

    async def noted_groups(self) -> dict[tuple[int, int], int]:
        """The groups of which pictures that were posted before are noted, by space and id; each
        with how many owners may have posted one that is not noted any more."""

    async def passing(self, space: int, group: int, links: Collection[int]) -> set[int]:
        """Those of these links of which nothing is noted in a group, whatever shows the same."""

    async def note_below(self, space: int, source: str) -> Note | None:
        """The note below a source, also one that stands for none yet; None when there is none."""

    async def notes_with_id(self, id: str) -> list[Note]:
        """The notes with this id; it may be one that stands for none yet."""

    async def loose_notes(self) -> list[Note]:
        """Notes below sources without links, or that name one: the pictures were erased, so the
        notes are to go."""

    async def welcomes(self) -> list[Welcome]:
        """Where the caller presented itself, of each space where it did."""

    async def welcoming_since(self) -> float:
        """From when on the caller presents itself, in Unix seconds; 0: this store is as old as
        that. Spaces that it joined earlier know it already."""

    async def watched(self, space: int) -> set[int]:
        """The groups of a space that are marked as watched."""

    async def cursors(self, space: int) -> dict[int, Cursor]:
        """The cursor of each group of a space that has one."""

    async def jobs(self, space: int | None = None, *, active: bool = True) -> list[Job]:
        """Jobs, oldest first; `active`: only those running or paused."""

    async def search_by_id(self, id: str) -> SavedSearch | None:
        """The search saved under this id; None when it was removed or is too old."""

    async def searches_of(self, space: int, owner: int) -> list[SavedSearch]:
        """The saved searches of an owner, oldest first."""


class Bookkeeping(BookkeepingReader, Protocol):
    """What a caller remembers beside the pictures.

    Cursors and the states of jobs are written by `Gallery.commit`, in one transaction with the
    pictures they stand for. What an owner wants left out is written by `Gallery.leave_out`, in one
    transaction with the removal of these links.
    """

    async def watch(self, space: int, group: int) -> None:
        """Mark a group as watched."""

    async def unwatch(self, space: int, group: int) -> None:
        """Take the mark away; the group's pictures are removed by `Gallery.remove_group`."""

    async def let_in(self, space: int, owner: int, after: float) -> None:
        """Let the links of this owner be added that are posted after then (Unix seconds).

        Links that were let in before stay so; minus infinity lets all in.
        """

    async def set_retention(self, space: int, days: int | None) -> None:
        """From now on `Gallery.commit` leaves out links older than this; None: no limit."""

    async def depart(self, space: int, since: float) -> None:
        """Note that a space was left (Unix seconds); an earlier note stays."""

    async def come_back(self, space: int) -> None:
        """Take away the note that a space was left."""

    async def not_a_copy(self, space: int, link: int, other: int) -> None:
        """Note that two links of a space show no copies of each other, whatever they look like.

        It holds for all links of the space that show the same two items, for as long as both are
        kept. Does nothing where a link is gone, or both show the same item.
        """

    async def a_copy_after_all(self, space: int, link: int, other: int) -> None:
        """Take that back."""

    async def set_noted(self, space: int, group: int, owners: int | None) -> None:
        """Note pictures of a group that were posted before, until so many owners have posted one;
        None: note none."""

    async def let_pass(self, space: int, group: int, link: int) -> None:
        """Never note in a group what this link of the space shows."""

    async def let_pass_no_more(self, space: int, group: int, link: int) -> None:
        """Take that back."""

    async def keep_note(self, note: Note) -> None:
        """Remember which note stands below a source."""

    async def forget_note(self, space: int, source: str) -> None:
        """Forget the note below a source, which is gone."""

    async def keep_welcome(self, welcome: Welcome) -> None:
        """Remember where the caller presented itself to a space, in place of an earlier one."""

    async def forget_welcome(self, space: int) -> None:
        """Forget it: the space was left."""

    async def close_group(self, space: int, group: int, since: float) -> None:
        """Note that the caller cannot read a group (Unix seconds). An earlier note stays. The note
        is removed with the group's last link."""

    async def open_group(self, space: int, group: int) -> None:
        """Take away the note that the caller cannot read a group."""

    async def new_job(self, space: int, kind: str, state: Mapping[str, Any]) -> Job:
        """A new running job with an id of its own."""

    async def save_search(
        self,
        space: int,
        owner: int,
        asked: Asked,
        embedding: QueryEmbedding | None = None,
    ) -> str:
        """A short id under which this search can be run again for seven days.

        embedding   None when it must not outlive a picture that it was made from
        """

    async def expire_searches(self) -> None:
        """Remove the saved searches that are too old to be run again."""


class Writes(Protocol):
    """Adds and removes links; each call is one transaction. Returns what search must follow."""

    async def commit(
        self,
        items: Sequence[tuple[EmbeddedPicture, Link]],
        cursors: Sequence[Cursor] = (),
        jobs: Sequence[Job] = (),
        *,
        new: bool = False,
        announced: bool = False,
    ) -> Changes:
        """Keep items, links, cursors and jobs.

        Links that their owners want left out, and those older than their space keeps, are left
        out. A link replaces the earlier one of the same (space, source, slot).

        new        let watches judge the links that were not there before, or showed something else
        announced  let watches judge all of the links: history may have brought them a moment before
                   they were announced
        """

    async def keep_slots(self, space: int, source: str, slots: Collection[str]) -> Changes:
        """Remove the links of this source whose slot is not listed."""

    async def remove_sources(self, space: int, sources: Collection[str]) -> Changes:
        """Remove all links of these sources."""

    async def remove_group(self, space: int, group: int) -> Changes:
        """Remove the links and cursors of a group and of the groups whose parent it is."""

    async def remove_space(self, space: int) -> Changes:
        """Remove everything of a space: links, cursors, watched groups, jobs, searches, rules."""

    async def leave_out(self, space: int, owner: int, upto: float) -> Changes:
        """Remove an owner's links posted up to then (Unix seconds), and all their saved searches.

        From now on `commit` leaves such links out. A later moment that was asked for before stays.
        """

    async def remove_older(self, space: int, posted_before: float) -> Changes:
        """Remove the links of a space that were posted before then (Unix seconds)."""


class Items(Protocol):
    """Items, which are the pictures and texts that links show, with their embeddings."""

    async def item_of_group(self, key: bytes, space: int, group: int) -> EmbeddedPicture | None:
        """The item with this key, as it was committed; None when no link of the group shows it."""

    async def item_of_link(self, id: int) -> EmbeddedPicture | None:
        """The item that a link shows; None when there is no such link."""

    async def empty(self) -> bool:
        """Whether there are no items at all."""


class Copies(HashSource, Protocol):
    """What copies of pictures are told by."""

    async def fingerprints(self, links: Collection[int]) -> dict[int, tuple[int, bytes]]:
        """By link, its item and the fingerprint of that; links without one are left out."""

    async def not_copies(self, links: Collection[int]) -> set[frozenset[int]]:
        """Pairs of these links whose items somebody in their space called no copies."""


class ModelRecord(Protocol):
    """Which model the embeddings are from."""

    async def get(self) -> ModelInfo | None:
        """The model whose embeddings are kept; None when there are none yet."""

    async def set(self, model: ModelInfo) -> None:
        """Remember whose embeddings are kept; only for a store without any."""


class Derivations(Protocol):
    """What is made from items beside their embeddings, deleted with the item."""

    async def begun(self, name: str) -> BegunDerivation | None:
        """The derivation, if it has begun and was neither dropped nor done since."""

    async def begin(self, name: str, revision: str, details: Mapping[str, Any]) -> BegunDerivation:
        """From now on keep what this revision makes.

        What another revision made is deleted; what this one made is kept, as is the id.
        """

    async def drop(self, name: str) -> None:
        """Delete all that was made, and keep nothing more of it."""

    async def put(self, name: str, key: bytes, derived: Derived) -> None:
        """Keep what was made from an item, if the item is there and that revision has begun."""

    async def get(self, name: str, key: bytes) -> Derived | None:
        """What was made from an item; None when nothing was (yet)."""

    async def pending(
        self, name: str, *, kind: Kind | None = None, limit: int | None = None
    ) -> list[PendingItem]:
        """Items that nothing was made from yet, oldest first; of one kind, if given."""

    async def count_pending(self, name: str) -> int:
        """How many items nothing was made from yet."""

    async def pending_sources(self, name: str, space: int) -> set[str]:
        """The sources of a space that show a picture which nothing was made from yet."""

    async def pending_slots(self, name: str, space: int, source: str) -> set[str]:
        """The slots of one source that show an item which nothing was made from yet."""


class TranscriptReader(Protocol):
    """The words that were read in pictures, to be read."""

    async def get(self, key: bytes) -> tuple[str, ...] | None:
        """What was read in the picture with this key, line by line; None: nothing yet."""

    async def of_links(self, links: Collection[int]) -> dict[int, tuple[str, ...]]:
        """What was read in the pictures of these links, line by line; links to pictures without
        words are left out, and those for which they were not read yet."""

    async def mentions(self, phrases: Sequence[str], filter: Filter) -> Mentions:
        """Which links of the filter's space and groups show pictures with which of these phrases,
        and with nearly the same. Nothing else is read, so the time tells nothing of others.

        phrases   as `transcripts.terms.asked` and `pairs` give them; of several terms, only what
                  is the same counts
        """

    async def pending(
        self, *, space: int | None = None, after: int = 0, limit: int
    ) -> list[PendingTranscript]:
        """Links to pictures whose words are still to be read for them, or again, newest first. A
        picture that is posted in several channels is read for each, since its words would tell
        there that it is known elsewhere.

        after   the id of the last one that was given before; 0: from the newest on
        """

    async def is_pending(self, key: bytes) -> bool:
        """Whether there is such a link to the picture with this key."""

    async def count_pending(self, space: int | None = None) -> int:
        """How many pictures have such links; of a space, if given."""

    async def count_unread(self, filter: Filter, *, or_stale: bool = False) -> int:
        """How many links of the filter's space and groups, among `only` if it has that, show a
        picture whose words were not read for them yet. That they were read for links elsewhere
        doesn't count, since it would tell of those.

        or_stale   also those that are to be read again
        """


class Transcripts(TranscriptReader, Protocol):
    """The words that were read in pictures, deleted with the picture."""

    async def begin(self, revision: str) -> None:
        """From now on keep what this revision reads. What another one read counts until the picture
        is read again, which is pending."""

    async def put(
        self,
        key: bytes,
        revision: str,
        lines: Sequence[str],
        read_in: Collection[Place] | None = None,
    ) -> None:
        """Keep what was read in the picture with this key, if it is there and that revision has
        begun. No lines: it has no words. Either way its links in these places are pending no more,
        nor those in the same channels.

        read_in   where it was seen; None: in all places where it is
        """

    async def redo(self, space: int | None = None, groups: Collection[int] | None = None) -> None:
        """Let pictures be read again: all, or those of a space, or of some of its groups. What was
        read in them counts until then."""


class WatchReader(Protocol):
    """Watches, links that they are to judge, and what their owners are to be told; to be read."""

    async def get(self, id: int) -> Watch | None:
        """The watch with this id; None when it was removed."""

    async def of_owner(self, space: int, owner: int) -> list[Watch]:
        """The watches of an owner, oldest first."""

    async def paused(self, why: str) -> list[Watch]:
        """The watches that are paused for this reason."""

    async def owners(self) -> list[tuple[int, int]]:
        """Who has watches: each space and owner."""

    async def count(self, space: int) -> int:
        """How many watches a space has."""

    async def unjudged(self, *, after: int = 0, limit: int) -> list[Unjudged]:
        """Links that can be judged now, by id, from above `after`."""

    async def due(self, now: float) -> dict[int, list[Notice]]:
        """What is to be told by now, by watch, oldest first; only what nobody has begun to send."""

    async def begun(self) -> dict[str, list[Notice]]:
        """What may have been sent, by the name of the message. Of a notice whose link is gone,
        `link` is 0."""

    async def next_due(self) -> dict[int, float]:
        """When something is to be told next (Unix seconds), by space."""

    async def pending_of(self, space: int, owner: int) -> dict[int, list[Notice]]:
        """What waits to be told to an owner, by watch."""

    async def sent_since(self, space: int, owner: int, since: float) -> list[float]:
        """When messages were sent to an owner since then (Unix seconds), oldest first. Those of
        watches that were removed meanwhile are among them. Known for `COUNTED_S`."""

    async def told(self, watch: int, links: Collection[int]) -> set[int]:
        """Those of these links of which a watch has told its owner, or is telling them now; not
        those that wait to be told, as they may go until then."""


class Watches(WatchReader, Protocol):
    """Watches, links that they are to judge, and what their owners are to be told.

    Links get here with `Writes.commit`, in one transaction with the link itself. What is to be
    told goes with its watch, and is never told when its link is removed.
    """

    @property
    def version(self) -> int:
        """Another number with each change of a watch; only within this process."""

    async def active(self, space: int) -> list[Watch]:
        """The watches of a space that are not paused, oldest first."""

    async def outdated(self, revision: str) -> list[Watch]:
        """The watches that are not paused and that another model than this one has embedded."""

    async def add(self, watch: Watch) -> int:
        """Keep a watch; returns its id."""

    async def remove(self, ids: Collection[int]) -> None:
        """Forget watches, and what was to be told of them."""

    async def pause(self, id: int, why: str) -> None:
        """Tell nothing more of a watch, for this reason; "": let it go on. What waited to be told
        when it was paused is never told."""

    async def embedded(self, id: int, embedding: QueryEmbedding) -> None:
        """Keep the embedding of a watch by another model. What it was compared with is no more."""

    async def compared(self, id: int, searched: int, bar: float) -> None:
        """Note with what a link was compared that was judged by a watch."""

    async def judged(self, link: Unjudged, notices: Sequence[Notice], *, await_words: bool) -> None:
        """Keep what came of judging a link.

        notices      of which owners are to be told; one for a link that a watch has told of before
                     changes nothing
        await_words  judge it again when its words were read
        """

    async def to_be_told(self, notices: Sequence[Notice]) -> None:
        """Keep what came of judging a link so far, which is to be judged once more."""

    async def drop_unjudged(self, posted_before: float) -> None:
        """Judge no more what was posted before then (Unix seconds): it is not new any more."""

    async def sending(self, ids: Collection[int], name: str) -> None:
        """Note that a message of this name is going to be sent, which tells of these notices; "":
        that it was not."""

    async def sent(self, watch: Watch, name: str, at: float, *, counts: bool = True) -> None:
        """Note that the message of this name was sent then (Unix seconds).

        counts   among the messages to its owner
        """

    async def put_off(self, ids: Collection[int], due: float) -> None:
        """Tell of these notices from then on (Unix seconds)."""

    async def drop(self, ids: Collection[int]) -> None:
        """Never tell of these notices."""

    async def expire(self, now: float) -> None:
        """Forget what was told long ago, or was never told since its link is gone."""
