"""Nobody sees more than they could see."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

CHANGES = "tests/bot/sync/test_changes.py"
PERMISSIONS = "tests/bot/access/test_permissions.py"
WHO_SEES = "tests/bot/ask/test_who_sees_what.py"
INJECTION = "tests/bot/ask/test_injection.py"
LAST_LOOK = "tests/bot/ask/test_last_look.py"
CONTROLS = "tests/bot/ask/test_controls.py"
FILTERS = "tests/bot/ask/test_filters.py"
SUGGESTIONS = "tests/bot/ask/test_suggestions.py"
CHANNELS = "tests/bot/commands/test_channels.py"
REINDEX = "tests/bot/reindex/test_who_is_told.py"
LINKS = "tests/index/store/test_links.py"

MUTANTS = (
    Mutant(
        "a closed channel is answered as one that does not exist",
        "bot/ask/names.py",
        "    allowed = open(list(by_id.values()))\n",
        "    allowed = set(by_id)\n",
        (f"{FILTERS}::test_what_is_closed_is_answered_as_what_does_not_exist",),
    ),
    Mutant(
        "members known only from closed channels are unknown",
        "bot/ask/names.py",
        "self._people(asker, sight.open(groups), of_people, wish)",
        "self._people(asker, {group.id for group in groups}, of_people, wish)",
        (f"{FILTERS}::test_what_is_closed_is_answered_as_what_does_not_exist",),
    ),
    Mutant(
        "a filter holds on each page",
        "bot/ask/preparation.py",
        "        if not asked.places and not asked.not_places:\n",
        "        if True:\n",
        (f"{FILTERS}::test_a_limit_is_kept_over_pages_and_by_whoever_clicks",),
    ),
    Mutant(
        "what is offered while typing is open to the asker",
        "bot/ask/suggestions.py",
        "        return [group for group in groups if group.id in open_]\n",
        "        return groups\n",
        (
            f"{SUGGESTIONS}::test_channels_are_those_that_the_asker_reads_and_that_have_pictures",
            f"{SUGGESTIONS}::test_members_are_those_with_pictures_that_the_asker_reads",
        ),
    ),
    Mutant(
        "a public answer knows only the names that everyone there knows",
        "bot/ask/questions.py",
        "meant = await self._names.meant(asker, sight, wish)",
        "sight._public = False\n        meant = await self._names.meant(asker, sight, wish)",
        (f"{FILTERS}::test_a_public_answer_knows_only_what_everyone_there_knows",),
    ),
    Mutant(
        "View Channel alone opens no history",
        "bot/access/permissions.py",
        'IN_TEXT = ("view_channel", "read_message_history")',
        'IN_TEXT = ("view_channel",)',
        (f"{PERMISSIONS}::test_a_channel_needs_both_view_and_history",),
    ),
    Mutant(
        "channels with other overwrites are not taken for alike",
        "bot/access/permissions.py",
        "    return (channel.type, *overwrites)",
        "    return channel.type",
        (PERMISSIONS,),
    ),
    Mutant(
        "a voice channel is not taken for a text channel",
        "bot/access/permissions.py",
        "    return (channel.type, *overwrites)",
        "    return tuple(overwrites)",
        (
            f"{PERMISSIONS}::"
            "test_a_voice_channel_is_read_beside_a_text_channel_with_the_same_overwrites",
        ),
    ),
    Mutant(
        "the text of a voice channel needs Connect",
        "bot/access/permissions.py",
        'IN_VOICE = (*IN_TEXT, "connect")',
        "IN_VOICE = IN_TEXT",
        (f"{PERMISSIONS}::test_text_in_a_voice_channel_needs_connect",),
    ),
    Mutant(
        "age-restricted pictures stay in age-restricted channels",
        "bot/access/permissions.py",
        "    if _is_nsfw(channel) and not adult:\n        return None\n",
        "",
        (PERMISSIONS,),
    ),
    Mutant(
        "a private thread needs membership",
        "bot/access/permissions.py",
        "        if is_private(guild, group) and not permissions.manage_threads:",
        "        if False:",
        (PERMISSIONS,),
    ),
    Mutant(
        "a public answer shows only what everyone there may see",
        "bot/access/sight.py",
        "allowed &= permissions.shared_with_everyone_here(guild, self._channel, groups)",
        "pass",
        (f"{WHO_SEES}::test_a_public_answer_shows_only_what_everyone_there_may_see",),
    ),
    Mutant(
        "permissions count before anything is ranked",
        "index/store/sql/links.py",
        'f"{where} AND links.group_id IN (numbers(?))"',
        'f"{where} AND (1 = 1 OR links.group_id IN (numbers(?)))"',
        (LINKS,),
    ),
    Mutant(
        "an answer tells nothing of what its asker cannot read",
        "bot/ask/preparation.py",
        "            groups=frozenset(await self._narrowed(asker, groups, asked)),\n",
        "            groups=None,\n",
        (f"{WHO_SEES}::test_an_answer_tells_nothing_of_how_much_was_left_out",),
    ),
    Mutant(
        "a picture of the gallery is asked with only by who may see it",
        "bot/ask/questions.py",
        "        if not await self.may_read(asker, [link.group]):",
        "        if False:",
        (f"{LAST_LOOK}::test_a_picture_that_cant_be_read_any_more_is_not_even_fetched",),
    ),
    Mutant(
        "a posted picture is asked with again only by who may still read it",
        "bot/ask/questions.py",
        "        if not await self.may_read(asker, [group]):",
        "        if False:",
        (f"{LAST_LOOK}::test_a_picture_that_cant_be_read_any_more_is_not_even_fetched",),
    ),
    Mutant(
        "a picture asked with again may be closed until the answer leaves",
        "bot/ask/draft.py",
        "        if self.posted_in is not None and self.posted_in.id not in open_:",
        "        if False:",
        (f"{LAST_LOOK}::test_a_picture_asked_with_again_that_is_closed_meanwhile_gets_no_answer",),
    ),
    Mutant(
        "a channel that is closed until the answer leaves is not shown",
        "bot/ask/draft.py",
        "[self.now(one) for one in shown if one.hit.link.group.id in open_]",
        "[self.now(one) for one in shown]",
        (f"{LAST_LOOK}::test_a_channel_that_is_closed_meanwhile_is_not_shown",),
    ),
    Mutant(
        "a copy that is closed until the answer leaves is not counted",
        "bot/ask/draft.py",
        "tuple(one for one in shown.copies if one.link.group.id in open_)",
        "shown.copies",
        (f"{CONTROLS}::test_a_copy_that_is_closed_meanwhile_is_not_counted",),
    ),
    Mutant(
        "a copy that is deleted until the answer leaves is not counted",
        "bot/ask/results.py",
        "tuple(one for one in shown.copies if self.is_current(one.link, shown.as_of))",
        "shown.copies",
        (f"{CONTROLS}::test_a_copy_that_is_deleted_meanwhile_is_not_counted",),
    ),
    Mutant(
        "a picture that the asker cannot see steers nothing",
        "bot/ask/answers.py",
        "        await self._questions.like(asker, link)\n",
        "",
        (f"{CONTROLS}::test_a_picture_that_the_asker_cannot_see_steers_nothing",),
    ),
    Mutant(
        "a picture that is closed steers no more",
        "bot/ask/preparation.py",
        "for id, (link, _, _) in links.items() if link.group.id in groups}",
        "for id, (link, _, _) in links.items()}",
        (f"{CONTROLS}::test_a_picture_that_is_closed_or_deleted_steers_no_more_and_nothing_tells",),
    ),
    Mutant(
        "what is seen in a spoiler is not told",
        "bot/ask/layout.py",
        "    if shown.hit.concepts and not hidden:",
        "    if shown.hit.concepts:",
        ("tests/bot/ask/test_layout.py",),
    ),
    Mutant(
        "a picture that is deleted until the answer leaves is not shown",
        "bot/ask/results.py",
        "        if not self.is_current(shown.hit.link, shown.as_of):",
        "        if False:",
        (f"{LAST_LOOK}::test_a_picture_that_is_deleted_meanwhile_is_not_shown",),
    ),
    Mutant(
        "a picture that is put behind a spoiler until the answer leaves is hidden",
        "bot/ask/results.py",
        "        if self._writer.hides(shown.hit.link) and not picture.spoiler:",
        "        if False:",
        (f"{LAST_LOOK}::test_a_picture_that_is_put_behind_a_spoiler_meanwhile_is_hidden",),
    ),
    Mutant(
        "a picture asked with may be deleted or erased until the answer leaves",
        "bot/ask/draft.py",
        "        if not self.is_there():",
        "        if False:",
        (f"{LAST_LOOK}::test_a_picture_asked_with_that_is_deleted_meanwhile_gets_no_answer",),
    ),
    Mutant(
        "a picture of the gallery that is asked with may be erased by its owner meanwhile",
        "bot/ask/answers.py",
        "            return self._results.is_current(question.link, question.as_of)",
        "            return not self._writer.is_deleted(int(question.link.source))",
        (
            f"{LAST_LOOK}::test_a_picture_asked_with_that_its_author_erases_meanwhile_gets_no_answer",
        ),
    ),
    Mutant(
        "a slow answer asks for the member's roles again",
        "bot/ask/draft.py",
        "            if self.page.shown and not self.sight.fresh:",
        "            if False:",
        (f"{LAST_LOOK}::test_a_role_that_is_lost_meanwhile_counts",),
    ),
    Mutant(
        "an answer that is sent again is looked at again",
        "bot/app.py",
        "        trace = last_moment.trace()",
        "        trace = discord.http.aiohttp.TraceConfig()",
        (
            f"{LAST_LOOK}::test_an_attempt_that_discord_fails_is_not_repeated_with_what_was_closed_since",
        ),
    ),
    Mutant(
        "a button of a private answer works for its asker only",
        "bot/ask/questions.py",
        "        if search.owner != asker.member.id and not search.asked.public:",
        "        if False:",
        (f"{INJECTION}::test_a_button_of_one_members_private_answer_is_refused_to_another",),
    ),
    Mutant(
        "during an outage nothing is shown",
        "bot/access/sight.py",
        "        return guild is None or guild.unavailable",
        "        return False",
        (
            f"{CHANGES}::test_during_an_outage_nothing_is_shown_since_permissions_may_have_changed",
            f"{LAST_LOOK}::test_nothing_is_shown_when_an_outage_begins_meanwhile",
        ),
    ),
    Mutant(
        "/status counts what its asker may read",
        "bot/commands/status.py",
        "            progress=backlog.progress(guild.id, seen),",
        "            progress=backlog.progress(guild.id, {g.id for g in groups}),",
        (f"{CHANNELS}::test_status_tells_nothing_of_channels_that_the_asker_cannot_see",),
    ),
    Mutant(
        "the speed in /status is that of what its asker may read",
        "bot/ops/metrics.py",
        " if now - at <= over_s and group in groups)",
        " if now - at <= over_s)",
        ("tests/bot/ops/test_health.py",),
    ),
    Mutant(
        "a category tells nothing of its hidden channels",
        "bot/commands/channels.py",
        "        seen = _seen(inside(channel), member)\n",
        "        seen = inside(channel)\n",
        (f"{CHANNELS}::test_a_category_names_and_counts_only_channels_that_the_asker_sees",),
    ),
    Mutant(
        "a channel that its asker can't see is not found",
        "bot/commands/options.py",
        "        if not channel.permissions_for(member).view_channel:",
        "        if False:",
        ("tests/bot/commands/test_options.py",),
    ),
    Mutant(
        "the figures of a reindex are for who may read all that they count",
        "bot/reindex/progress_message.py",
        "        if not {group.id for group in counted} <= open_:",
        "        if False:",
        (
            "tests/bot/reindex/test_progress_message.py"
            "::test_figures_are_shown_only_to_members_who_may_read_all_that_they_count",
        ),
    ),
    Mutant(
        "commands are for servers and those who manage them",
        "bot/commands/status.py",
        "    @app_commands.checks.has_permissions(manage_guild=True)\n",
        "",
        (f"{CHANNELS}::test_manage_server_is_checked_again",),
    ),
    Mutant(
        "the figures of a reindex count archived threads",
        "bot/reindex/state.py",
        "if not deleted & {one.id, one.parent}]",
        "if one.parent is None]",
        (f"{REINDEX}::test_figures_count_archived_private_threads_that_have_no_picture",),
    ),
    Mutant(
        "the figures of a reindex count channels that are closed to the bot",
        "bot/reindex/state.py",
        "listed = [*(self.groups or ()), *self.unread]",
        "listed = self.groups or []",
        (f"{REINDEX}::test_figures_count_channels_that_are_closed_to_the_bot",),
    ),
    Mutant(
        "a reindex names a hidden channel to nobody who can't see it",
        "bot/text/reindex.py",
        'where = f"<#{state.channel}>" if named else _("one channel")',
        'where = f"<#{state.channel}>"',
        (f"{REINDEX}::test_hidden_channel_is_named_to_nobody_who_cant_see_it",),
    ),
    Mutant(
        "the message of a reindex is moved only by who can see its channel",
        "bot/reindex/jobs.py",
        "            if not run.may_be_shown_by(member):",
        "            if False:",
        (f"{REINDEX}::test_message_is_not_moved_by_a_member_who_cant_see_the_jobs_channel",),
    ),
    Mutant(
        "a server is told of its own losses at a change of models",
        "bot/reindex/jobs.py",
        "await run.has_switched(lost.get(job.space, 0))",
        "await run.has_switched(sum(lost.values()))",
        ("tests/bot/reindex/test_model_switch.py::test_each_server_is_told_of_its_own_losses",),
    ),
    Mutant(
        "/reindex doesn't tell whether a hidden channel is watched",
        "bot/reindex/jobs.py",
        "if not any(one.permissions_for(member).view_channel for one in watched):",
        "if not watched:",
        (f"{REINDEX}::test_reindex_doesnt_tell_whether_a_hidden_channel_is_watched",),
    ),
)
