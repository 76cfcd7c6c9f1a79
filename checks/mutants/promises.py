"""The mutants, sorted by the kind of promise that each breaks.

A new promise gets a line here, or more than one if it can be broken in several ways.
"""

from __future__ import annotations

from checks.mutants.mutant import Mutant

CHANGES = "tests/bot/sync/test_changes.py"
WRITER = "tests/bot/sync/test_writer.py"
PERMISSIONS = "tests/bot/access/test_permissions.py"
WHO_SEES = "tests/bot/ask/test_who_sees_what.py"
INJECTION = "tests/bot/ask/test_injection.py"
ANSWERS = "tests/bot/ask/test_answers.py"
LAST_LOOK = "tests/bot/ask/test_last_look.py"
NO_SILENCE = "tests/bot/ask/test_no_silence.py"
PRIVACY = "tests/bot/commands/test_privacy.py"
CHANNELS = "tests/bot/commands/test_channels.py"
PICTURES = "tests/bot/media/test_pictures.py"
DOWNLOAD = "tests/bot/media/test_download.py"
CLOSED = "tests/bot/maintenance/test_closed.py"
SENTENCES = "tests/bot/text/test_sentences.py"
LAYOUT = "tests/bot/ask/test_layout.py"
SWITCH = "tests/bot/reindex/test_model_switch.py"
ERASED_STAYS = "tests/bot/sync/test_erased_stays_erased.py"
ERASED_FILES = "tests/index/store/sqlite/test_erasure.py"
LINKS = "tests/index/store/test_links.py"

DELETED_IS_GONE = (
    Mutant(
        "a deleted message is erased at once",
        "bot/app.py",
        "await self.live.on_delete(deletion.guild_id, [deletion.message_id])",
        "pass",
        (f"{CHANGES}::test_deleted_message_leaves_nothing",),
    ),
    Mutant(
        "messages deleted together are erased at once",
        "bot/app.py",
        "await self.live.on_delete(deletion.guild_id, sorted(deletion.message_ids))",
        "pass",
        (f"{CHANGES}::test_bulk_deletion_leaves_nothing",),
    ),
    Mutant(
        "a deleted thread is erased at once",
        "bot/app.py",
        "await self.catch_up.on_thread_deleted(deletion.guild_id, deletion.thread_id)",
        "pass",
        (f"{CHANGES}::test_deleted_thread_is_erased",),
    ),
    Mutant(
        "a deleted channel is erased at once",
        "bot/app.py",
        "await self.catch_up.on_channel_deleted(channel)",
        "pass",
        (f"{CHANGES}::test_deleted_channel_is_erased_with_its_threads",),
    ),
    Mutant(
        "a picture that an edit takes off is erased at once",
        "bot/sync/live.py",
        "        await self._ingest.drop(space, message.id, shown)\n",
        "",
        (f"{CHANGES}::test_attachment_taken_off_by_an_edit_is_dropped",),
    ),
    Mutant(
        "a picture that is deleted while it is embedded stays out",
        "bot/sync/writer.py",
        "        if as_of < erased or message in self._deleted:",
        "        if as_of < erased:",
        (f"{WRITER}::test_deleted_message_is_left_out_of_a_later_commit",),
    ),
    Mutant(
        "a channel that is no longer watched is erased",
        "bot/commands/channels.py",
        "            await self._erasure.erase_group(channel.guild.id, place.id)\n",
        "            pass\n",
        (f"{CHANNELS}::test_removed_channel_is_erased_and_counted",),
    ),
    Mutant(
        "a channel that was deleted while Magpie was offline is erased",
        "bot/sync/catch_up.py",
        "                unwatched = await self._is_deleted(top)",
        "                unwatched = False",
        (f"{CHANGES}::test_channel_deleted_while_offline_is_erased",),
    ),
    Mutant(
        "a server that Magpie left is erased after a week",
        "bot/maintenance/departures.py",
        "                await self._jobs.erase_guild(space)",
        "                pass",
        (f"{CHANGES}::test_leaving_the_server_erases_everything_after_a_grace_period",),
    ),
    Mutant(
        "an outage of Discord erases nothing",
        "bot/app.py",
        '        log.warning(fields("guild_outage", guild=guild.id))',
        "        await self.departures.leave(guild.id)",
        (f"{CHANGES}::test_outage_erases_nothing_and_what_was_missed_is_read",),
    ),
    Mutant(
        "a channel that was closed for a week is erased",
        "bot/maintenance/closed.py",
        "            elif due and self._guild(guild.id) is not None:",
        "            elif False:",
        (f"{CLOSED}::test_channel_closed_for_a_week_is_erased_and_read_again_once_it_is_open",),
    ),
    Mutant(
        "a channel that was closed for a short while is kept",
        "bot/maintenance/closed.py",
        "        due = since is not None and since <= time.time() - self._clocks.grace_s",
        "        due = since is not None",
        (CLOSED,),
    ),
    Mutant(
        "a deletion that nobody announced is found by the slow listing",
        "bot/sync/history.py",
        "        removed = await self._writer.erase_messages(space, deleted) if deleted else 0",
        "        removed = 0",
        (f"{PRIVACY}::test_a_deletion_without_an_event_is_found",),
    ),
    Mutant(
        "an answer looks whether its pictures are still there",
        "bot/ask/results.py",
        "            if error.code == UNKNOWN_MESSAGE:",
        "            if False:",
        (f"{ANSWERS}::test_a_deletion_without_an_event_is_noticed_when_somebody_asks",),
    ),
)
"""Deleted is gone: messages, threads, channels, servers, edits."""

PRIVATE = (
    Mutant(
        "what is left out is not even downloaded",
        "bot/sync/ingest.py",
        "            if not self._left_out.covers(guild, picture.author_id, picture.posted_at)\n",
        "",
        (ERASED_STAYS,),
    ),
    Mutant(
        "what is left out is known after a restart",
        "bot/app.py",
        "        await self.left_out.load()\n",
        "",
        (ERASED_STAYS,),
    ),
    Mutant(
        "an opt-out keeps new pictures out",
        "bot/sync/left_out.py",
        "        return await self.erase(guild_id, member_id, math.inf)",
        "        return await self.erase(guild_id, member_id, 2e9)",
        (PRIVACY,),
    ),
    Mutant(
        "what a member erased stays erased",
        "bot/sync/left_out.py",
        "        return posted_at <= self._upto.get((guild_id, member_id), -math.inf)",
        "        return self._upto.get((guild_id, member_id)) == math.inf",
        (ERASED_STAYS,),
    ),
    Mutant(
        "the gallery itself refuses what a member erased",
        "index/store/sqlite/statements.py",
        "        if link.posted_at > left_out.get((link.space, link.owner), -math.inf)\n",
        "        if True\n",
        ("tests/index/store/test_bookkeeping.py",),
    ),
    Mutant(
        "questions are kept for seven days",
        "bot/maintenance/maintenance.py",
        "        await self._writer.expire_searches()\n",
        "",
        (f"{PRIVACY}::test_questions_are_erased_after_a_week_even_if_nobody_asks_again",),
    ),
    Mutant(
        "the embedding of a posted picture that was asked with is not kept",
        "bot/ask/answers.py",
        "        saved = None if question.shown_by else embedding",
        "        saved = embedding",
        (f"{ANSWERS}::test_a_saved_question_has_no_vector_of_a_messages_picture",),
    ),
    Mutant(
        "a retention that an admin sets erases older pictures",
        "bot/commands/privacy.py",
        "        erased = await self._erasure.erase_older(space)",
        "        erased = 0",
        (f"{PRIVACY}::test_old_pictures_are_erased_when_an_admin_sets_a_retention",),
    ),
    Mutant(
        "erased bytes are overwritten",
        "index/store/sqlite/connections.py",
        '"secure_delete = ON"',
        '"secure_delete = OFF"',
        (ERASED_FILES,),
    ),
    Mutant(
        "only the owner of the files can read them",
        "index/store/sqlite/connections.py",
        "0o600",
        "0o644",
        (f"{PRIVACY}::test_files_are_for_their_owner_only",),
    ),
    Mutant(
        "the token is in no log and no error",
        "bot/ops/settings.py",
        "    token: str = field(repr=False)",
        "    token: str",
        ("tests/bot/ops/test_settings.py",),
    ),
)
"""What is kept about members, and how it is erased."""

NOBODY_SEES_MORE = (
    Mutant(
        "View Channel alone opens no history",
        "bot/access/permissions.py",
        'IN_TEXT = ("view_channel", "read_message_history")',
        'IN_TEXT = ("view_channel",)',
        (f"{PERMISSIONS}::test_a_channel_needs_both_view_and_history",),
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
        "index/store/sqlite/links.py",
        "AND (?2 IS NULL OR links.group_id IN (SELECT value FROM json_each(?2)))",
        "AND (?2 IS NULL OR 1)",
        (LINKS,),
    ),
    Mutant(
        "an answer tells nothing of what its asker cannot read",
        "bot/ask/answers.py",
        "            groups=frozenset(groups),\n",
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
        "if one.hit.link.group.id in open_ and self.is_current(one)",
        "if self.is_current(one)",
        (f"{LAST_LOOK}::test_a_channel_that_is_closed_meanwhile_is_not_shown",),
    ),
    Mutant(
        "a picture that is deleted until the answer leaves is not shown",
        "bot/ask/draft.py",
        "if one.hit.link.group.id in open_ and self.is_current(one)",
        "if one.hit.link.group.id in open_",
        (f"{LAST_LOOK}::test_a_picture_that_is_deleted_meanwhile_is_not_shown",),
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
        "            http_trace=last_moment.trace(),\n",
        "",
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
        "        seen = _seen(places, member)\n",
        "        seen = places\n",
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
        "        if not {group.id for group in counted} <= readable:",
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
)
"""Nobody sees more than they could see."""

HARMLESS = (
    Mutant(
        "a stranger's words make no link under other words",
        "bot/text/pieces.py",
        r"[\\`*_~|<>\[\]():/@#+-]",
        r"[\\`*_~|<>:/@#+-]",
        (SENTENCES,),
    ),
    Mutant(
        "an answer pings nobody",
        "bot/platform/interactions.py",
        "NO_MENTIONS = discord.AllowedMentions.none()",
        "NO_MENTIONS = discord.AllowedMentions.all()",
        (f"{INJECTION}::test_mentions_in_a_question_ping_nobody",),
    ),
    Mutant(
        "spoilers stay spoilers",
        "bot/ask/layout.py",
        "    return shown.picture.spoiler or shown.hit.link.spoiler",
        "    return shown.picture.spoiler",
        (LAYOUT,),
    ),
    Mutant(
        "a link in spoiler bars hides every embed",
        "bot/media/pictures.py",
        "    spoiler = _hides_a_link(content)\n",
        "    spoiler = False\n",
        (PICTURES,),
    ),
    Mutant(
        "downloads go to Discord's hosts only",
        "bot/media/download.py",
        "                        url = self._allowed(_target(response))",
        "                        url = yarl.URL(_target(response))",
        (DOWNLOAD,),
    ),
    Mutant(
        "downloads reach no private address",
        "bot/media/download.py",
        'if ip_address(one["host"].split("%")[0]).is_global]',
        "]",
        (DOWNLOAD,),
    ),
    Mutant(
        "a download stops at its limit, whatever the header says",
        "bot/media/download.py",
        "        if len(body) > max_bytes:",
        "        if False:",
        (DOWNLOAD,),
    ),
    Mutant(
        "a name writes no control sequence to the log",
        "bot/ops/logs.py",
        "    return letter if letter.isprintable()",
        "    return letter if True",
        ("tests/bot/ops/test_health.py",),
    ),
)
"""A stranger's texts, files and addresses do no harm."""

NOTHING_LOST = (
    Mutant(
        "the cursor stays before a picture that is on its way",
        "bot/sync/live.py",
        "            coverage.take(message.id)\n",
        "",
        (
            "tests/bot/sync/test_live.py"
            "::test_picture_on_its_way_at_a_stop_is_indexed_after_the_start",
        ),
    ),
    Mutant(
        "a full queue loses no picture",
        "bot/sync/live.py",
        "            backlog.enqueue_missed(channel)\n            return\n",
        "            return\n",
        ("tests/bot/sync/test_live.py::test_full_queue_loses_nothing_and_stays_within_its_limit",),
    ),
    Mutant(
        "a file that fails for a while is read again",
        "bot/sync/live.py",
        "            self._backlog.read_from(post.space, post.group.id, post.message)\n",
        "",
        ("tests/bot/sync/test_live.py::test_cdn_that_fails_for_longer_loses_no_picture",),
    ),
    Mutant(
        "a full disk is waited for",
        "bot/sync/writer.py",
        "                if not patient:\n                    raise\n",
        "                raise\n",
        (f"{WRITER}::test_full_disk_is_waited_for_and_nothing_is_skipped",),
    ),
    Mutant(
        "a reindex goes on after a restart",
        "bot/app.py",
        "        await self.jobs.resume()",
        "        pass",
        ("tests/bot/test_operation.py::test_reindex_continues_where_it_stood_after_a_kill",),
    ),
    Mutant(
        "one server holds up no change of models",
        "bot/reindex/jobs.py",
        "[*await self._stopped_model_jobs(), *await self._bookkeeping.jobs()]",
        "await self._bookkeeping.jobs()",
        (f"{SWITCH}::test_a_job_that_was_stopped_before_goes_on_after_a_restart",),
    ),
    Mutant(
        "a change of models can't be cancelled on one server",
        "bot/commands/reindex.py",
        "    if run.of_a_model:",
        "    if False:",
        (f"{SWITCH}::test_one_server_can_neither_pause_nor_cancel_the_change_for_all",),
    ),
    Mutant(
        "a damaged picture stops no other",
        "bot/sync/ingest.py",
        "            self._failed(post, picture, error)\n            return []\n",
        "            raise\n",
        ("tests/bot/sync/test_live.py::test_damaged_picture_is_counted_and_stops_no_other",),
    ),
)
"""Nothing is lost, and nothing holds up the rest."""

ANSWERED = (
    Mutant(
        "other hits take the places of deleted ones",
        "bot/ask/results.py",
        "k=MAX_LOOKED_UP, after=after)",
        "k=PAGE_SIZE, after=after)",
        (f"{ANSWERS}::test_a_deletion_without_an_event_is_noticed_when_somebody_asks",),
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
"""Whoever asks gets a word."""

MUTANTS = DELETED_IS_GONE + PRIVATE + NOBODY_SEES_MORE + HARMLESS + NOTHING_LOST + ANSWERED
