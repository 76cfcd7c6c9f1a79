"""Environment and `.env` → one frozen dataclass. All of it is checked before the bot starts."""

from __future__ import annotations

import base64
import binascii
import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

from bot.platform import shards
from bot.platform.shards import Shards
from index import ClipLimits, Precision, fault_of, is_address, shown

DISCORD = "https://discord.com"
_NOWHERE: str | Path = Path()  # instead of a gallery, while the problems are collected
DEFAULTS = {
    "DISCORD_TOKEN": "",
    "DISCORD_API": DISCORD,
    "MAGPIE_DB": "data/magpie.db",
    "MAGPIE_MODEL": "openai/clip-vit-base-patch32",
    "MAGPIE_DEVICE": "auto",
    "MAGPIE_PRECISION": "auto",
    "MAGPIE_OCR": "auto",
    "MAGPIE_WORKERS": "",
    "MAGPIE_SHARDS": "",
    "MAGPIE_HTTP": "127.0.0.1:8080",
    "MAGPIE_QUESTIONS": "30",
    "MAGPIE_VIDEO_MB": "32",
    "MAGPIE_VIDEO_SECONDS": "60",
    "MAGPIE_LOG": "info",
}
TEST_SETTINGS = frozenset({"DISCORD_OPENAPI"})  # the path of Discord's published schema
DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS: tuple[Precision, ...] = ("auto", "exact", "default", "fast")
MAX_VIDEO_MB, MAX_VIDEO_S = 1_000, 600
OCR = ("auto", "on", "off")
LOG_LEVELS = ("debug", "info", "warning", "error")

_NUMBERED_DEVICE = re.compile(r"cuda:\d+")
_USER_AND_PASSWORD = re.compile(r"://.*@", re.DOTALL)  # in an address
_HOST = r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:/\[\]]+))"
_HOST_AND_PORT = re.compile(_HOST + r":(?P<port>[0-9]{1,9})")


T = TypeVar("T")


class SettingsError(Exception):
    """The settings are wrong; `problems` has a sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Address:
    """Where the health and metrics server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings. `repr` leaves out what is secret.

    db      a file, or the address of a database with its password
    folder  of the bot's own files where the gallery is in a database; else they are beside its file
    """

    token: str = field(repr=False)
    api: str = DISCORD  # the origin, without a slash at the end
    db: str | Path = field(default=Path(DEFAULTS["MAGPIE_DB"]), repr=False)
    folder: Path = Path(DEFAULTS["MAGPIE_DB"]).parent
    model: str = DEFAULTS["MAGPIE_MODEL"]
    device: str = "auto"
    precision: Precision = "auto"
    ocr: str = "auto"
    # The database through which workers embed; "": this process does. It may hold a password.
    workers: str = field(default="", repr=False)
    shards: Shards = field(default_factory=Shards)  # which of them this process serves
    http: Address | None = Address("127.0.0.1", 8080)
    questions: int = 30  # a member may ask in a minute; 0: any number
    videos: ClipLimits = field(default_factory=ClipLimits)  # of reading one
    log: str = "info"

    @property
    def redirected(self) -> bool:
        """Whether the bot uses a Discord-compatible server instead of Discord."""
        return self.api != DISCORD

    @property
    def gallery(self) -> str:
        """Where the gallery is, as the log may say it."""
        return shown(self.db)

    @property
    def beside(self) -> Path:
        """What the names of the bot's own files begin with: the gallery's file, or one of the same
        name where the gallery is in a database."""
        name = Path(DEFAULTS["MAGPIE_DB"]).name
        return self.db if isinstance(self.db, Path) else self.folder / name


def read(
    environment: Mapping[str, str], dotenv: Path | None = None, *, worker: bool = False
) -> Settings:
    """The settings; the environment wins over the file `dotenv`, where there is one.

    worker   for a worker, which needs no token, but the database in which its jobs are

    An empty value counts as not set, since a copied `.env.example` has lines such as `NAME=`.
    raises   SettingsError, with all problems at once
    """
    problems: list[str] = []
    values = _values(environment, dotenv, problems)

    def checked(name: str, check: Callable[[str], T], instead: T) -> T:
        try:
            return check(values[name].strip())
        except ValueError as problem:
            problems.append(f"{name}{_shown(name, values[name])}: {problem}")
            return instead

    api = checked("DISCORD_API", _api, DISCORD)
    token = "" if worker else checked("DISCORD_TOKEN", partial(_token, own=api == DISCORD), "")
    settings = Settings(
        token=token,
        api=api,
        db=checked("MAGPIE_DB", _database, _NOWHERE),
        model=values["MAGPIE_MODEL"].strip(),
        device=checked("MAGPIE_DEVICE", _device, ""),
        precision=checked("MAGPIE_PRECISION", _precision, "auto"),
        ocr=checked("MAGPIE_OCR", _ocr, ""),
        workers=checked("MAGPIE_WORKERS", partial(_workers, needed=worker), ""),
        shards=checked("MAGPIE_SHARDS", partial(_shards, values["MAGPIE_DB"]), Shards()),
        http=checked("MAGPIE_HTTP", _http, None),
        questions=checked("MAGPIE_QUESTIONS", _questions, 0),
        videos=ClipLimits(
            bytes=checked("MAGPIE_VIDEO_MB", _megabytes, 1) * 2**20,
            time_s=checked("MAGPIE_VIDEO_SECONDS", _seconds, 1),
        ),
        log=checked("MAGPIE_LOG", _log_level, ""),
    )
    if problems:
        raise SettingsError(problems)
    return settings


def http(environment: Mapping[str, str], dotenv: Path | None = None) -> Address | None:
    """MAGPIE_HTTP alone; mistakes in other settings don't matter.

    raises   SettingsError
    """
    value = _values(environment, dotenv, [])["MAGPIE_HTTP"]
    try:
        return _http(value.strip())
    except ValueError as problem:
        raise SettingsError([f"MAGPIE_HTTP={value}: {problem}"]) from problem


def _values(
    environment: Mapping[str, str], dotenv: Path | None, problems: list[str]
) -> dict[str, str]:
    values = dict(DEFAULTS)
    values.update(_from_file(dotenv, problems) if dotenv else {})
    values.update(_from_environment(environment, problems))
    return values


def _shown(name: str, value: str) -> str:
    """`=value`, unless there is none, or it is or may hold a secret."""
    if name == "DISCORD_TOKEN" or not value.strip():
        return ""
    if name == "MAGPIE_DB":
        return f"={shown(value)}"
    return f"={_USER_AND_PASSWORD.sub('://…@', value)}"


# ---- where the values come from


def _from_environment(environment: Mapping[str, str], problems: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in sorted(environment.items()):
        if name in DEFAULTS:
            if value.strip():
                found[name] = value
        elif name.startswith(("MAGPIE_", "DISCORD_")) and name not in TEST_SETTINGS:
            problems.append(_unknown(name, "the environment"))
    return found


def _from_file(path: Path, problems: list[str]) -> dict[str, str]:
    """The settings of a `.env` file. Names of other programs are ignored, misspelt ones are not."""
    found: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8") as file:
            bindings = list(parse_stream(file))
    except FileNotFoundError:
        return found
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path} can't be read: {error}.")
        return found
    for binding in bindings:
        if binding.error:
            problems.append(f"{path}, line {binding.original.line}: is not NAME=value.")
        elif binding.key in DEFAULTS:
            if binding.value and binding.value.strip():
                found[binding.key] = binding.value
        elif binding.key and binding.key not in TEST_SETTINGS and _looks_like_ours(binding.key):
            problems.append(_unknown(binding.key, str(path)))
    return found


def _looks_like_ours(name: str) -> bool:
    if name.startswith(("MAGPIE_", "DISCORD_")):
        return True
    return bool(difflib.get_close_matches(name.upper(), DEFAULTS, n=1, cutoff=0.85))


def _unknown(name: str, where: str) -> str:
    near = difflib.get_close_matches(name.upper(), DEFAULTS, n=1, cutoff=0.6)
    advice = f"did you mean {near[0]}?" if near else f"the settings are {', '.join(DEFAULTS)}."
    return f"{name}: there is no such setting (in {where}); {advice}"


# ---- the check of each value, which raises ValueError with a sentence


def _token(value: str, own: bool) -> str:
    """A bot token, which no message repeats. One of Discord's `own` is `<id>.<time>.<signature>`,
    with the id in base64.
    """
    if not value:
        raise ValueError(
            "is not set. Copy the bot's token from https://discord.com/developers/applications "
            "(your application, Bot, Reset Token)."
        )
    if value.lower().startswith(("bot ", "bearer ")):
        raise ValueError("give the token alone, without the word before it.")
    if value[0] in "\"'" or any(letter.isspace() for letter in value):
        raise ValueError("has quotes or spaces in it; give the token alone.")
    if not own:
        return value
    if value.isdigit():
        raise ValueError("is a number, perhaps the application's id; the token is under Bot.")
    parts = value.split(".")
    if len(parts) != 3 or not _is_an_id(parts[0]):
        raise ValueError(
            "does not look like a bot token (three parts with dots between); it is under Bot "
            "in the developer portal, not the client secret or the public key."
        )
    return value


def _is_an_id(part: str) -> bool:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).isdigit()
    except (binascii.Error, ValueError):
        return False


def _api(value: str) -> str:
    try:
        parts = urlsplit(value)
        told = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        told = None
    path = re.sub(r"^/api(/v\d+)?", "", parts.path.rstrip("/")) if told else ""
    if not told or parts.scheme not in ("http", "https") or path or parts.query:
        raise ValueError("must be an address such as http://127.0.0.1:8123.")
    assert parts.hostname is not None
    if parts.scheme == "http" and parts.hostname.endswith(("discord.com", "discordapp.com")):
        raise ValueError(f"would send the token unencrypted; Discord is {DISCORD}.")
    return f"{parts.scheme}://{parts.netloc}"


def _database(value: str) -> str | Path:
    if is_address(value):
        fault = fault_of(value)
        if fault:
            raise ValueError(fault)
        return value
    if "://" in value:
        raise ValueError(
            "is the address of something else; give a file, such as data/magpie.db, or a "
            "database, such as postgresql://magpie:PASSWORD@localhost/magpie."
        )
    try:
        path = Path(value).expanduser()
        is_folder = path.is_dir()
    except (RuntimeError, OSError) as error:  # an unknown home folder, or a name that is too long
        raise ValueError(f"can't be a file: {getattr(error, 'strerror', None) or error}") from error
    if "\0" in value:
        raise ValueError("can't be a file: there is a zero byte in its name.")
    if is_folder:
        raise ValueError(f"is a folder; give a file in it, such as {path / 'magpie.db'}.")
    return path


def _device(value: str) -> str:
    if value.lower() in DEVICES or _NUMBERED_DEVICE.fullmatch(value.lower()):
        return value.lower()
    raise ValueError(_one_of(value, DEVICES))


def _precision(value: str) -> Precision:
    for precision in PRECISIONS:
        if value.lower() == precision:
            return precision
    raise ValueError(_one_of(value, PRECISIONS))


def _ocr(value: str) -> str:
    if value.lower() in OCR:
        return value.lower()
    raise ValueError(_one_of(value, OCR))


def _workers(value: str, needed: bool) -> str:
    if not value:
        if needed:
            raise ValueError(
                "is not set. Give the database in which the bots put the jobs, such as "
                "postgresql://magpie@127.0.0.1/magpie."
            )
        return ""
    try:
        parts = urlsplit(value)
        told = parts.hostname and parts.port != 0
    except ValueError:
        told = None
    if not told or parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("must be a PostgreSQL database, such as postgresql://127.0.0.1/magpie.")
    return value


def _shards(db: str, value: str) -> Shards:
    """The shards of this process. Several processes need a gallery that they can share."""
    chosen = shards.parsed(value)
    if not chosen.whole and not is_address(db.strip()):
        raise ValueError(
            "the other shards run in other processes, and processes can't share a gallery in a "
            "file. Give a database with MAGPIE_DB=postgresql://…, or leave MAGPIE_SHARDS empty."
        )
    return chosen


def _http(value: str) -> Address | None:
    if value.lower() == "off":
        return None
    match = _HOST_AND_PORT.fullmatch(value)
    if match is None:
        raise ValueError("must be host:port, such as 127.0.0.1:8080, or off.")
    port = int(match["port"])
    if not 0 < port < 65536:
        raise ValueError("the port must be between 1 and 65535.")
    return Address(match["v6"] or match["host"], port)


def _questions(value: str) -> int:
    if not value.isdecimal() or len(value) > 6:
        raise ValueError("must be a whole number of questions a minute, such as 30, or 0.")
    return int(value)


def _megabytes(value: str) -> int:
    if not value.isdecimal() or not 0 < int(value[:9]) <= MAX_VIDEO_MB:
        raise ValueError(f"must be a whole number of megabytes from 1 to {MAX_VIDEO_MB}.")
    return int(value)


def _seconds(value: str) -> int:
    if not value.isdecimal() or not 0 < int(value[:9]) <= MAX_VIDEO_S:
        raise ValueError(f"must be a whole number of seconds from 1 to {MAX_VIDEO_S}.")
    return int(value)


def _log_level(value: str) -> str:
    if value.lower() in LOG_LEVELS:
        return value.lower()
    raise ValueError(_one_of(value, LOG_LEVELS))


def _one_of(value: str, allowed: Sequence[str]) -> str:
    near = difflib.get_close_matches(value.lower(), allowed, n=1, cutoff=0.5)
    advice = f"; did you mean {near[0]}?" if near else "."
    return f"must be {', '.join(allowed[:-1])} or {allowed[-1]}{advice}"
