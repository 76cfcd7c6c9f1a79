"""Words in pictures are read apart, after everything else, and once."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

TRANSCRIBER = "tests/index/ocr/test_transcriber.py"
ORDER = "tests/index/ocr/test_order.py"
FOLDER = "tests/index/cli/test_transcribing.py"
BOT = "tests/bot/sync/test_transcribing.py"

MUTANTS = (
    Mutant(
        "narrow blanks between thick letters are read",
        "index/ocr/engine.py",
        "    letters[faint, blank] = 1.0\n",
        "",
        (TRANSCRIBER,),
    ),
    Mutant(
        "the process that reads words can open nothing",
        "index/ocr/worker.py",
        "    confine(MEMORY_BYTES)\n",
        "",
        (TRANSCRIBER,),
    ),
    Mutant(
        "the process that reads words has a low priority",
        "index/ocr/worker.py",
        "os.nice(niceness)",
        "os.nice(0)",
        (TRANSCRIBER,),
    ),
    Mutant(
        "a process that reads words and hangs is ended",
        "index/ocr/transcriber.py",
        "async with asyncio.timeout(WALL_CLOCK_S):\n                    return",
        "async with asyncio.timeout(None):\n                    return",
        (TRANSCRIBER,),
    ),
    Mutant(
        "a cancelled picture's words are not taken for the next one's",
        "index/ocr/transcriber.py",
        "            except BaseException:  # the answer would be taken for the next picture's\n"
        "                await self._end()\n",
        "            except BaseException:  # the answer would be taken for the next picture's\n",
        (TRANSCRIBER,),
    ),
    Mutant(
        "words on a page that is askew are in their order",
        "index/ocr/order.py",
        "level = along.conjugate() / abs(along) if along else 1",
        "level = 1",
        (ORDER,),
    ),
    Mutant(
        "a folder's pictures have their words read once",
        "index/cli/transcribing.py",
        "    await gallery.transcripts.put(picture.key, transcriber.revision, lines)\n",
        "",
        (FOLDER,),
    ),
    Mutant(
        "words of a changed file are not taken for the old picture's",
        "index/cli/transcribing.py",
        "if picture.link.source not in {",
        "if False and picture.link.source not in {",
        (FOLDER,),
    ),
    Mutant(
        "pictures are downloaded for their words only when nothing else waits",
        "bot/sync/transcribing.py",
        "while self._busy() and",
        "while False and",
        (BOT,),
    ),
    Mutant(
        "the bytes of new pictures are bounded",
        "bot/sync/transcribing.py",
        "while self._size > self._most:",
        "while False:",
        (BOT,),
    ),
    Mutant(
        "a picture whose words can't be read is not tried for ever",
        "bot/sync/transcribing.py",
        "            lines = ()\n",
        "            return\n",
        (BOT,),
    ),
    Mutant(
        "reindexing everything reads the words again",
        "bot/reindex/run.py",
        'if state.what == "everything":',
        "if False:",
        (BOT,),
    ),
    Mutant(
        "long lines take little memory",
        "index/ocr/engine.py",
        '"Rec.rec_batch_num": 1',
        '"Rec.rec_batch_num": 6',
        (TRANSCRIBER,),
    ),
    Mutant(
        "a picture with an unforeseen error doesn't hold up all others",
        "bot/sync/transcribing.py",
        "        except (GalleryClosed, StoreError, OCRUnusable, DecoderUnusable):\n",
        "        except Exception:\n",
        (BOT,),
    ),
)
