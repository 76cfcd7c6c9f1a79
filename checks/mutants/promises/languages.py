"""Promises about the languages in which Magpie speaks."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

SPOKEN = "tests/bot/ask/test_languages.py"
SPEECH = "tests/bot/languages/test_speech.py"
CATALOGUES = "tests/bot/languages/test_catalogues.py"
NOTES = "tests/bot/reposts/test_notes.py"
SENTENCES = "tests/index/types/test_sentences.py"

MUTANTS = (
    Mutant(
        "Japanese has no blank between sentences",
        "bot/languages/speech.py",
        'lambda text, one: _("{first} {second}").format(first=text, second=one)',
        'lambda text, one: f"{text} {one}"',
        (f"{SPEECH}::test_signs_between_parts_are_those_of_the_language",),
    ),
    Mutant(
        "a command is answered in the language of its asker",
        "bot/commands/tree.py",
        "        speak(interaction.locale)\n",
        "",
        (f"{SPOKEN}::test_an_answer_speaks_to_its_readers",),
    ),
    Mutant(
        "a click is answered in the language of who clicks",
        "bot/ask/respond.py",
        "        speak(interaction.locale)\n",
        "",
        (f"{SPOKEN}::test_an_answer_speaks_to_its_readers",),
    ),
    Mutant(
        "a form is answered in the language of who fills it in",
        "bot/commands/controls.py",
        "    speak(interaction.locale)\n",
        "",
        (f"{SPOKEN}::test_an_answer_speaks_to_its_readers",),
    ),
    Mutant(
        "a public answer speaks the language of the server",
        "bot/ask/respond.py",
        "_of_server(interaction) if public else interaction.locale",
        "interaction.locale",
        (f"{SPOKEN}::test_an_answer_speaks_to_its_readers",),
    ),
    Mutant(
        "why a public answer fails is told in the language of the asker",
        "bot/ask/respond.py",
        "        with speaking(self.locale if announced else asked.locale):",
        "        with speaking(self.locale):",
        (f"{SPOKEN}::test_an_answer_speaks_to_its_readers",),
    ),
    Mutant(
        "a message is answered in the language of the server",
        "bot/ask/messages.py",
        "        with speaking(message.guild.preferred_locale):",
        '        with speaking("en"):',
        (f"{SPOKEN}::test_an_answer_speaks_to_its_readers",),
    ),
    Mutant(
        "the progress of a job speaks the language of the server",
        "bot/reindex/progress_message.py",
        "        with speaking(self._of_server):\n",
        "        with speaking(ENGLISH):\n",
        (f"{SPOKEN}::test_the_progress_of_a_job_speaks_to_its_readers",),
    ),
    Mutant(
        "a note speaks the language of the server",
        "bot/reposts/notes.py",
        "            with speaking(channel.guild.preferred_locale):",
        '            with speaking("en"):',
        (f"{NOTES}::test_a_note_speaks_the_language_of_the_server",),
    ),
    Mutant(
        "a sentence names a command as the reader's Discord shows it",
        "bot/text/pieces.py",
        "    typed = [_(word) for word in name.split()]",
        "    typed = name.split()",
        (f"{SPEECH}::test_a_sentence_names_a_command_as_discord_shows_it",),
    ),
    Mutant(
        "commands are sent again when a translation changes",
        "bot/commands/registration.py",
        "[await command.get_translated_payload(tree, translator) for command in commands]",
        "[command.to_dict(tree) for command in commands]",
        ("tests/bot/commands/test_registration.py",),
    ),
    Mutant(
        "the log is English, whatever language is spoken",
        "bot/platform/refusal.py",
        "        with speaking(ENGLISH):\n            return self.sentence()",
        "        return self.sentence()",
        (f"{SPEECH}::test_an_error_of_the_index_is_said_to_members_and_is_english_in_the_log",),
    ),
    Mutant(
        "each sentence is in each catalogue",
        "bot/text/answers.py",
        '_("I found nothing to show here.")',
        '_("I found nothing that I could show here.")',
        (f"{CATALOGUES}::test_a_catalogue_has_the_sentences_of_the_source",),
    ),
    Mutant(
        "no sentence is said without a translation",
        "bot/text/answers.py",
        '_("I found nothing to show here.")',
        '"I found nothing to show here."',
        (f"{CATALOGUES}::test_no_sentence_for_members_escapes",),
    ),
    Mutant(
        "a template of a decoder process reaches nothing but its values",
        "index/types/sentences.py",
        "    return _NAME.sub(lambda name: written(values[name[1]]), template)",
        "    return template.format(**values)",
        (f"{SENTENCES}::test_a_hostile_template_reaches_nothing",),
    ),
    Mutant(
        "joining words and “posted before?” are read in each language of Magpie",
        "bot/ask/phrases.py",
        "dict.fromkeys((language, ENGLISH))",
        "dict.fromkeys((ENGLISH,))",
        (
            "tests/bot/ask/test_mentions.py",
            "tests/bot/ask/test_posted_before.py::test_it_is_asked_in_each_language_of_magpie",
        ),
    ),
    Mutant(
        "a message is read in the language of its server",
        "bot/ask/messages.py",
        "            if (asked := mentions.read(message, message.guild.me)) is not None:\n"
        "                await self._reply(message, asked, came_at)",
        "            asked = mentions.read(message, message.guild.me)\n"
        "        if asked is not None:\n"
        "            await self._reply(message, asked, came_at)",
        ("tests/bot/ask/test_languages.py::test_an_answer_speaks_to_its_readers",),
    ),
)
