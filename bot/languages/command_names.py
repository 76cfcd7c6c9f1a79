"""Names and descriptions of commands in all languages, for `CommandTree.set_translator`."""

from __future__ import annotations

from discord import Locale, app_commands
from discord.app_commands import TranslationContextTypes, locale_str

from bot.languages.speech import ENGLISH, language_of, said, speaking


class CommandNames(app_commands.Translator):
    """Says what was `marked` in the languages that Magpie speaks."""

    async def translate(
        self, string: locale_str, locale: Locale, context: TranslationContextTypes
    ) -> str | None:
        """None where Discord shall show the English text."""
        if language_of(locale) == ENGLISH:  # of three in four of Discord's locales, at each start
            return None
        with speaking(locale):
            translation = said(string.message)
        return None if translation == string.message else translation
