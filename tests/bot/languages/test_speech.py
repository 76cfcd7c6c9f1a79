"""Sentences, counts, numbers and dates in the language of who reads them."""

from __future__ import annotations

import asyncio
from datetime import date
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.languages import speech
from bot.languages.speech import (
    _,
    both,
    day,
    either,
    joined,
    language_of,
    number,
    plural,
    said,
    speaking,
)
from bot.platform.refusal import Refusal
from bot.text import answers, channels, errors
from bot.text.pieces import command, duration, followed, headed
from index import NotAPicture, PictureTooLarge, Reader, Sentence, Unreadable, parse


def test_a_language_has_its_signs() -> None:
    with speaking("de"):
        assert number(1234.5, decimals=1) == "1.234,5"
        assert day(date(2024, 5, 3)) == "3. Mai 2024"
        assert both(["a", "b", "c"]) == "a, b und c"
        assert either(["a", "b"]) == "a oder b"
        assert plural("{n} picture", "{n} pictures", 1234) == "1.234 Bilder"
        assert duration(2 * 86_400) == "2 Tage"
    with speaking("ja"):
        assert day(date(2024, 5, 3)) == "2024年5月3日"
    assert number(1234.5, decimals=1) == "1,234.5"
    assert day(date(2024, 5, 3)) == "3 May 2024"
    assert both(["a", "b", "c"]) == "a, b and c"


def test_signs_between_parts_are_those_of_the_language() -> None:
    with speaking("fr"):
        assert headed("#pets", "3 images") == "#pets\u00a0: 3 images"
        assert followed("3 images", "une abîmée") == "3 images\u00a0; une abîmée"
    with speaking("ja"):
        assert joined("一つ。", "二つ。", "三つ。") == "一つ。二つ。三つ。"
    assert joined("One.", "Two.") == "One. Two."


def test_the_sentence_of_several_permissions_is_in_the_plural() -> None:
    channel: Any = SimpleNamespace(mention="<#1>")
    one, two = ["connect"], ["connect", "view_channel"]
    with speaking("de"):
        assert "fehlt die Berechtigung „Verbinden“." in channels.cannot_read(channel, one)
        both_missing = "fehlen die Berechtigungen „Verbinden“ und „Kanal ansehen“."
        assert both_missing in channels.cannot_read(channel, two)
    assert "Give it to my role" in channels.cannot_read(channel, one)
    assert "Give them to my role" in channels.cannot_read(channel, two)


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        (discord.Locale.latin_american_spanish, "es"),
        (discord.Locale.brazil_portuguese, "pt"),
        ("de", "de"),
        ("en-GB", "en"),
        ("ko", "en"),
        ("", "en"),
    ],
)
def test_each_locale_has_a_language(locale: discord.Locale | str, language: str) -> None:
    assert language_of(locale) == language


async def test_a_task_speaks_its_own_language() -> None:
    async def asked(locale: str) -> str:
        speech.speak(locale)
        await asyncio.sleep(0)
        return _("Cancel")

    german, english = await asyncio.gather(asked("de"), asked("en-US"))
    assert (german, english) == ("Abbrechen", "Cancel")
    assert speech.spoken() == "en"


def test_what_no_catalogue_has_is_said_in_english() -> None:
    with speaking("de"):
        assert _("no such sentence") == "no such sentence"
        assert plural("{n} such", "{n} suches", 2) == "2 suches"


# ── Sentences of the index, and refusals ─────────────────────────────────────────────────


def test_an_error_of_the_index_is_said_to_members_and_is_english_in_the_log() -> None:
    error = PictureTooLarge(2_500_000_000, 10**9, "pixels")
    with speaking("de"):
        assert errors.sentence(error).startswith("Dieses Bild hat 2.500 Megapixel;")
        page = NotAPicture(Sentence("a web page"))
        assert errors.sentence(page).startswith("Das ist eine Webseite, kein Bild.")
        assert str(error).startswith("This picture has 2,500 megapixels;")
        refusal = Refusal(answers.outage)
        assert errors.sentence(refusal).startswith("Discord hat hier einen Ausfall")
        assert str(refusal) == answers_in_english(refusal)
        assert "outage" in repr(refusal)


def answers_in_english(refusal: Refusal) -> str:
    with speaking("en-US"):
        return refusal.sentence()


def test_a_strangers_word_in_a_sentence_stays_as_it_is() -> None:
    """Even where the catalogue has it, as it has “find”."""
    with pytest.raises(Unreadable) as refused:
        parse("sort:find", Reader(discord.utils.utcnow()))
    with speaking("de"):
        assert said(refused.value.reason).startswith("„find“ ist nichts, was sort: kennt")


def test_a_sentence_names_a_command_as_discord_shows_it() -> None:
    with speaking("de"):
        assert command("channels add") == "`/kanäle hinzufügen`"
        assert command("find", show="everyone") == "`/finden sichtbar:alle`"
    assert command("privacy opt-in", earlier="True") == "`/privacy opt-in earlier:True`"
