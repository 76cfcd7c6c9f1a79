"""Whoever asks gets a word."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

ANSWERS = "tests/bot/ask/test_answers.py"
NO_SILENCE = "tests/bot/ask/test_no_silence.py"
CONTROLS = "tests/bot/ask/test_controls.py"
COST = "tests/bot/ask/test_cost.py"

MUTANTS = (
    Mutant(
        "Discord is not asked for the message that becomes of an answer",
        "bot/platform/responses.py",
        "await self.request(route, payload=params.payload, **how)",
        'await self.request(route, payload=params.payload, params={"with_response": "1"}, **how)',
        (COST,),
    ),
    Mutant(
        "a single statement is a transaction by itself",
        "index/store/sqlite/database.py",
        "to_completion(self._in_turn(lambda writer: Transaction(writer).execute(sql, *params)))",
        "self.write(lambda db: db.execute(sql, *params))",
        (COST,),
    ),
    Mutant(
        "pages take each other's place",
        "bot/commands/controls.py",
        "            in_place = is_private(interaction) and not anew\n",
        "            in_place = False\n",
        (f"{CONTROLS}::test_pages_take_each_others_place_and_can_be_turned_back",),
    ),
    Mutant(
        "only so many pictures steer",
        "bot/ask/answers.py",
        "tuple(less[-MAX_STEERED:])",
        "tuple(less)",
        (f"{CONTROLS}::test_only_so_many_pictures_steer",),
    ),
    Mutant(
        "other hits take the places of deleted ones",
        "bot/ask/results.py",
        "FIRST_LOOKED_UP, MAX_LOOKED_UP = 12, 48",
        "FIRST_LOOKED_UP, MAX_LOOKED_UP = 6, 6",
        (f"{ANSWERS}::test_a_deletion_without_an_event_is_noticed_when_somebody_asks",),
    ),
    Mutant(
        "a page is full though most of the first hits were deleted",
        "bot/ask/results.py",
        "if len(page.shown) < PAGE_SIZE and answer.more:",
        "if False:",
        (f"{ANSWERS}::test_a_page_is_full_though_many_hits_were_deleted_unnoticed",),
    ),
    Mutant(
        "a mention is answered where no reply may be written",
        "bot/ask/messages.py",
        "        if not refuses_reply(error):",
        "        if True:",
        (f"{NO_SILENCE}::test_where_magpie_may_not_read_the_history_it_answers_without_a_reply",),
    ),
    Mutant(
        "a button whose answer is refused says so",
        "bot/ask/respond.py",
        "            await explain(interaction, error)\n",
        "            pass\n",
        (f"{NO_SILENCE}::test_a_button_whose_answer_discord_refuses_is_followed_by_a_sentence",),
    ),
    Mutant(
        "a lost acknowledgement doesn't lose the answer",
        "bot/ask/respond.py",
        "            if error.code != ALREADY_ACKNOWLEDGED:",
        "            if True:",
        (f"{NO_SILENCE}::test_an_acknowledgement_that_is_lost_doesnt_lose_the_answer",),
    ),
)
