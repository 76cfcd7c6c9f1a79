"""No one holds up the others, and no time tells what is known."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

FAIR_TURNS = "tests/bot/ask/test_fair_turns.py"
PACE = "tests/bot/ask/test_pace.py"
GALLERY = "tests/index/test_gallery.py"
BACKLOG = "tests/bot/sync/test_backlog.py"
LINES = "tests/bot/ask/test_lines.py"

MUTANTS = (
    Mutant(
        "a long line does not hold up the event loop",
        "bot/ask/lines.py",
        "SHORT = 64\n",
        "SHORT = 100_000\n",
        (f"{LINES}::test_a_long_line_does_not_hold_up_the_event_loop",),
    ),
    Mutant(
        "a date does not hold up the event loop",
        "bot/ask/lines.py",
        "and not _COLONS.intersection(whole)",
        "",
        (f"{LINES}::test_a_date_does_not_hold_up_the_event_loop",),
    ),
    Mutant(
        "a further page counts as a question",
        "bot/ask/answers.py",
        "        self._count(asker)\n"
        "        search = await self._searches.own(asker, page.search)\n        ret",
        "        search = await self._searches.own(asker, page.search)\n        ret",
        (PACE,),
    ),
    Mutant(
        "a question is counted before anything is downloaded",
        "bot/ask/answers.py",
        "        self._count(asker)\n        return await self._begin(asker, Question(picture",
        "        return await self._begin(asker, Question(picture",
        (PACE,),
    ),
    Mutant(
        "what asks nothing counts as a question",
        "bot/ask/answers.py",
        "        self._count(asker)\n        raise Refusal(sentence)",
        "        raise Refusal(sentence)",
        (PACE,),
    ),
    Mutant(
        "Find similar counts before it looks for a picture",
        "bot/ask/answers.py",
        "        self._count(asker)\n        return await self._begin(asker, self._questions.with",
        "        return await self._begin(asker, self._questions.with",
        (PACE,),
    ),
    Mutant(
        "a search waits for no picture",
        "index/gallery.py",
        "*(searching, settling, compacting, closed), write",
        "*(looking, settling, compacting, closed), write",
        (
            "tests/index/images/test_decoders.py::test_a_search_waits_for_no_picture_that_is_asked_with",
        ),
    ),
    Mutant(
        "a server leaves a turn to the others",
        "bot/ask/fair_turns.py",
        "return of_server < TURNS - 1 and not of_member",
        "return not of_member",
        (FAIR_TURNS,),
    ),
    Mutant(
        "a member has one turn at a time",
        "bot/ask/fair_turns.py",
        "return of_server < TURNS - 1 and not of_member",
        "return of_server < TURNS - 1",
        (FAIR_TURNS,),
    ),
    Mutant(
        "who waited longest comes first",
        "bot/ask/fair_turns.py",
        "first = min(may, key=self._last_turns)",
        "first = may[0]",
        (FAIR_TURNS,),
    ),
    Mutant(
        "a member has a bounded number of pictures in hand",
        "bot/ask/fair_turns.py",
        "if of_member >= MEMBER_PLACES:",
        "if False:",
        (FAIR_TURNS,),
    ),
    Mutant(
        "a flood leaves the turns of history to other servers",
        "bot/sync/turns.py",
        "self._waiting[guild_id] = self._waiting.pop(guild_id)  # after all other guilds",
        "pass",
        (BACKLOG,),
    ),
    Mutant(
        "a server keeps places for its members who hold none",
        "bot/ask/fair_turns.py",
        "            of_server >= SERVER_PLACES - kept_for_members\n",
        "            of_server >= SERVER_PLACES\n",
        (FAIR_TURNS,),
    ),
    Mutant(
        "the last places are for servers that hold none",
        "bot/ask/fair_turns.py",
        "        kept_for_servers = RESERVE if of_server else 0",
        "        kept_for_servers = 0",
        (FAIR_TURNS,),
    ),
    Mutant(
        "the time tells not whether a picture is known",
        "index/pipeline.py",
        "pictures.append(middle(await self.asked_picture(query.image)))",
        "pictures.append(middle((await self.picture(query.image, 0, 0)).vectors))",
        (GALLERY,),
    ),
    Mutant(
        "a posted picture uses only what its own channel has",
        "index/store/sql/items.py",
        "WHERE item = items.id AND space = ? AND group_id = ?",
        "WHERE item = items.id AND ? AND ?",
        (GALLERY,),
    ),
    Mutant(
        "one member leaves look-ups of names to the others",
        "bot/ask/members.py",
        "if not own.get_tokens(now) or not all_.get_tokens(now):",
        "if not all_.get_tokens(now):",
        ("tests/bot/ask/test_members.py",),
    ),
    Mutant(
        "the form of Narrow counts as a question",
        "bot/ask/answers.py",
        "        self._count(asker)\n        if wish.show ==",
        "        if wish.show ==",
        ("tests/bot/ask/test_pace.py",),
    ),
)
