"""A line is read as it is meant, or refused."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

DATES = "tests/index/language/test_dates.py"
NEGATION = "tests/index/language/test_negation.py"
PARSER = "tests/index/language/test_parser.py"
PRINTER = "tests/index/language/test_printer.py"
SUGGESTIONS = "tests/index/language/test_suggestions.py"
UNREADABLE = "tests/index/language/test_unreadable.py"

MUTANTS = (
    Mutant(
        'no model is handed a "without"',
        "index/language/negation.py",
        'kinds = (("without", tongue.without), ("fixed", tongue.fixed), ("no", tongue.no))',
        'kinds = (("fixed", tongue.fixed), ("no", tongue.no))',
        (NEGATION,),
    ),
    Mutant(
        "a minus that negates something itself is refused",
        "index/language/negation.py",
        "    if len(kept) < len(words):",
        "    if False:",
        (f"{NEGATION}::test_a_negation_of_nothing_or_twice_is_refused",),
    ),
    Mutant(
        "a sign that forbids something is no negation",
        "index/language/negation.py",
        'if marker.kind == "no" and any(_bare(word.text) in tongue.signs for word in words[1:]):',
        "if False:",
        (f"{NEGATION}::test_what_only_looks_so_stays",),
    ),
    Mutant(
        "the reader's own language says what is a negation",
        "index/language/tongues.py",
        'own if language == "en" else (*own, TONGUES["en"])',
        '(TONGUES["en"],)',
        (f"{NEGATION}::test_what_only_looks_so_stays",),
    ),
    Mutant(
        "after: leaves the date itself out",
        "index/language/parser.py",
        '"after": span.end}',
        '"after": span.start}',
        (f"{DATES}::test_after_and_before_leave_the_span_out",),
    ),
    Mutant(
        "a date is read in the order of the reader's country, or refused",
        "index/language/dates.py",
        'if second > 12 or _order(reader) == "month":',
        "if True:",
        (DATES,),
    ),
    Mutant(
        "a number in words is no part of a date",
        "index/language/dates.py",
        "if any(number and number not in figures for number",
        "if any(False for number",
        (f"{DATES}::test_a_date_takes_only_its_own_words",),
    ),
    Mutant(
        "a date without a year is the last one",
        "index/language/dates.py",
        "        if year or found.start <= reader.now:",
        "        if True:",
        (f"{DATES}::test_a_date_is_read_in_the_readers_language",),
    ),
    Mutant(
        "a date in the future is refused",
        "index/language/parser.py",
        "and span.start > now:",
        "and False:",
        (f"{DATES}::test_what_is_not_certain_is_refused",),
    ),
    Mutant(
        "a misspelt field is refused",
        "index/language/tokens.py",
        "        _refuse_misspelt(text, named)\n",
        "        pass\n",
        (f"{PARSER}::test_a_fault_is_pointed_at_and_corrected",),
    ),
    Mutant(
        "all faults of a line are corrected",
        "index/language/parser.py",
        "            problem = another\n",
        "            return text\n",
        (f"{PARSER}::test_a_fault_is_pointed_at_and_corrected",),
    ),
    Mutant(
        "a word that would be read as something else is printed with a backslash",
        "index/language/printer.py",
        '        places.append(behind + (line[behind] == " "))\n',
        "        pass\n",
        (f"{PRINTER}::test_any_wish_is_read_again_as_it_was",),
    ),
    Mutant(
        "only dates that a field takes are suggested",
        "index/language/suggestions.py",
        'for date in dates if _can_be_read(f"{field}:{date}", reader))',
        "for date in dates)",
        (f"{SUGGESTIONS}::test_only_dates_that_the_field_takes_are_suggested",),
    ),
    Mutant(
        "marks stand below wide letters",
        "index/language/unreadable.py",
        "    shift = _cells(before + error.text[start : error.start])",
        "    shift = len(before + error.text[start : error.start])",
        (f"{UNREADABLE}::test_marks_stand_below_the_spot",),
    ),
    Mutant(
        'the "not" of a sentence leaves nothing out',
        "index/language/negation.py",
        "in_a_sentence = word in best.tongue.verbal and self._has_subject(at, best.tongue)",
        "in_a_sentence = False",
        ("tests/index/language/test_negation.py",),
    ),
)
