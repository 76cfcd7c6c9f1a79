"""Rows in segment files: those of a space lie together, and each filter is kept to."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

SEGMENT = "tests/index/search/test_segment.py"
KERNELS = "tests/index/search/test_kernels.py"
KEPT = "tests/index/search/test_kept_rows.py"
LOAD = "tests/bench/test_search_load.py"

MUTANTS = (
    Mutant(
        "who may see a row does not follow a file that changes later",
        "index/search/segment.py",
        "            setattr(self, name, self.mapped[name].copy())\n",
        "            setattr(self, name, self.mapped[name])\n",
        (f"{SEGMENT}::test_who_may_see_a_row_does_not_follow_a_file_that_changes_later",),
    ),
    Mutant(
        "a large space has lists of its own",
        "index/search/compaction.py",
        "        if end - begin >= ALONE_ROWS:\n",
        "        if False:\n",
        (f"{SEGMENT}::test_rows_of_a_space_lie_together",),
    ),
    Mutant(
        "a file in which spaces are scattered is made anew",
        "index/search/compaction.py",
        "not (part.segment.by_space and part.segment.has_quantized)",
        "not part.segment.has_quantized",
        (f"{SEGMENT}::test_file_in_which_spaces_are_scattered_is_read_and_made_anew",),
    ),
    Mutant(
        "keys of other spaces in a shared block don't answer",
        "index/search/kernels/filters.py",
        "    below[0] = 0\n",
        "    below[0], allowed[-1] = 0, 1\n",
        (f"{SEGMENT}::test_no_space_answers_for_another",),
    ),
    Mutant(
        "a time is looked at, and not only its mark",
        "index/search/kernels/filters.py",
        "np.uint32(since <= posted[row]) & np.uint32(posted[row] < until)",
        "np.uint32(since <= posted[row])",
        (f"{SEGMENT}::test_no_space_answers_for_another",),
    ),
    Mutant(
        "an owner is looked at, and not only a mark",
        "index/search/kernels/filters.py",
        "                may &= np.uint32(one == of_named)\n",
        "                may &= np.uint32(1)\n",
        (f"{SEGMENT}::test_no_space_answers_for_another",),
    ),
    Mutant(
        "a row that is removed while it is compared is no hit",
        "index/search/view.py",
        "        if segment.overwritings == overwritings:\n",
        "        if overwritings >= 0:\n",
        (f"{SEGMENT}::test_row_that_is_removed_while_it_is_compared_is_no_hit",),
    ),
    Mutant(
        "a removed row is no longer among those of its channel",
        "index/search/kernels/filters.py",
        "may = (alive[row // _LANES] >> np.uint32(row % _LANES)) & np.uint32(1)",
        "may = np.uint32(1)",
        (f"{SEGMENT}::test_same_answers_as_brute_force_over_a_random_history",),
    ),
    Mutant(
        "what is kept of a filter goes with a row that is removed",
        "index/search/kept_rows.py",
        "if there(rows.at).all())",
        "if len(rows.at))",
        (f"{KEPT}::test_a_filter_that_was_asked_shows_no_row_that_was_removed",),
    ),
    Mutant(
        "what is kept of a filter stays when a row that it hides is removed",
        "index/search/kept_rows.py",
        "if there(rows.at).all())",
        "if not len(rows.at))",
        (f"{KEPT}::test_a_removal_in_a_hidden_channel_shows_in_no_time",),
    ),
    Mutant(
        "what is kept of a filter is of the channels that it names",
        "index/search/view.py",
        "filter.space, filter.groups, filter.kind",
        "filter.space, filter.kind",
        (f"{KEPT}::test_channels_that_can_no_longer_be_read_show_nothing",),
    ),
    Mutant(
        "a time at the edge of a filter's limits is looked at",
        "index/search/kernels/filters.py",
        "early < times[number] and times[number] < late",
        "early <= times[number] and times[number] <= late",
        (f"{KERNELS}::test_rows_within_limits_are_those_that_numpy_finds",),
    ),
    Mutant(
        "no row that may be among the best is passed over for what its bytes leave out",
        "index/search/kernels/quantized.py",
        "        out[i] = estimate + error * length + (np.float32(1) + error) * of_query\n",
        "        out[i] = estimate\n",
        (f"{KERNELS}::test_no_product_is_greater_than_its_bound",),
    ),
    Mutant(
        "vectors are turned before they are quantized",
        "index/search/encoding.py",
        "(vectors[some] * signs(dimension)[0]).reshape(-1, spread) @ transform\n",
        "vectors[some]\n",
        (f"{KERNELS}::test_one_great_number_makes_no_steps_long",),
    ),
    Mutant(
        "quantized vectors in a file are compared with their checksums",
        "index/search/kernels/quantized.py",
        "        if check != words[row, m]:\n",
        "        if False:\n",
        (f"{SEGMENT}::test_flipped_bit_is_noticed_wherever_it_is",),
    ),
    Mutant(
        "a picture is found though its quantized vector is lost",
        "index/search/kernels/quantized.py",
        "        if scale == 0:",
        "        if scale < 0:",
        (f"{SEGMENT}::test_picture_is_found_though_its_quantized_vector_is_lost",),
    ),
    Mutant(
        "a vector that few rows are ranked by is compared with its checksum",
        "index/search/kernels/top.py",
        "                if checksums.shape[0] > 0 and not is_intact(",
        "                if checksums.shape[0] < 0 and not is_intact(",
        (f"{SEGMENT}::test_vector_that_changed_is_noticed_by_the_query_that_ranks_it",),
    ),
    Mutant(
        "the quantized vector of a removed picture is overwritten",
        "index/search/segment.py",
        '            arrays["quantized"][places] = 0\n',
        "            pass\n",
        (f"{SEGMENT}::test_removed_row_leaves_nothing_in_the_file",),
    ),
    Mutant(
        "a file of an earlier version is made anew",
        "index/search/compaction.py",
        "not (part.segment.by_space and part.segment.has_quantized)",
        "not part.segment.by_space",
        (f"{SEGMENT}::test_file_of_an_earlier_version_is_searched_and_made_anew",),
    ),
    Mutant(
        "a link whose removal is under way was not missed",
        "bench/search/through_gallery.py",
        "        self.leaving.update(source for source, _ in gone)\n"
        "        await gallery.remove_sources(1, [source for source, _ in gone])\n",
        "        await gallery.remove_sources(1, [source for source, _ in gone])\n"
        "        self.leaving.update(source for source, _ in gone)\n",
        (f"{LOAD}::test_link_whose_removal_is_under_way_was_not_missed",),
    ),
    Mutant(
        "a question in a channel whose first picture is being added is answered",
        "index/search/kernels/memtable.py",
        "(every or groups[at] == wanted[i]) and codes[at] < known:\n",
        "(every or groups[at] == wanted[i]):\n",
        (
            "tests/index/search/test_rows.py"
            "::test_question_in_a_channel_whose_first_picture_is_being_added",
        ),
    ),
)
