"""The plain data of a gallery: pictures, links to them, and where these stand.

Ids of spaces, groups and owners are whole numbers that mean nothing here; a folder of
photographs uses 0 for all of them.
"""

from __future__ import annotations

import enum
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Kind: TypeAlias = Literal["image", "text"]
# What may be done to a picture. framed: it got a border, a band with a caption, or the frame of a
# phone's screenshot.
Edit: TypeAlias = Literal["cropped", "framed", "grey", "mirrored", "turned"]
# How a model computes on a CPU. exact: as transformers does; default: with answers that can't be
# told apart from those; fast: with rankings that differ here and there; auto: default.
Precision: TypeAlias = Literal["auto", "exact", "default", "fast"]
# The languages that a model was trained on.
Languages: TypeAlias = Literal["english", "chinese", "many"]


@dataclass(frozen=True, slots=True)
class Group:
    """A place where sources stand; `parent` is the group that it is a part of, if any."""

    id: int
    parent: int | None = None
    private: bool = False  # only its own members may see it


@dataclass(frozen=True, slots=True)
class Link:
    """One appearance of a picture or text: (space, source, slot) is unique."""

    space: int
    group: Group
    source: str  # what shows it: a message's id, a file's path
    slot: str  # which one within the source; "" for a file
    owner: int = 0
    posted_at: float = 0.0  # Unix seconds
    name: str = ""  # a file name or a title
    spoiler: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)  # small JSON, opaque here


# Of a picture that is looked at and not kept.
NOWHERE = Link(0, Group(0), "", "")


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a group is covered: all its sources in (oldest, newest] have been read."""

    space: int
    group: int
    newest: int
    oldest: int
    complete: bool = False  # the group's beginning was reached


@dataclass(frozen=True, slots=True)
class Job:
    """Long work that goes on after a restart; `state` is JSON that only its owner reads."""

    id: int
    space: int
    kind: str
    status: str  # "running", "paused", "cancelled", "done" or "failed"
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """A note that the caller wrote below a source, to be deleted when the pictures of this source,
    or of the one that it names, are erased."""

    space: int
    group: int  # where it is
    source: str
    named: str  # the source that the note tells of
    id: str  # of the note itself, opaque here


@dataclass(frozen=True, slots=True)
class Derived:
    """What one revision of a derivation made from a picture or text."""

    revision: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame of an animation or a video: the second at which it is shown, and a small WebP of
    it."""

    second: float
    still: bytes


@dataclass(frozen=True, slots=True)
class Welcome:
    """The source with which the caller presented itself to a space: there is one, or was.

    reading   whether it still shows how far the space is read
    """

    space: int
    group: int  # where it is
    source: str
    reading: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedPicture:
    """A picture (or text) ready to be committed; opaque to callers.

    key        sha256 of its kind and bytes; links with the same key share one item
    vectors    (frames, d) float32, unit rows
    revision   of the model that made them; "": whichever the gallery has
    derived    what else was made from it, by the name of the derivation
    moments    of an animation or a video, one for each frame
    partial    whether its file lacks a part of it
    """

    key: bytes
    kind: Kind
    vectors: Floats
    width: int = 0
    height: int = 0
    text: str | None = None
    revision: str = ""
    derived: Mapping[str, Derived] = field(default_factory=dict)
    moments: Sequence[Moment] = ()
    partial: bool = False


def key_of(kind: Kind, data: bytes) -> bytes:
    """The key of the item with these bytes; a text never has the key of a picture."""
    return hashlib.sha256(kind.encode() + b"\0" + data).digest()


@dataclass(frozen=True, slots=True)
class Counts:
    """What is in a gallery: different images, different texts, and links to either; and of how many
    images the file lacks a part."""

    images: int
    texts: int
    links: int
    partial: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Belonging:
    """A link with all that is kept of it; vectors (frames, d).

    words   that were read in the picture, line by line
    """

    link: Link
    kind: Kind
    text: str | None
    vectors: Floats
    moments: Sequence[Moment] = ()
    words: Sequence[str] = ()


def vectors_file(belongings: Sequence[Belonging]) -> bytes:
    """Their vectors, one row after another, as a NumPy file (.npy)."""
    rows = [one.vectors for one in belongings] or [np.empty((0, 0), np.float32)]
    file = io.BytesIO()
    np.save(file, np.concatenate(rows))
    return file.getvalue()


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """All pictures of a space in short, column by column, by the ids of their links.

    links           (n,) int64, ascending
    items           (n,) int64: links that show the same bytes have the same item
    widths, heights (n,) int64, pixels of the upright picture; 0: not known
    posted          (n,) float64, Unix seconds
    keys            of the items
    sources
    """

    links: NDArray[np.int64]
    items: NDArray[np.int64]
    widths: NDArray[np.int64]
    heights: NDArray[np.int64]
    posted: NDArray[np.float64]
    keys: Sequence[bytes]
    sources: Sequence[str]

    def __len__(self) -> int:
        return len(self.links)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The model whose embeddings a gallery holds."""

    name: str
    revision: str  # a fingerprint of its files
    dimension: int


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the order of an answer: where a page ended, and the next one begins.

    It stays valid when links come or go, since it says how the page's last link compares with
    others, not how many come before it.

    rank       how many links come before the next page: numbers its hits, and is otherwise only
               a hint of how far to look
    score      of the page's last link; compared by `Sort.BEST`
    link       its id
    posted_at  when it was posted, Unix seconds; compared by `Sort.NEWEST` and `Sort.OLDEST`
    """

    rank: int
    score: float
    link: int
    posted_at: float


@dataclass(frozen=True, slots=True)
class Copy:
    """A link that shows the same picture as another one.

    kind   "exact": the same bytes or the same pixels; "copy": edited, or compressed anew
    edits  what was done to the older of the two for the newer one to come out, as far as it shows
    """

    id: int  # of the link
    link: Link
    kind: Literal["exact", "copy"]
    edits: frozenset[Edit] = frozenset()


def clock(second: float) -> str:
    """A moment of a video as a player says it: "0:12", "1:02:03"."""
    minutes, seconds = divmod(int(second), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@dataclass(frozen=True, slots=True)
class Hit:
    """One link that answers a query."""

    rank: int  # 1 is the first of the answer
    score: float  # how well it fits, -1 to 1; of a query of one part the cosine similarity
    id: int  # of the link
    kind: Kind
    link: Link
    frame: int  # the frame that fits best; 0 for a still picture or a text
    text: str | None  # of a text, itself
    sure: bool = True  # whether it surely fits; see `answering.cutoff`
    copies: tuple[int, ...] = ()  # links to near-copies of it, which answer with it
    concepts: tuple[str, ...] = ()  # what the model sees in it
    says: str | None = None  # a part of what is written in it, around the words that were asked for
    second: float | None = None  # at which that frame is shown, if it was found and that is known

    @property
    def clock(self) -> str:
        """When its frame is shown, as a player says it: "0:12"; "" where that isn't known."""
        return "" if self.second is None else clock(self.second)

    @property
    def position(self) -> Position:
        """Where a page that ends with this hit ends."""
        return Position(self.rank, self.score, self.id, self.link.posted_at)


class Verdict(enum.Enum):
    """Whether anything fits a query; see `answering.cutoff`."""

    SURE = "sure"
    UNSURE = "unsure"  # something may fit
    NOTHING = "nothing"  # there are only guesses, which are the least unlike


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of hits, in the order that was asked for."""

    hits: list[Hit]
    searched: int  # links that were allowed to answer
    more: bool  # whether a next page would have hits
    truncated: str | None  # the words that were read, where the text was too long
    took_ms: float
    verdict: Verdict = Verdict.SURE

    @property
    def confident(self) -> bool:
        """Whether something surely fits."""
        return self.verdict is Verdict.SURE


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Links with their vectors, column by column, as search keeps them in memory.

    links, spaces, groups, owners  (n,) int64
    texts    (n,) bool, True for a text
    posted   (n,) float64, Unix seconds
    frames   (n,) int64, vectors of each link
    vectors  (frames.sum(), d) float32, unit rows, link after link
    """

    links: NDArray[np.int64]
    spaces: NDArray[np.int64]
    groups: NDArray[np.int64]
    texts: NDArray[np.bool_]
    owners: NDArray[np.int64]
    posted: NDArray[np.float64]
    frames: NDArray[np.int64]
    vectors: Floats

    def __len__(self) -> int:
        return len(self.links)


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What a committed transaction did to the links: first `removed`, then `added`.

    dropped   by space: how many links were removed, without those that were replaced
    """

    removed: Sequence[int] = ()
    added: Entries | None = None
    dropped: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settled:
    """Which links are in segment files: those up to `newest`, except the touched ones."""

    names: tuple[str, ...]  # of the files
    newest: int  # a link's id
    touched: frozenset[int] = frozenset()  # removed or replaced since
    links: int | None = None  # how many they are as the store counts them; None: not counted
    newer: int = 0  # links that came after `newest`, as the store counts them
