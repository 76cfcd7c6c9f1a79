"""Environments and `.env` files that nobody would write on purpose."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from bench.hostile import words
from bench.hostile.trial import Unsound
from bot.ops import settings
from bot.ops.settings import DEFAULTS, SettingsError

SECRET = "MTQ1NjI1NTYzNzkxMzYwMDAwMg.hunter2.hunter2"
LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Written:
    environment: dict[str, str]
    dotenv: bytes | None


class AllSettings:
    """Either settings, or every problem in a sentence, the token in none of them."""

    limit_s = LIMIT_S
    memory_bytes = None

    def __init__(self, folder: Path) -> None:
        self._dotenv = folder / ".env"

    def make(self, chance: random.Random) -> Written:
        environment = {_name(chance): _value(chance) for _ in range(chance.randrange(6))}
        if chance.random() < 0.7:
            quotes = chance.choice(("", "", '"', "'", "Bot ", " "))
            environment["DISCORD_TOKEN"] = quotes + SECRET + quotes
        return Written(environment, _dotenv(chance) if chance.random() < 0.5 else None)

    def run(self, subject: Written) -> str:
        if subject.dotenv is not None:
            self._dotenv.write_bytes(subject.dotenv)
        try:
            read = settings.read(subject.environment, self._dotenv if subject.dotenv else None)
        except SettingsError as refusal:
            if not refusal.problems or not all(refusal.problems):
                raise Unsound("a refusal without a reason") from refusal
            told = "\n".join(refusal.problems)
        else:
            told = repr(read)
        if "hunter2" in told:
            raise Unsound("the token is told")
        return "refused" if "\n" in told or not told.startswith("Settings(") else "read"

    def kept(self, subject: Written) -> bytes:
        return repr(subject).encode(errors="backslashreplace")

    def close(self) -> None: ...


def _name(chance: random.Random) -> str:
    known = chance.choice([*DEFAULTS, "MAGPIE_", "DISCORD_", "MAGPIE_MODLE", "PATH"])
    if known == "DISCORD_TOKEN":
        known = "MAGPIE_DB"
    return known if chance.random() < 0.9 else known + words.text(chance, 30)


def _value(chance: random.Random) -> str:
    way = chance.random()
    if way < 0.3:
        return words.url(chance)
    if way < 0.5:
        return f"{chance.choice(words.HOSTS)}:{chance.choice(words.NUMBERS)}"
    if way < 0.55:
        return str(chance.choice(words.NUMBERS))
    if way < 0.6:
        return chance.choice(list(DEFAULTS.values()))
    return words.text(chance, chance.choice((100, 5000)))


def _dotenv(chance: random.Random) -> bytes:
    lines = []
    for _ in range(chance.randrange(8)):
        quote = chance.choice(("", "", '"', "'", '"""', "`"))
        blank = chance.choice(("", " ", "export ", "#"))
        between = chance.choice(("=", " = ", ""))
        lines.append(f"{blank}{_name(chance)}{between}{quote}{_value(chance)}{quote}")
    data = "\n".join(lines).encode(errors="surrogatepass")
    if chance.random() < 0.2:
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.randbytes(8) + data[at:]
    return data
