"""The words in the pictures of folders, read after the pictures themselves are searchable."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from console.exits import WrongUse
from console.output import harmless
from index.cli.contents import contents
from index.cli.place import SPACE
from index.gallery import Gallery
from index.ocr.transcriber import Transcriber
from index.types.errors import OCRUnusable, PictureError
from index.types.transcripts import PendingTranscript

PAGE = 100  # pictures that are asked for at once
# The setting of the bot counts here, too.
OCR_SETTING, OCR_CHOICES = "MAGPIE_OCR", ("auto", "on", "off")


def transcriber(lacking: Callable[[str], None], *, asked: bool = False) -> Transcriber | None:
    """What reads the words in pictures, if they are to be read and can be.

    lacking   is told why they can't be read, where nobody insists on it
    asked     whether a person asks for it, whatever the setting says
    raises    WrongUse, OCRUnusable
    """
    choice = os.environ.get(OCR_SETTING, "").strip() or "auto"
    if choice not in OCR_CHOICES:
        choices = ", ".join(OCR_CHOICES)
        raise WrongUse(f"{OCR_SETTING}={harmless(choice)}: must be one of {choices}.")
    if choice == "off" and not asked:
        return None
    try:
        return Transcriber()
    except OCRUnusable as exc:
        if asked or choice == "on":
            raise
        lacking(str(exc))
        return None


@dataclass(slots=True)
class Transcribed:
    """How far it has come.

    total     pictures that were pending
    with_words, without   pictures that were read
    missing   keys of pictures that could not be read now, such as those of a drive that isn't
              connected
    """

    total: int = 0
    with_words: int = 0
    without: int = 0
    missing: set[bytes] = field(default_factory=set)
    stopped: bool = False

    @property
    def left(self) -> int:
        """Pictures that could not be read now."""
        return len(self.missing)

    @property
    def done(self) -> int:
        return self.worked + self.left

    @property
    def worked(self) -> int:
        return self.with_words + self.without


async def transcribe(
    gallery: Gallery,
    transcriber: Transcriber,
    stop: threading.Event,
    report: Callable[[Transcribed], None],
) -> Transcribed:
    """Read the words in all pictures in which nobody has read them yet.

    Each picture is written at once, so a stop or a kill costs only the one that is being read.
    raises   OCRUnusable, StoreError
    """
    tally = Transcribed(total=await gallery.transcripts.count_pending(SPACE))
    after = 0
    while page := await gallery.transcripts.pending(space=SPACE, after=after, limit=PAGE):
        read = set[bytes]()  # other files with the same picture are pending no more
        for one in page:
            if stop.is_set():
                tally.stopped = True
                return tally
            if one.key in read:
                continue
            if await _transcribe_one(gallery, transcriber, one, tally):
                read.add(one.key)
                tally.missing.discard(one.key)
            else:
                tally.missing.add(one.key)
            report(tally)
        after = page[-1].id
    return tally


async def _transcribe_one(
    gallery: Gallery, transcriber: Transcriber, one: PendingTranscript, tally: Transcribed
) -> bool:
    """Read the words in the picture of a file; whether that could be done."""
    try:
        data = await contents(Path(one.link.source), gallery)
    except (OSError, PictureError):
        return False
    if one.id not in await gallery.links.links_of_picture(data):
        return False  # the file has changed; the next `add` sees that
    try:
        lines = await transcriber.read(data)
    except PictureError:
        lines = ()
    await gallery.transcripts.put(one.key, transcriber.revision, lines)
    if lines:
        tally.with_words += 1
    else:
        tally.without += 1
    return True
