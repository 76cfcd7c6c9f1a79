"""What statements read: nothing of another space, and no large table as a whole."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

STATEMENTS = "tests/index/store/test_statements.py"
QUESTION = f"{STATEMENTS}::test_a_question_in_one_space_reads_no_row_of_another"
EVENT = f"{STATEMENTS}::test_no_event_reads_a_large_table_as_a_whole"
NAMED = f"{STATEMENTS}::test_links_that_are_named_are_not_looked_for_among_all_of_their_space"
LOOKUP = "tests/index/copies/test_lookup.py"
LINKS = "tests/index/store/test_links.py"

MUTANTS = (
    Mutant(
        "the hits of a question are not looked for among all links of their space",
        "index/store/sql/links.py",
        "WHERE unindexed(links.space) = ?",
        "WHERE links.space = ?",
        (NAMED,),
    ),
    Mutant(
        "pictures without a note are not looked for among all links of their space",
        "index/store/sql/bookkeeping.py",
        "WHERE unindexed(links.space) = ?",
        "WHERE links.space = ?",
        (NAMED,),
    ),
    Mutant(
        "a start doesn't look for the links that were touched among all",
        "index/store/sqlite/rows.py",
        "FROM touched\n"
        "                    WHERE EXISTS (SELECT 1 FROM links WHERE links.id = touched.link))",
        "FROM touched JOIN links ON links.id = touched.link)",
        (NAMED,),
    ),
    Mutant(
        "the id of a link leads to nothing in another space",
        "index/store/sql/links.py",
        "WHERE unindexed(links.space) = ? AND links.id IN (numbers(?))",
        "WHERE unindexed(links.space) != -? AND links.id IN (numbers(?))",
        (f"{LINKS}::test_the_id_of_a_link_leads_to_nothing_in_another_space",),
    ),
    Mutant(
        "the same bytes in another space are not looked at",
        "index/store/sql/links.py",
        '    where = " AND space = ? AND group_id IN (numbers(?))"\n',
        '    where = " AND space >= ? AND group_id IN (numbers(?))"\n',
        (QUESTION,),
    ),
    Mutant(
        "which pictures of other spaces are still to be read is not looked at",
        "index/store/sql/words.py",
        'UNREAD = "EXISTS (SELECT 1 FROM unread WHERE unread.link = links.id)"',
        'UNREAD = "(links.id IN (SELECT link FROM unread))"',
        (QUESTION,),
    ),
    Mutant(
        "what was asked in other spaces is not looked at",
        "index/store/sqlite/migrations.py",
        '"CREATE INDEX searches_of_owner ON searches (space, owner)"',
        '"CREATE INDEX searches_of_owner ON searches (truncated)"',
        (QUESTION,),
    ),
    Mutant(
        "what was called no copy in other spaces is not looked at",
        "index/store/sqlite/migrations.py",
        '"CREATE INDEX not_copies_of_space ON not_copies (space, item, other)"',
        '"CREATE INDEX not_copies_of_space ON not_copies (space)"',
        (QUESTION,),
    ),
    Mutant(
        "what is too old to be judged is found without reading all links",
        "index/store/sql/watches.py",
        "SELECT 1 FROM links WHERE links.id = unjudged.link AND posted_at",
        "SELECT 1 FROM links WHERE links.id + 0 = unjudged.link AND posted_at",
        (EVENT,),
    ),
    Mutant(
        "hashes of spaces in which nobody asks are forgotten",
        "index/copies/lookup.py",
        "            if self.resident_bytes <= self._most_bytes:\n",
        "            if self.resident_bytes:\n",
        (f"{LOOKUP}::test_spaces_that_nobody_asks_in_are_forgotten",),
    ),
    Mutant(
        "hashes of one space are not those of another",
        "index/copies/lookup.py",
        'change = _Change(removed, rows[rows["space"] == space])',
        "change = _Change(removed, rows)",
        (f"{LOOKUP}::test_spaces_are_read_when_they_are_asked_and_followed_from_then_on",),
    ),
)
