"""The languages of Discord's clients, and commands as a person's client shows them in one."""

from __future__ import annotations

from typing import Any

ENGLISH = "en-US"
# https://docs.discord.com/developers/reference#locales
LOCALES = (
    *("id", "da", "de", "en-GB", ENGLISH, "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl"),
    *("no", "pl", "pt-BR", "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi"),
    *("th", "zh-CN", "ja", "zh-TW", "ko"),
)


def localized(node: dict[str, Any], locale: str) -> dict[str, Any]:
    """A command, an option or a choice with its name and description in one language beside the
    English ones, and the same for all that is in it."""
    shown = {key: value for key, value in node.items() if not key.endswith("_localizations")}
    for what in ("name", "description"):
        translated = (node.get(f"{what}_localizations") or {}).get(locale)
        if translated is not None:
            shown[f"{what}_localized"] = translated
    for inside in ("options", "choices"):
        if inside in node:
            shown[inside] = [localized(one, locale) for one in node[inside]]
    return shown
