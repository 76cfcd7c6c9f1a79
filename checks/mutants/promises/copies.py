"""Copies: told from look-alikes, within what the asker may see, and as a moderator said."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

COMPARISON = "tests/index/copies/test_comparison.py"
POSTED = "tests/index/copies/test_posted_before.py"
FOLDING = "tests/index/copies/test_folding.py"
LOOKUP = "tests/index/copies/test_lookup.py"
NOTES = "tests/bot/reposts/test_notes.py"
STORE = "tests/index/store/test_copies.py"
RESTORE = "tests/index/store/sqlite/test_restore.py"

MUTANTS = (
    Mutant(
        "what is asked about copies tells nothing of hidden pictures",
        "index/types/filter.py",
        "            and (self.groups is None or link.group.id in self.groups)\n",
        "",
        (f"{POSTED}::test_only_what_the_filter_allows_is_told",),
    ),
    Mutant(
        "hidden pictures take no place among the candidates for copies",
        "index/copies/loops.py",
        "            if every or is_in(allowed, groups[row]):\n",
        "            if True:\n",
        (f"{LOOKUP}::test_the_nearest_come_first_each_picture_once_and_only_what_may_answer",),
    ),
    Mutant(
        "a quick look at a hash hides no copy",
        "index/copies/orientation.py",
        "PAIRED = _FIRSTS & ~_EVEN\n",
        "PAIRED = _FIRSTS\n",
        (f"{LOOKUP}::test_exactly_the_rows_are_found_whose_hashes_are_near_in_some_orientation",),
    ),
    Mutant(
        "what is erased while hashes are read into memory is not found",
        "index/copies/lookup.py",
        "                    known.missed.append(change)\n",
        "                    pass\n",
        (f"{LOOKUP}::test_changes_do_not_wait_while_rows_are_read_and_are_not_missed",),
    ),
    Mutant(
        "what compares pictures is loaded before the bot serves",
        "bot/__main__.py",
        "    await gallery.ready_to_compare()\n",
        "",
        ("tests/bot/test_start.py",),
    ),
    Mutant(
        "what lays out the map is loaded before the bot serves",
        "bot/__main__.py",
        "    await gallery.ready_to_lay_out()\n",
        "",
        ("tests/bot/test_start.py",),
    ),
    Mutant(
        "a kill costs no note below a repost",
        "bot/sync/backfill.py",
        "        if new:\n            for message",
        "        if False:\n            for message",
        (f"{NOTES}::test_a_note_that_a_kill_prevented_is_written_once_after_the_start",),
    ),
    Mutant(
        "a message never gets two notes",
        "bot/reposts/notes.py",
        "        if await self._bookkeeping.note_below(post.space, post.source) is not None:\n"
        "            return\n",
        "",
        (f"{NOTES}::test_a_note_that_a_kill_prevented_is_written_once_after_the_start",),
    ),
    Mutant(
        "a note that was on its way at a kill is sent in the end",
        "bot/reposts/notes.py",
        "        if (id := int(note.source)) not in self._tried:",
        "        if (id := int(note.source)) < 0:",
        (f"{NOTES}::test_a_note_on_its_way_at_a_kill_is_sent_once",),
    ),
    Mutant(
        "a note that Discord refuses is not tried for ever",
        "bot/reposts/notes.py",
        "        if (id := int(note.source)) not in self._tried:",
        "        if id := int(note.source):",
        (f"{NOTES}::test_a_note_that_is_refused_is_not_tried_again_and_again",),
    ),
    Mutant(
        "an erased picture's hashes go from memory",
        "index/gallery.py",
        "            await self._lookup.follow(changes)\n",
        "",
        (f"{POSTED}::test_an_erased_picture_leaves_no_fingerprint",),
    ),
    Mutant(
        "an erased picture's hashes go from the file",
        "index/store/sqlite/migrations.py",
        "            DELETE FROM hashes WHERE item = old.item;\n",
        "            SELECT 1;\n",
        (f"{STORE}::test_hashes_follow_their_fingerprints",),
    ),
    Mutant(
        "what was said of a picture goes with its last link of the server",
        "index/store/sql/statements.py",
        "    await drop_said(db, items)\n",
        "",
        (f"{STORE}::test_what_was_said_goes_with_the_last_link_of_its_space",),
    ),
    Mutant(
        "what was called no copy is no copy where somebody asks",
        "index/posted_before.py",
        "            if frozenset((id, own)) not in said\n",
        "",
        (f"{POSTED}::test_what_was_called_no_copy_stays_so",),
    ),
    Mutant(
        "what was called no copy does not fold",
        "index/copies/folding.py",
        "            if by_keypoints is None or frozenset((ids[leader], id)) in not_copies:",
        "            if by_keypoints is None:",
        (f"{FOLDING}::test_a_hit_folds_into_the_first_copy_before_it_that_stays",),
    ),
    Mutant(
        "what was called no copy holds after a restore",
        "index/store/sqlite/carry_over.py",
        "                    await db.execute(BY_ITEMS[table])\n",
        "                    pass\n",
        (f"{RESTORE}::test_what_was_called_no_copy_holds_in_a_restored_gallery",),
    ),
    Mutant(
        "hits do not fold by way of a third",
        "index/copies/folding.py",
        "                leaders[leader].append(id)\n",
        "                leaders[leader].append(id)\n"
        "                leaders[place] = leaders[leader]\n",
        (f"{FOLDING}::test_two_parts_of_one_picture_do_not_fold_by_way_of_it",),
    ),
    Mutant(
        "a copy shows the same all over, not only the same subject",
        "index/copies/comparison.py",
        "        least = _least_agreement(a, b, placement, region)\n",
        "        least = 0\n",
        (f"{COMPARISON}::test_other_scenes_of_a_subject_are_no_copies",),
    ),
    Mutant(
        "mirrored and turned copies are found",
        "index/copies/orientation.py",
        "    rows = [both[bool(one & TRANSPOSE)] ^ SIGNS[one] for one in range(ORIENTATIONS)]\n",
        "    rows = [both[0] for one in range(ORIENTATIONS)]\n",
        (f"{COMPARISON}::test_edited_pictures_are_copies_and_the_edits_are_told",),
    ),
    Mutant(
        "pictures of an earlier Magpie get a fingerprint when they are read again",
        "bot/sync/ingest.py",
        "                    known -= await self._embedder.slots_pending(space, str(message.id))\n",
        "                    pass\n",
        ("tests/bot/reindex/test_fingerprints.py",),
    ),
)
