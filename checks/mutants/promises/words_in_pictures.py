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
        "a search of words makes no other read wait",
        "index/store/sqlite/database.py",
        "        return await self._read(self._patient_reader, sql, params)",
        "        return await self._read(self._reader, sql, params)",
        ("tests/index/store/sqlite/test_file.py::test_short_reads_do_not_wait_for_a_long_one",),
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
        "    await gallery.transcripts.put(one.key, transcriber.revision, lines)\n",
        "",
        (FOLDER,),
    ),
    Mutant(
        "words of a changed file are not taken for the old picture's",
        "index/cli/transcribing.py",
        "if one.id not in await gallery.links.links_of_picture(data):",
        "if False:",
        (FOLDER,),
    ),
    Mutant(
        "pictures are downloaded for their words only when nothing else waits",
        "bot/sync/transcribing.py",
        "if self._busy() or",
        "if",
        (BOT,),
    ),
    Mutant(
        "the bytes of new pictures are bounded",
        "bot/sync/new_bytes.py",
        "while self._size > self._most:",
        "while False:",
        ("tests/bot/sync/test_new_bytes.py",),
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
        "    except (GalleryClosed, StoreError, OCRUnusable, DecoderUnusable):\n",
        "    except Exception:\n",
        (BOT,),
    ),
    Mutant(
        "what was read in another way is read again",
        "index/store/sql/transcripts.py",
        'await db.execute("UPDATE transcripts SET stale = 1")',
        "pass",
        (BOT,),
    ),
    Mutant(
        "a picture is read through another message if the newest can't be had",
        "bot/sync/transcribing.py",
        "if one.key in read or",
        "if one.key in read or read.add(one.key) or",
        (BOT,),
    ),
    Mutant(
        "what can't be had is not tried without end",
        "bot/sync/tries.py",
        "if times < MOST else math.inf",
        "",
        ("tests/bot/sync/test_tries.py",),
    ),
    Mutant(
        "reindexing tries again what couldn't be had",
        "bot/reindex/run.py",
        "                self._transcribing.try_again()\n",
        "                pass\n",
        (BOT,),
    ),
    Mutant(
        "pictures in memory don't wait for others",
        "bot/sync/transcribing.py",
        "if not (await self._read_new(transcriber) or await self._read_others(transcriber)):",
        "if not await self._read_others(transcriber):",
        (BOT,),
    ),
    Mutant(
        "words read in one channel aren't told in another",
        "index/store/sql/transcripts.py",
        "WHERE links.item = ?1 AND links.space = ?2 AND {words.HOME} IN (",
        "WHERE links.item = ?1 OR {words.HOME} IN (",
        ("tests/index/store/test_transcripts.py",),
    ),
    Mutant(
        "the words of every scene are read",
        "index/ocr/transcriber.py",
        "for frame in decoded.frames:",
        "for frame in decoded.frames[:3]:",
        (TRANSCRIBER,),
    ),
    Mutant(
        "/status counts damaged pictures only where its asker may read",
        "bot/commands/status.py",
        "links.count(guild.id, seen)",
        "links.count(guild.id)",
        ("tests/bot/commands/test_channels.py",),
    ),
)
