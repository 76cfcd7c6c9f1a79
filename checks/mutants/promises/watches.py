"""A watch tells its owner of what fits and they can read, once, and of nothing else."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

NOTICES = "tests/bot/watches/test_notices.py"
COMMANDS = "tests/bot/watches/test_commands.py"
UNDELIVERABLE = "tests/bot/watches/test_undeliverable.py"
CHAOS = "tests/checks/test_chaos.py"
CHOICES = "tests/bot/watches/test_choices.py"
OTHER_MODEL = "tests/bot/watches/test_other_model.py"
PRIVACY = "tests/bot/watches/test_privacy.py"
WORDS = "tests/bot/watches/test_words.py"
SCREENING = "tests/index/watches/test_screening.py"

MUTANTS = (
    Mutant(
        "a page of history leaves a picture of this moment to the watches",
        "bot/sync/ingest.py",
        "            if message.id in self._announced:",
        "            if False:",
        (
            "tests/bot/sync/test_backfill.py"
            "::test_a_page_of_history_leaves_a_live_picture_to_its_turn",
        ),
    ),
    Mutant(
        "an edit that fails ends no turn of a message that was just posted",
        "bot/sync/live.py",
        "            self._backlog.read_from(post.space",
        "            self._ingest.finished(post.message)\n"
        "            self._backlog.read_from(post.space",
        (
            "tests/bot/sync/test_backfill.py"
            "::test_a_page_of_history_leaves_a_live_picture_to_its_turn",
        ),
    ),
    Mutant(
        "what was just posted is told though a reindex finds it first",
        "bot/reindex/run.py",
        "(new if self._rereading.is_new(item) else history)",
        "history",
        (f"{NOTICES}::test_a_picture_of_this_moment_is_told_though_a_reindex_finds_it_first",),
    ),
    Mutant(
        "what catching up will read again is no history for a reindex",
        "bot/sync/backlog.py",
        "            start = min(start, reading.position)\n",
        "            pass\n",
        ("tests/bot/sync/test_backlog.py::test_what_was_just_posted_is_no_history",),
    ),
    Mutant(
        "a notice tells only of channels that the member can read",
        "bot/watches/judge.py",
        "        open_ = await sight.look([judging.link.group])\n",
        "        open_ = {judging.link.group.id}\n",
        (f"{NOTICES}::test_only_what_all_its_readers_may_read_waits",),
    ),
    Mutant(
        "a notice in a channel tells only what everybody there may read",
        "bot/watches/judge.py",
        "            public=place is not None,\n",
        "            public=False,\n",
        (f"{NOTICES}::test_only_what_all_its_readers_may_read_waits",),
    ),
    Mutant(
        "a notice in a channel leaves only while everybody there may read what it shows",
        "bot/watches/deliveries.py",
        "asked_at, public=place is not None)",
        "asked_at, public=False)",
        (
            f"{NOTICES}::test_what_is_closed_to_some_of_a_channel"
            "_before_the_notice_leaves_is_not_told",
        ),
    ),
    Mutant(
        "no one is told of their own picture",
        "bot/watches/judge.py",
        "            if watch.owner == judging.link.owner:\n",
        "            if False:\n",
        (f"{NOTICES}::test_no_one_is_told_of_their_own_picture",),
    ),
    Mutant(
        "copies that wait are told once",
        "bot/watches/deliveries.py",
        "            if beside or await",
        "            if await",
        (f"{NOTICES}::test_copies_that_wait_are_told_once_whatever_is_deleted",),
    ),
    Mutant(
        "a copy that waits keeps none from being told",
        "index/store/sql/watches.py",
        "WHERE watch = ? AND sending != ''\n            AND link IN",
        "WHERE watch = ?\n            AND link IN",
        (f"{NOTICES}::test_copies_that_wait_are_told_once_whatever_is_deleted",),
    ),
    Mutant(
        "history tells nobody",
        "bot/sync/backfill.py",
        "        written = await self._writer.commit(items, [move], new=new)",
        "        written = await self._writer.commit(items, [move], new=True)",
        (f"{NOTICES}::test_history_tells_nobody",),
    ),
    Mutant(
        "what history brings a moment before its event is told",
        "index/store/sql/writes.py",
        "if announced or (new and shows_new):",
        "if new and shows_new:",
        (f"{NOTICES}::test_a_picture_of_this_moment_is_told_though_history_brings_it_first",),
    ),
    Mutant(
        "what was posted while the bot was away is told",
        "bot/sync/backfill.py",
        "Move(coverage, newest=end), new=True)",
        "Move(coverage, newest=end))",
        (f"{UNDELIVERABLE}::test_what_was_posted_while_the_bot_was_away_is_told",),
    ),
    Mutant(
        "what a watch is limited to is not told in a channel",
        "bot/text/watches.py",
        '    limits = "" if public else line_text',
        "    limits = line_text",
        (f"{NOTICES}::test_words_that_were_asked_for_are_not_told_of_channels",),
    ),
    Mutant(
        "a notice is named before it is sent",
        "bot/watches/deliveries.py",
        '                if any(id.endswith(f":{name}")',
        '                if any(id.endswith(":none")',
        (f"{UNDELIVERABLE}::test_a_notice_on_its_way_at_a_kill_is_sent_once",),
    ),
    Mutant(
        "a day has so many messages",
        "bot/watches/deliveries.py",
        "        if len(sent) >= most:\n",
        "        if False:\n",
        (f"{UNDELIVERABLE}::test_a_day_has_so_many_messages_and_the_last_one_says_so",),
    ),
    Mutant(
        "in quiet hours nothing is sent that was due before",
        "bot/watches/deliveries.py",
        "        if (later := choices.after_quiet(now)) > now:",
        "        if (later := now) > now:",
        (f"{UNDELIVERABLE}::test_in_quiet_hours_a_notice_waits_though_it_was_due",),
    ),
    Mutant(
        "quiet hours end on the clock of the time zone",
        "bot/watches/choices.py",
        "        ends = datetime.combine(day, time(end // 60, end % 60), here.tzinfo)",
        "        ends = datetime.combine(day, time(end // 60, end % 60), UTC)",
        (CHOICES,),
    ),
    Mutant(
        "a watch that can't be told stops",
        "bot/watches/owners.py",
        "        await self._writer.pause_watch(watch.id, reason)\n",
        "",
        (f"{UNDELIVERABLE}::test_who_takes_no_direct_messages_is_told_in_the_list",),
    ),
    Mutant(
        "a member has so many watches",
        "bot/watches/watches.py",
        "        if len(mine) >= self._limits.watches_of_member:",
        "        if False:",
        (f"{COMMANDS}::test_a_member_and_a_server_have_so_many_and_are_told",),
    ),
    Mutant(
        "only one's own watches are changed",
        "bot/watches/watches.py",
        "        if watch is None or (watch.space, watch.owner) != (space, owner):",
        "        if watch is None:",
        (f"{COMMANDS}::test_only_ones_own_watches_are_offered_and_changed",),
    ),
    Mutant(
        "erasing what is kept about a member erases their watches",
        "index/store/sql/writes.py",
        '            for table in ("searches", "watches", "tellings"):',
        '            for table in ("searches", "tellings"):',
        (f"{PRIVACY}::test_erasing_ends_all_watches_and_what_waits_is_not_told",),
    ),
    Mutant(
        "words are judged when they were read",
        "index/store/sql/transcripts.py",
        "            await words_were_read(db, item)\n",
        "",
        (f"{WORDS}::test_exact_words_are_told_of_when_they_were_read_and_once",),
    ),
    Mutant(
        "what a watch doesn't want brings no notice",
        "index/watches/judging.py",
        "            frame @ part > spread.mean + MOST_UNWANTED * spread.deviation",
        "            False",
        (f"{SCREENING}::test_a_picture_that_shows_what_is_unwanted_fits_no_watch",),
    ),
    Mutant(
        "of a few pictures none stands out for a watch",
        "index/watches/judging.py",
        "        if len(sample) < FEWEST_TO_JUDGE:",
        "        if False:",
        (f"{SCREENING}::test_of_a_few_pictures_none_stands_out",),
    ),
    Mutant(
        "a pass over all watches finds what each would find",
        "index/watches/screening.py",
        "odds[parts] = np.maximum(odds[parts], self._odds(without, left, none, parts))",
        "pass",
        (f"{SCREENING}::test_the_odds_of_all_watches_are_those_that_an_answer_finds",),
    ),
    Mutant(
        "a notice that Discord refuses is not tried for ever",
        "bot/watches/deliveries.py",
        "        return times >= MOST_TRIES or",
        "        return",
        (f"{UNDELIVERABLE}::test_what_discord_refuses_for_good_is_tried_a_few_times_and_told",),
    ),
    Mutant(
        "a refusal that ends keeps no notice back",
        "bot/watches/deliveries.py",
        "MOST_TRIES = 3",
        "MOST_TRIES = 1",
        (f"{UNDELIVERABLE}::test_a_refusal_that_ends_keeps_no_notice_back",),
    ),
    Mutant(
        "words that AutoMod forbids are sent once",
        "bot/watches/deliveries.py",
        "    if error.code in BLOCKED_BY_AUTOMOD:\n        return reasons.REFUSED\n",
        "",
        (f"{UNDELIVERABLE}::test_words_that_automod_forbids_are_sent_once",),
    ),
    Mutant(
        "a message to a deleted account is not looked for for ever",
        "bot/watches/deliveries.py",
        "NOWHERE_TO_LOOK = (UNKNOWN_CHANNEL, UNKNOWN_USER, ",
        "NOWHERE_TO_LOOK = (UNKNOWN_CHANNEL, ",
        (f"{UNDELIVERABLE}::test_a_message_that_can_not_be_looked_for_is_not_looked_for_for_ever",),
    ),
    Mutant(
        "a deleted account is one that has left",
        "bot/watches/owners.py",
        "            if error.code not in (UNKNOWN_MEMBER, UNKNOWN_USER):",
        "            if error.code != UNKNOWN_MEMBER:",
        (f"{UNDELIVERABLE}::test_a_deleted_account_holds_up_nobody_and_is_forgotten",),
    ),
    Mutant(
        "what Discord doesn't tell of one member holds up no others",
        "bot/watches/judge.py",
        "                if not is_rejection(error):\n                    raise\n",
        "                raise\n",
        (f"{UNDELIVERABLE}::test_a_member_of_whom_discord_tells_nothing_holds_up_nobody",),
    ),
    Mutant(
        "the watches of a member who left are erased",
        "bot/watches/owners.py",
        "                await self.member(guild, owner)\n",
        "                pass\n",
        (f"{UNDELIVERABLE}::test_a_member_who_has_left_is_forgotten_though_nothing_comes",),
    ),
    Mutant(
        "a new watch has no new day",
        "index/store/sql/watches.py",
        '"SELECT at FROM tellings WHERE space = ? AND owner = ? AND at >= ? ORDER BY at",',
        '"SELECT sent_at FROM notices JOIN watches ON watches.id = watch "\n'
        '            "WHERE space = ? AND owner = ? AND sent_at >= ?",',
        (f"{UNDELIVERABLE}::test_a_new_watch_has_no_new_day",),
    ),
    Mutant(
        "erasing what is kept about a member erases when they were told",
        "index/store/sql/writes.py",
        '            for table in ("searches", "watches", "tellings"):',
        '            for table in ("searches", "watches"):',
        (f"{PRIVACY}::test_when_a_member_was_told_is_theirs_to_see_and_to_erase",),
    ),
    Mutant(
        "the same watch is not added twice",
        "bot/watches/watches.py",
        "            await self._check_new(watch)\n",
        "",
        (f"{COMMANDS}::test_the_same_watch_is_not_added_twice",),
    ),
    Mutant(
        "hours of noon and midnight are read as a clock of twelve hours counts them",
        "bot/watches/choices.py",
        '        hours = hours % 12 + 12 * (unit == "pm")',
        '        hours = hours + 12 * (unit == "pm")',
        (f"{CHOICES}::test_hours_are_read_as_people_write_them",),
    ),
    Mutant(
        "an offset from UTC has its sign",
        "bot/watches/zones.py",
        """    return f"Etc/GMT{'-' if sign == '+' else '+'}{hours}\"""",
        '    return f"Etc/GMT{sign}{hours}"',
        (f"{CHOICES}::test_zones_are_known_by_the_names_that_people_use",),
    ),
    Mutant(
        "a time zone that nothing uses is not ignored silently",
        "bot/text/watches.py",
        '    unused = zone_unused(unused_zone) if unused_zone else ""',
        '    unused = ""',
        (f"{COMMANDS}::test_a_zone_is_read_as_people_say_it_and_is_not_ignored",),
    ),
    Mutant(
        "notices may go to an archived thread",
        "bot/commands/options.py",
        "                place = await value.fetch()\n",
        "                pass\n",
        (f"{COMMANDS}::test_notices_may_go_to_a_thread_that_is_archived",),
    ),
    Mutant(
        "a locked thread is refused",
        "bot/watches/deliveries.py",
        "    is_open = not place.locked or granted.manage_threads",
        "    is_open = True",
        (f"{COMMANDS}::test_a_thread_that_is_locked_or_not_seen_is_refused",),
    ),
    Mutant(
        "every answer says that watches have stopped",
        "bot/commands/watch.py",
        '        content = f"{said}\\n{stopped}" if stopped else said',
        "        content = said",
        (f"{COMMANDS}::test_every_answer_says_that_watches_have_stopped",),
    ),
    Mutant(
        "who watches with a picture is told that another model has taken over",
        "bot/watches/judge.py",
        "                await self._owners.stop(watch, reasons.OTHER_MODEL)",
        "                await self._writer.pause_watch(watch.id, reasons.OTHER_MODEL)",
        (f"{OTHER_MODEL}::test_words_are_read_anew_and_a_picture_is_asked_for",),
    ),
    Mutant(
        "work in the background that failed is tried again",
        "bot/sync/worker.py",
        "        except Exception:\n            log.exception",
        "        except ZeroDivisionError:\n            log.exception",
        ("tests/bot/sync/test_worker.py::test_what_failed_is_tried_again",),
    ),
    Mutant(
        "chaos finds what was told to who could not read it",
        "checks/chaos/notices.py",
        "            if allowed is not None and sight not in allowed:",
        "            if False:",
        (f"{CHAOS}::test_what_watches_tell_is_judged",),
    ),
    Mutant(
        "chaos finds what no watch told",
        "checks/chaos/notices.py",
        "            if key not in self.told[member] | waits",
        "            if False",
        (f"{CHAOS}::test_what_watches_tell_is_judged",),
    ),
    Mutant(
        "a notice is in the language of its member",
        "bot/watches/deliveries.py",
        "if place is not None else choices.locale\n",
        "if place is not None else str(guild.preferred_locale)\n",
        (f"{NOTICES}::test_a_notice_is_in_the_language_of_its_member",),
    ),
)
