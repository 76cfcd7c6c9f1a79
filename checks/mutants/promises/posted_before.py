"""A copy is told from a look-alike, and only to those who may see it."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

POSTED = "tests/bot/ask/test_posted_before.py"
NOTES = "tests/bot/reposts/test_notes.py"
PACE = "tests/bot/ask/test_pace.py"
COMMANDS = "tests/bot/commands/test_reposts.py"

MUTANTS = (
    Mutant(
        "a note is known before it is sent",
        "bot/reposts/notes.py",
        "            await self._writer.keep_note(note)\n",
        "",
        (f"{NOTES}::test_a_note_is_known_before_it_is_sent",),
    ),
    Mutant(
        "a note that was sent just before a kill is found again",
        "bot/reposts/notes.py",
        "            if self._shards.mine(note.space) and note.source != self._sending:\n",
        "            if False:\n",
        (f"{NOTES}::test_a_note_goes_that_was_sent_just_before_a_kill",),
    ),
    Mutant(
        "only copies that the asker may read are told",
        "bot/ask/posted.py",
        "Filter(asker.guild.id, frozenset(groups), but",
        "Filter(asker.guild.id, None, but",
        (f"{POSTED}::test_only_copies_that_the_asker_may_read_are_told_and_counted",),
    ),
    Mutant(
        "the message itself is not counted",
        "bot/ask/posted.py",
        "frozenset(groups), but_not_source=shown_by.source)",
        "frozenset(groups))",
        (f"{POSTED}::test_another_picture_of_the_same_message_is_no_copy",),
    ),
    Mutant(
        "a picture that is stored while it is asked with is no answer to itself",
        "index/answering/without_source.py",
        "        if resolved.without.issuperset(now.values()):",
        "        if True:",
        ("tests/index/answering/test_without_source.py",),
    ),
    Mutant(
        "a later copy does not count as posted before",
        "bot/ask/posted_cards.py",
        "        return int(hit.link.source) < int(self.shown_by.source)",
        "        return True",
        (f"{POSTED}::test_copies_are_told_oldest_first_without_the_message_itself",),
    ),
    Mutant(
        "Posted before? counts as a question before it looks for a picture",
        "bot/ask/posted.py",
        "        self._count(asker)\n        if message is None:",
        "        if message is None:",
        (PACE,),
    ),
    Mutant(
        "what a moderator says counts as a question",
        "bot/ask/posted.py",
        "        self._count(asker)\n        question = await self._again(asker, spot)\n",
        "        question = await self._again(asker, spot)\n",
        (f"{POSTED}::test_each_page_and_each_word_of_a_moderator_counts_as_a_question",),
    ),
    Mutant(
        "only moderators say what is a copy",
        "bot/ask/posted.py",
        "        if channel is None or not is_moderator(asker.member, channel):",
        "        if channel is None:",
        (f"{POSTED}::test_only_moderators_can_say_it",),
    ),
    Mutant(
        "a moderator says nothing of a picture that they can't read",
        "bot/ask/posted.py",
        "            link = await self._questions.like(asker, link_in(other))\n"
        "            assert link.like is not None\n",
        "            link = Question(like=link_in(other))\n"
        "            assert link.like is not None\n",
        (f"{POSTED}::test_a_moderator_can_say_nothing_of_a_picture_that_they_cant_read",),
    ),
    Mutant(
        "what is hidden takes no place among what was called no copy",
        "bot/ask/posted.py",
        "if id in links and links[id][0].group.id in groups]",
        "if id in links]",
        (f"{POSTED}::test_what_is_hidden_takes_no_place_among_what_was_called_no_copy",),
    ),
    Mutant(
        "a note tells only what everyone there may read",
        "bot/reposts/notes.py",
        "        filter = Filter(post.space, frozenset(open_), but_not_source=post.source)",
        "        filter = Filter(post.space, None, but_not_source=post.source)",
        (f"{NOTES}::test_a_note_tells_nothing_of_what_not_everybody_there_may_read",),
    ),
    Mutant(
        "a note notifies nobody",
        "bot/reposts/notes.py",
        "                silent=True,\n",
        "",
        (f"{NOTES}::test_a_quiet_note_tells_of_the_first_place",),
    ),
    Mutant(
        "what everybody posts gets no note",
        "bot/reposts/notes.py",
        ") >= people:",
        ") >= 1_000:",
        (f"{NOTES}::test_no_note_for_what_is_new_or_ones_own_or_what_everybody_posts",),
    ),
    Mutant(
        "a picture that passes gets no note, nor do its copies",
        "bot/reposts/notes.py",
        "        shown = [id, *(copy.id for copy in copies)]",
        "        shown = [id]",
        (f"{NOTES}::test_a_moderator_lets_a_picture_pass_and_takes_it_back",),
    ),
    Mutant(
        "notes come no faster than they may",
        "bot/reposts/notes.py",
        "        if pace.update_rate_limit(time.monotonic()):",
        "        if False:",
        (f"{NOTES}::test_notes_come_no_faster_than_they_may",),
    ),
    Mutant(
        "a note goes with its picture",
        "bot/sync/writer.py",
        "        if erased:\n            self.erased.set()\n",
        "",
        (f"{NOTES}::test_a_note_goes_with_its_picture",),
    ),
    Mutant(
        "notes are chosen only by who may manage the server",
        "bot/commands/reposts.py",
        "    @app_commands.checks.has_permissions(manage_guild=True)\n    async def on(",
        "    async def on(",
        (COMMANDS,),
    ),
)
