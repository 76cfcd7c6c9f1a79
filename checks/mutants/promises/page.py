"""The page of `magpie serve`: honest, quick in large folders, usable without a mouse."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

PAGE = "tests/serve/page/test_page.py"

MUTANTS = (
    Mutant(
        "only the rows in sight are in the page",
        "serve/page/grid.js",
        "if (near || row.contains(document.activeElement)) continue;",
        "if (near || row) continue;",
        (f"{PAGE}::test_only_what_is_in_sight_is_in_the_page",),
    ),
    Mutant(
        "each row is as wide as the page",
        "serve/page/rows.js",
        "const fits = (width - gap * (at - first)) / (sum + wide);",
        "const fits = width / (sum + wide);",
        (f"{PAGE}::test_only_what_is_in_sight_is_in_the_page",),
    ),
    Mutant(
        "what merely comes closest is shown when it is asked for",
        "serve/page/main.js",
        "const heard = await api.ask({ ...question, guesses: false }, signal);",
        "const heard = await api.ask({ ...question, guesses: true }, signal);",
        (f"{PAGE}::test_where_nothing_fits_the_closest_stand_behind_a_button",),
    ),
    Mutant(
        "Back brings the question before",
        "serve/page/main.js",
        "history.pushState({ opened,",
        "history.replaceState({ opened,",
        (f"{PAGE}::test_a_search_stands_in_the_address_and_back_undoes_it",),
    ),
    Mutant(
        "a suggestion that is chosen by keys is told to screen readers",
        "serve/page/search.js",
        'this.field.setAttribute("aria-activedescendant", `suggestion-${at}`);',
        "",
        (f"{PAGE}::test_suggestions_are_chosen_with_the_arrow_keys",),
    ),
    Mutant(
        "the focus returns to the picture that was open",
        "serve/page/main.js",
        "if (index >= 0) this.grid.focus(index);",
        "",
        (f"{PAGE}::test_keys_go_through_the_grid_and_into_a_picture",),
    ),
    Mutant(
        "a broken picture says why it isn't shown",
        "serve/page/grid.js",
        'h("span.why", {}, why)',
        'h("span.why")',
        (f"{PAGE}::test_a_broken_picture_is_a_quiet_tile_with_its_reason",),
    ),
    Mutant(
        "the page asks again when the server is back",
        "serve/page/main.js",
        "if (!(error instanceof api.Refused)) continue;",
        "if (!(error instanceof api.Refused)) return;",
        (f"{PAGE}::test_a_server_that_is_gone_is_waited_for",),
    ),
    Mutant(
        "copies are told when scrolling rests",
        "serve/page/grid.js",
        "this.answer.know(first, end).catch(",
        "Promise.resolve().catch(",
        (f"{PAGE}::test_copies_are_folded_behind_a_number",),
    ),
    Mutant(
        "text stands out from what is behind it",
        "serve/page/theme.css",
        "--text-3: light-dark(#636d81, #8f9aae);",
        "--text-3: light-dark(#9aa3b5, #5c667a);",
        (f"{PAGE}::test_all_text_stands_out_from_what_is_behind_it",),
    ),
    Mutant(
        "a link that takes a file's place is not followed",
        "serve/files.py",
        "_check_inside(_place_of(file, source), inside)",
        "pass",
        (
            "tests/serve/test_guard.py"
            "::test_a_link_that_takes_the_place_of_a_file_while_it_is_opened_is_not_read",
        ),
    ),
    Mutant(
        "a cancelled request takes no turn with it",
        "serve/thumbnails.py",
        "if not turn.done():  # who",
        "if True:  # who",
        (
            "tests/serve/test_thumbnails.py"
            "::test_who_is_cancelled_while_a_turn_is_given_takes_none_with_it",
        ),
    ),
    Mutant(
        "a damaged request is not logged as a fault",
        "serve/server.py",
        "http.addFilter(_is_ours)",
        "",
        ("tests/serve/test_guard.py::test_a_body_that_makes_no_sense_is_no_fault_of_ours",),
    ),
)
