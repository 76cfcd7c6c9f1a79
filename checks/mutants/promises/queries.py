"""Questions of several parts, and pages that fit together."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

SCORING = "tests/index/answering/test_scoring.py"
PAGES = "tests/index/answering/test_pages.py"
SEARCHES = "tests/index/types/test_searches.py"
CONTROLS = "tests/bot/ask/test_controls.py"

MUTANTS = (
    Mutant(
        "pages of a question are not scored as one with another filter",
        "index/answering/ranking.py",
        "    return digest, replace(asked, without=frozenset())",
        "    return digest, Filter(0)",
        (f"{PAGES}::test_pages_of_a_question_are_not_scored_as_one_with_another_filter",),
    ),
    Mutant(
        "pages with a trait are scored as one while such pictures come",
        "index/answering/ranking.py",
        "        key = _key(embedding, asked)",
        "        key = _key(embedding, filter)",
        (f"{PAGES}::test_pages_with_a_trait_are_scored_as_one_while_such_pictures_come",),
    ),
    Mutant(
        "words beside a picture that was found count on each page",
        "bot/ask/questions.py",
        "return _as_wished(await self.like(asker, search.asked.like), search)",
        "return await self.like(asker, search.asked.like)",
        (f"{CONTROLS}::test_words_beside_a_picture_that_was_found_count_on_each_page",),
    ),
    Mutant(
        "what is unwanted comes last",
        "index/answering/scoring.py",
        "        score -= np.maximum(unwanted, 0)",
        "        pass",
        (f"{SCORING}::test_what_is_unwanted_comes_behind_what_is_not_there",),
    ),
    Mutant(
        "both a picture and its words must fit",
        "index/answering/scoring.py",
        "        fit = np.sqrt(np.maximum(fit, 0) * np.maximum(other, 0))",
        "        pass",
        (f"{SCORING}::test_a_picture_with_words_finds_what_fits_both",),
    ),
    Mutant(
        "less like a hit isn't less of what was asked",
        "index/answering/scoring.py",
        "LESS_WEIGHT * np.maximum(like - fit, 0)",
        "LESS_WEIGHT * like",
        (f"{SCORING}::test_less_like_a_hit_does_not_push_away_what_was_asked",),
    ),
    Mutant(
        "a click doesn't drift from the words",
        "index/answering/scoring.py",
        "MORE_WEIGHT = 0.5",
        "MORE_WEIGHT = 5.0",
        (f"{SCORING}::test_a_click_does_not_drift_from_the_words",),
    ),
    Mutant(
        "a row has one score on all pages",
        "index/answering/scoring.py",
        "(vectors.astype(np.float64) * part).sum(axis=1)",
        "(vectors @ part).astype(np.float64)",
        (f"{PAGES}::test_no_hit_comes_twice_and_none_is_left_out_while_links_come_and_go",),
    ),
    Mutant(
        "all pages of a question are ranked by the same spreads",
        "index/answering/ranking.py",
        "self._spreads.get(key) if after else None",
        "None",
        (f"{PAGES}::test_no_hit_comes_twice_and_none_is_left_out_while_links_come_and_go",),
    ),
    Mutant(
        "however much is asked, the work is bounded",
        "index/answering/ranking.py",
        "    return min(max(least, 2 * depth), MOST_CANDIDATES)",
        "    return max(least, 2 * depth)",
        (f"{PAGES}::test_however_much_is_asked_the_work_is_bounded",),
    ),
    Mutant(
        "copies don't fill a page",
        "index/answering/ranking.py",
        "if len(left) > k or complete or",
        "if True or",
        (f"{PAGES}::test_pages_are_the_whole_also_beyond_the_first_candidates",),
    ),
    Mutant(
        "dates order only what fits",
        "index/answering/answer.py",
        "        if passes or said.passes or guesses:\n",
        "        if True:\n",
        (f"{PAGES}::test_dates_order_what_fits_and_pages_of_guesses_show_the_rest",),
    ),
    Mutant(
        "a filter leaves out the folders that it names",
        "index/store/sql/traits.py",
        'f"NOT {_under(folder, values)}"',
        'f"{_under(folder, values)}"',
        (f"{PAGES}::test_filters_let_through_what_they_say",),
    ),
    Mutant(
        "a saved question is judged as it was at first",
        "index/store/sql/columns.py",
        "        spelled=spelled,\n",
        "",
        (f"{SEARCHES}::test_the_vectors_of_a_saved_search_are_those_that_were_asked_with",),
    ),
    Mutant(
        "clicked hits that are gone are left out",
        "index/pipeline.py",
        "with contextlib.suppress(LinkGone, ModelChanged):",
        "with contextlib.nullcontext():",
        (f"{PAGES}::test_clicked_hits_that_are_gone_are_left_out",),
    ),
)
