"""What is kept about members, and how it is erased."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

ANSWERS = "tests/bot/ask/test_answers.py"
PRIVACY = "tests/bot/commands/test_privacy.py"
ERASED_STAYS = "tests/bot/sync/test_erased_stays_erased.py"
ERASED_FILES = "tests/index/store/sqlite/test_erasure.py"
WRITER = "tests/bot/sync/test_writer.py"
LAST_LOOK = "tests/bot/ask/test_last_look.py"

MUTANTS = (
    Mutant(
        "a picture older than the server keeps it leaves an answer that is under way",
        "bot/sync/writer.py",
        "            if as_of < number and link.posted_at < posted_before:",
        "            if False:",
        (WRITER, f"{LAST_LOOK}::test_a_picture_that_the_server_no_longer_keeps_is_not_shown"),
    ),
    Mutant(
        "a picture that was read after an erasure of old ones is kept",
        "bot/sync/writer.py",
        "            if as_of < number and link.posted_at < posted_before:",
        "            if link.posted_at < posted_before:",
        (WRITER,),
    ),
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
        "index/store/sql/statements.py",
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
        "bot/sync/erasure.py",
        "        erased = await self.erase_older(guild_id)",
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
    Mutant(
        "a question on its way is erased with the others",
        "bot/sync/writer.py",
        "        if asked_at <= self._questions_erased.get((space, owner), -math.inf):",
        "        if asked_at <= -math.inf:",
        ("tests/bot/commands/test_privacy.py",),
    ),
    Mutant(
        "an opt-in lets nothing back that was erased",
        "bot/commands/privacy.py",
        "        after = -math.inf if earlier else interaction.created_at.timestamp()",
        "        after = -math.inf",
        ("tests/bot/sync/test_erased_stays_erased.py",),
    ),
    Mutant(
        "a later erasure covers an earlier one",
        "index/store/sql/writes.py",
        "                WHERE excluded.upto > left_out.upto",
        "                WHERE 1 = 1",
        ("tests/index/store/test_bookkeeping.py",),
    ),
    Mutant(
        "opt-outs of earlier versions hold",
        "index/store/sqlite/migrations.py",
        '        "INSERT INTO left_out SELECT space, owner, 9e999 FROM opted_out",\n',
        "",
        ("tests/index/store/sqlite/test_migrations.py",),
    ),
    Mutant(
        "what is wished is forgotten with its server",
        "bot/sync/erasure.py",
        "        self._left_out.drop_guild(guild_id)",
        "        pass",
        ("tests/bot/sync/test_erased_stays_erased.py",),
    ),
)
