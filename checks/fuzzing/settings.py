"""Environments and `.env` files of any content."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from bot.ops import settings
from bot.ops.settings import DEFAULTS, SettingsError
from checks.fuzzing import texts
from checks.fuzzing.target import Unsound

SECRET = "MTQ1NjI1NTYzNzkxMzYwMDAwMg.hunter2.hunter2"
LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class Written:
    environment: dict[str, str]
    dotenv: bytes | None


class AllSettings:
    """Reading gives settings, or a sentence for each problem; the token is in none of them."""

    limit_s = LIMIT_S
    memory_bytes = None

    def __init__(self, folder: Path) -> None:
        self._dotenv = folder / ".env"

    def make(self, rng: random.Random) -> Written:
        environment = {_name(rng): _value(rng) for _ in range(rng.randrange(6))}
        if rng.random() < 0.7:
            quotes = rng.choice(("", "", '"', "'", "Bot ", " "))
            environment["DISCORD_TOKEN"] = quotes + SECRET + quotes
        return Written(environment, _dotenv(rng) if rng.random() < 0.5 else None)

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
            raise Unsound("the token is shown")
        return "refused" if "\n" in told or not told.startswith("Settings(") else "read"

    def kept(self, subject: Written) -> bytes:
        return repr(subject).encode(errors="backslashreplace")

    def close(self) -> None: ...


def _name(rng: random.Random) -> str:
    known = rng.choice([*DEFAULTS, "MAGPIE_", "DISCORD_", "MAGPIE_MODLE", "PATH"])
    if known == "DISCORD_TOKEN":
        known = "MAGPIE_DB"
    return known if rng.random() < 0.9 else known + texts.text(rng, 30)


def _value(rng: random.Random) -> str:
    way = rng.random()
    if way < 0.3:
        return texts.url(rng)
    if way < 0.5:
        return f"{rng.choice(texts.HOSTS)}:{rng.choice(texts.NUMBERS)}"
    if way < 0.55:
        return str(rng.choice(texts.NUMBERS))
    if way < 0.6:
        return rng.choice(list(DEFAULTS.values()))
    return texts.text(rng, rng.choice((100, 5000)))


def _dotenv(rng: random.Random) -> bytes:
    lines = []
    for _ in range(rng.randrange(8)):
        quote = rng.choice(("", "", '"', "'", '"""', "`"))
        blank = rng.choice(("", " ", "export ", "#"))
        between = rng.choice(("=", " = ", ""))
        lines.append(f"{blank}{_name(rng)}{between}{quote}{_value(rng)}{quote}")
    data = "\n".join(lines).encode(errors="surrogatepass")
    if rng.random() < 0.2:
        at = rng.randrange(len(data) + 1)
        data = data[:at] + rng.randbytes(8) + data[at:]
    return data
