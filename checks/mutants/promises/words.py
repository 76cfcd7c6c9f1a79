"""Pictures are found by the words in them, by whoever may read their channel and by nobody else."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

TRANSCRIPTS = "tests/index/store/test_transcripts.py"
WRITTEN = "tests/index/answering/test_written.py"

MUTANTS = (
    Mutant(
        "one of several exact phrases is enough",
        "index/store/sql/word_search.py",
        'Sought("words", wanted, every=True)',
        'Sought("words", wanted, every=False)',
        (TRANSCRIPTS,),
    ),
    Mutant(
        "exact words are found in a thread that wasn't asked for",
        "index/store/sqlite/words.py",
        "AND (?2 IS NULL OR links.group_id IN (SELECT value FROM json_each(?2))) LIMIT ?3)",
        "LIMIT ?3)",
        (TRANSCRIPTS,),
    ),
    Mutant(
        "words are found at once that were read for another channel",
        "index/store/sql/words.py",
        "WHERE links.id IN (numbers(?1)) AND NOT EXISTS (",
        "WHERE links.id IN (numbers(?1)) AND 1 = 0 AND NOT EXISTS (",
        (TRANSCRIPTS,),
    ),
    Mutant(
        "the index keeps hashes of deleted words",
        "index/store/sqlite/database.py",
        "                await words.merge(self._writer)\n",
        "",
        ("tests/index/store/sqlite/test_erasure.py",),
    ),
    Mutant(
        "a picture that says the words isn't sure",
        "index/answering/answer.py",
        "        if said.sure:\n",
        "        if said.sure and passes:\n",
        (WRITTEN,),
    ),
    Mutant(
        "words count scattered as much as side by side",
        "index/answering/written.py",
        " + IN_A_ROW * in_a_row",
        "",
        (WRITTEN,),
    ),
    Mutant(
        "one word of a question makes a picture sure",
        "index/answering/written.py",
        "(len(phrases) > 1 or not pairs or bool(row))",
        "True",
        (WRITTEN,),
    ),
    Mutant(
        "a word that stands nowhere outweighs the others",
        "index/answering/written.py",
        "_rarity(standing or least)",
        "_rarity(standing)",
        (WRITTEN,),
    ),
    Mutant(
        "two memes of one template fold",
        "index/answering/ranking.py",
        "            apart |= await self._searching.run(partial(differing, said))\n",
        "",
        (WRITTEN,),
    ),
    Mutant(
        "what a spoiler says is told",
        "bot/ask/layout.py",
        "if shown.hit.says and not _hidden(shown) else []",
        "if shown.hit.says else []",
        ("tests/bot/ask/test_layout.py",),
    ),
    Mutant(
        "what was read for another channel is given for a link",
        "index/store/sql/transcripts.py",
        "AND lines != '' AND NOT {words.UNREAD}",
        "AND lines != ''",
        ("tests/index/store/test_transcripts.py",),
    ),
    Mutant(
        "an export lacks the words that were read",
        "bot/commands/privacy.py",
        "list(one.words)",
        "[]",
        ("tests/bot/commands/test_privacy.py",),
    ),
    Mutant(
        "exact words of any length are looked for in each channel",
        "index/language/parser.py",
        "if letters > MOST_EXACT_LETTERS:",
        "if False:",
        ("tests/index/language/test_unreadable.py",),
    ),
    Mutant(
        "an answer names the exact words that no picture says",
        "bot/ask/cards.py",
        "if not (says := _says(search)):",
        "if (says := _says(search)) is not None:",
        ("tests/bot/ask/test_words.py",),
    ),
)
