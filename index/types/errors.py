"""What can go wrong in a gallery; `str(error)` is one sentence for a person, in English.

What the sender of a picture can mend is said with a `Sentence`, which can be said in their
language. The others are for who runs the gallery.

GalleryError
├── ModelError
│   ├── ModelNotFound       no such model, neither a folder nor on the hub
│   ├── ModelUnreachable    it must be downloaded and the hub doesn't answer
│   ├── ModelTooLarge       it doesn't fit in memory
│   └── ModelUnusable       damaged, of another kind, or no such device
├── PictureError
│   ├── PictureTooLarge     more bytes or pixels than the limit
│   ├── PictureTooHeavy     decoding took more memory than the limit
│   ├── NotAPicture         text, a web page, a video, …
│   ├── PictureUnsupported  a picture, of a format or a variant that isn't read
│   ├── PictureBroken       truncated or damaged
│   ├── PictureTooSlow      decoding took longer than the limit
│   └── PictureGivenUp      workers have tried it too often
├── StoreError
│   ├── StoreLocked         another process is writing to it
│   ├── StoreCorrupt        damaged, or not a gallery
│   ├── StoreTooNew         made by a newer Magpie
│   ├── StoreFull           the disk is full
│   ├── StoreUnreachable    missing, or no permission
│   ├── ClaimRefused        another process serves a part of it that this one should serve
│   ├── JobsUnreachable     the database of the workers' jobs can't be used
│   └── ModelMismatch       its embeddings come from another model
├── DecoderUnusable         no process that decodes pictures can be started
├── OCRUnusable             words in pictures can't be read here
├── ModelChanged            the gallery went over to another model meanwhile
├── EmptyQuery              nothing was asked
├── LinkGone                the picture that was asked about is no longer there
└── GalleryClosed           it was closed meanwhile
"""

from __future__ import annotations

import shlex

from index.types.address import Place, is_address
from index.types.sentences import Sentence


class GalleryError(Exception):
    """Any refusal of a gallery."""


class ModelError(GalleryError):
    """The model can't be used; `model` is its name or folder."""

    def __init__(self, model: str, sentence: str) -> None:
        super().__init__(sentence)
        self.model = model


class ModelNotFound(ModelError):
    def __init__(self, model: str) -> None:
        super().__init__(
            model,
            f"There is no model {model!r}: it is neither a folder here nor a public model "
            "on the Hugging Face hub.",
        )


class ModelUnreachable(ModelError):
    def __init__(self, model: str, reason: str) -> None:
        super().__init__(
            model,
            f"The model {model!r} is not on this machine yet and can't be downloaded: {reason}.",
        )
        self.reason = reason


class ModelTooLarge(ModelError):
    def __init__(self, model: str, needed: int, available: int) -> None:
        super().__init__(
            model,
            f"The model {model!r} needs about {format_bytes(needed)} of memory and "
            f"{format_bytes(available)} are free; choose a smaller model or free some memory.",
        )
        self.needed = needed
        self.available = available


class ModelUnusable(ModelError):
    def __init__(self, model: str, reason: str) -> None:
        super().__init__(model, f"The model {model!r} can't be used: {reason}.")
        self.reason = reason


class PictureError(GalleryError):
    """These bytes can't be searched as a picture.

    what   it is: "picture" or "video"
    """

    def __init__(self, sentence: Sentence, what: str) -> None:
        super().__init__(sentence)
        self.what = what

    def about(self, what: str) -> PictureError:
        """The same of something else."""
        # What an error holds is what it is made of.
        return type(self)(**(vars(self) | {"what": what}))


class PictureTooLarge(PictureError):
    """`size` is over `limit`; both are counted in `unit` ("bytes" or "pixels")."""

    def __init__(self, size: int, limit: int, unit: str, what: str = "picture") -> None:
        shown = format_bytes if unit == "bytes" else format_pixels
        values = {"size": shown(size), "limit": shown(limit)}
        if what == "video":
            sentence = Sentence(
                "This video has {size}; the limit is {limit}. Make it smaller first.", **values
            )
        else:
            sentence = Sentence(
                "This picture has {size}; the limit is {limit}. Make it smaller first.", **values
            )
        super().__init__(sentence, what)
        self.size = size
        self.limit = limit
        self.unit = unit


class PictureTooHeavy(PictureError):
    def __init__(self, limit: int, what: str = "picture") -> None:
        shown = format_bytes(limit)
        if what == "video":
            sentence = Sentence(
                "Decoding this video takes more than {limit} of memory. Make it smaller first.",
                limit=shown,
            )
        else:
            sentence = Sentence(
                "Decoding this picture takes more than {limit} of memory. Make it smaller first.",
                limit=shown,
            )
        super().__init__(sentence, what)
        self.limit = limit


class NotAPicture(PictureError):
    """`found` says what it is instead, such as "a web page"."""

    def __init__(self, found: str, what: str = "picture") -> None:
        if what == "video":
            sentence = Sentence(
                "This is {found}, not a video. JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP, TIFF "
                "and some others can be searched.",
                found=found,
            )
        else:
            sentence = Sentence(
                "This is {found}, not a picture. JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP, TIFF "
                "and some others can be searched.",
                found=found,
            )
        super().__init__(sentence, what)
        self.found = found


class PictureUnsupported(PictureError):
    """`found` says what it is, such as "an SVG drawing" or "a lossless JPEG"."""

    def __init__(self, found: str, what: str = "picture") -> None:
        if what == "video":
            sentence = Sentence(
                "This is {found}, which can't be read; save it as an ordinary MP4 (H.264).",
                found=found,
            )
        else:
            sentence = Sentence(
                "This is {found}, which can't be read; save it as an ordinary PNG or JPEG.",
                found=found,
            )
        super().__init__(sentence, what)
        self.found = found


class PictureBroken(PictureError):
    def __init__(self, reason: str, what: str = "picture") -> None:
        if what == "video":
            sentence = Sentence(
                "This video is damaged: {reason}. Download it again, or save it anew from a "
                "player.",
                reason=reason,
            )
        else:
            sentence = Sentence(
                "This picture is damaged: {reason}. Download it again, or save it anew from a "
                "viewer.",
                reason=reason,
            )
        super().__init__(sentence, what)
        self.reason = reason


class PictureTooSlow(PictureError):
    def __init__(self, limit_s: float, what: str = "picture") -> None:
        if what == "video":
            sentence = Sentence(
                "Decoding this video takes longer than {limit_s} seconds. "
                "Cut a shorter part out of it, or save it as MP4 (H.264).",
                limit_s=limit_s,
            )
        else:
            sentence = Sentence(
                "Decoding this picture takes longer than {limit_s} seconds. "
                "Make it smaller, or save it as PNG or JPEG.",
                limit_s=limit_s,
            )
        super().__init__(sentence, what)
        self.limit_s = limit_s


class PictureGivenUp(PictureError):
    """Workers have tried `tries` times to read it; the last time failed for this reason."""

    def __init__(self, reason: str, tries: int, what: str = "picture") -> None:
        sentence = Sentence(
            "This picture was tried {tries} times, and not read: {reason}.",
            tries=tries,
            reason=reason,
        )
        super().__init__(sentence, what)
        self.reason = reason
        self.tries = tries


class DecoderUnusable(GalleryError):
    """No process that decodes pictures can be started; that says nothing of the picture."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"Pictures can't be decoded on this machine now: {reason}. Nothing is wrong with them."
        )


class OCRUnusable(GalleryError):
    """Words in pictures can't be read here; that says nothing of any picture."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Words in pictures can't be read: {reason}.")
        self.reason = reason


class StoreError(GalleryError):
    """The gallery can't be used; `place` is its file, or the address of its database as it is shown
    to people."""

    def __init__(self, place: Place, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place


class StoreLocked(StoreError):
    def __init__(self, place: Place, holder: int | None = None) -> None:
        by = f"process {holder}" if holder else "another process"
        super().__init__(
            place,
            f"{place} is being written by {by}; wait until it has finished, stop it, "
            "or choose another file.",
        )
        self.holder = holder


class StoreCorrupt(StoreError):
    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(
            place,
            f"{place} can't be read as a gallery: {reason}. Restore it from a backup, "
            "or move it away to begin anew.",
        )
        self.reason = reason


class StoreTooNew(StoreError):
    def __init__(self, place: Place, version: int, known: int) -> None:
        if is_address(place):
            how = (
                "stop all that use this database, and put the dump from before the upgrade in its "
                "place with pg_restore (docs/postgres.md)."
            )
        else:
            how = (
                "put the backup from before the upgrade in its place: "
                f"magpie restore BACKUP --db {shlex.quote(str(place))}"
            )
        super().__init__(
            place,
            f"{place} was written by a newer Magpie (its format is {version}, this one knows "
            f"up to {known}). Start the newer Magpie again. Or, to stay with this one, {how}",
        )
        self.version = version
        self.known = known


class StoreFull(StoreError):
    def __init__(self, place: Place) -> None:
        where = "disk space on its server" if is_address(place) else "some disk space"
        super().__init__(
            place,
            f"There is no room left to write {place}; nothing of the last step was kept. "
            f"Free {where} and try again.",
        )


class StoreUnreachable(StoreError):
    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(place, f"{place} can't be opened: {reason}.")
        self.reason = reason


class MoveRefused(StoreError):
    """A gallery can't be moved to `place`; the sentence says why."""


class ModelMismatch(StoreError):
    """The embeddings in the file come from `stored`; `asked` is another model."""

    def __init__(self, place: Place, stored: str, asked: str) -> None:
        if stored == asked:
            what = f"an earlier version of {stored!r}, whose files have changed since"
        else:
            what = f"the model {stored!r} and can't be mixed with those of {asked!r}"
        super().__init__(
            place,
            f"The embeddings in {place} come from {what}; use the model they were made with, "
            "or index into another file.",
        )
        self.stored = stored
        self.asked = asked


class ClaimRefused(StoreError):
    """Another process serves the part `part` of `count`; or, where `part` is None, others divide
    the database into `count` parts. `holder` is the address of the machine of the other one."""

    def __init__(self, place: str, part: int | None, count: int, holder: str) -> None:
        if part is None:
            what = f"is divided into {count} parts" if count else "is served as a whole"
        else:
            what = f"has its part {part} of {count} served" if count else "is served"
        super().__init__(place, f"{place} {what} by another process, at {holder}.")
        self.part = part
        self.count = count
        self.holder = holder


class JobsUnreachable(StoreError):
    """The database through which workers are asked can't be used."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            place, f"The database of the workers' jobs, {place}, can't be used: {reason}."
        )


class ModelChanged(GalleryError):
    """The gallery went over to another model after this was embedded."""

    def __init__(self) -> None:
        super().__init__(Sentence("Another model has just taken over here; please ask once more."))


class EmptyQuery(GalleryError):
    def __init__(self) -> None:
        super().__init__("There is nothing to look for: give some words, a picture, or both.")


class LinkGone(GalleryError):
    def __init__(self, link: int) -> None:
        super().__init__("That picture is no longer in the gallery.")
        self.link = link


class GalleryClosed(GalleryError):
    def __init__(self) -> None:
        super().__init__("The gallery was closed before this was finished.")


def format_bytes(count: int) -> Sentence:
    """`count` bytes as a person writes it: "1.5 GB"."""
    if count >= 1_000_000_000:
        return Sentence("{n} GB", n=_three_figures(count / 1_000_000_000))
    if count >= 1_000_000:
        return Sentence("{n} MB", n=_three_figures(count / 1_000_000))
    if count >= 1_000:
        return Sentence("{n} kB", n=_three_figures(count / 1_000))
    return Sentence("1 byte") if count == 1 else Sentence("{n} bytes", n=max(count, 0))


def format_pixels(count: int) -> Sentence:
    """`count` pixels as a person writes it: "24 megapixels"."""
    if count >= 10**12:  # nobody has such a picture; its file says so
        return Sentence("more than a million megapixels")
    if count >= 1_000_000:
        return Sentence("{n} megapixels", n=_three_figures(count / 1_000_000))
    return Sentence("{n} pixels", n=count)


def _three_figures(number: float) -> float:
    """The number with three figures, and with all of those before the point."""
    return float(f"{number:.3g}") if number < 999.5 else float(round(number))
