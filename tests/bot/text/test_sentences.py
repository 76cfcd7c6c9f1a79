"""The sentences for errors."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from discord import app_commands

import index
from bot.languages.extraction import messages
from bot.media import download
from bot.platform.refusal import Refusal
from bot.text import answers as answer_text
from bot.text import errors as error_text
from bot.text import pieces
from index.types.errors import MoveRefused

SECRET = Path("/srv/secret/magpie.db")
EXPECTED: list[BaseException] = [
    index.EmptyQuery(),
    index.ModelChanged(),
    index.LinkGone(3),
    index.GalleryClosed(),
    index.PictureGivenUp("a worker ended", 3),
    index.Unreadable("form:ana dog", 0, 4, "No part is called “form:”.", "from:ana dog"),
    index.PictureTooLarge(10**9, 10**8, "pixels"),
    index.PictureTooHeavy(2 * 2**30),
    index.NotAPicture("a web page"),
    index.PictureUnsupported("an SVG drawing"),
    index.PictureBroken("it ends too early"),
    index.PictureTooSlow(10),
    download.NotDiscords("https://example.org/a.png"),
    download.LinkExpired(404),
    download.DownloadTooLarge(2**30, 2**25),
    download.DownloadFailed("the server said no"),
    app_commands.NoPrivateMessage(),
    app_commands.MissingPermissions(["manage_guild"]),
    app_commands.BotMissingPermissions(["embed_links", "attach_files"]),
    app_commands.CheckFailure(),
    app_commands.CommandNotFound("find", []),
    Refusal(answer_text.search_expired),
    TimeoutError(),
]
FOR_THE_OPERATOR: list[BaseException] = [
    index.ModelNotFound("some/model"),
    index.ModelUnreachable("some/model", "no network"),
    index.ModelTooLarge("some/model", 10**10, 10**9),
    index.ModelUnusable("some/model", "it is damaged"),
    index.StoreLocked(SECRET),
    index.StoreCorrupt(SECRET, "no magic"),
    index.StoreTooNew(SECRET, 9, 1),
    index.ClaimRefused(str(SECRET), 1, 2, "model.secret"),
    index.StoreFull(SECRET),
    index.StoreUnreachable(SECRET, "permission denied"),
    index.ModelMismatch(SECRET, "a", "b"),
    index.DecoderUnusable("permission denied"),
    index.OCRUnusable("permission denied"),
    index.JobsUnreachable(str(SECRET), "connection refused"),
    MoveRefused(SECRET, "it is another gallery"),
    ZeroDivisionError("secret"),
    discord.ClientException("secret"),
]


def discords(status: int, code: int) -> discord.HTTPException:
    response: Any = SimpleNamespace(status=status, reason="secret")
    kind = discord.NotFound if status == 404 else discord.HTTPException
    return kind(response, {"code": code, "message": "secret"})


@pytest.mark.parametrize("error", EXPECTED, ids=lambda error: type(error).__name__)
def test_each_expected_error_has_a_calm_sentence(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    said = error_text.sentence(error)
    assert said[0].isupper()
    assert said.endswith(".")
    assert not set("!/") & set(said.replace("`/find`", ""))
    assert "reference" not in said
    assert caplog.records == []


@pytest.mark.parametrize("error", FOR_THE_OPERATOR, ids=lambda error: type(error).__name__)
def test_error_that_only_the_operator_can_mend_is_logged_under_the_reference_in_its_sentence(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    said = error_text.sentence(error)
    assert "secret" not in said
    assert "model" not in said
    reference = said.split("`")[1]
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert reference in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_a_full_disk_and_a_file_in_use_have_sentences() -> None:
    assert error_text.sentence(index.StoreFull(SECRET)).startswith(error_text.disk_full())
    assert error_text.sentence(index.StoreLocked(SECRET)).startswith(error_text.file_in_use())


def test_no_error_of_the_gallery_or_a_download_was_forgotten() -> None:
    known = {type(error) for error in EXPECTED + FOR_THE_OPERATOR}
    for base in (index.GalleryError, download.DownloadError):
        assert {kind for kind in leaves(base) if kind.__module__.startswith(("index", "bot"))} <= (
            known
        )


def leaves(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    below = kind.__subclasses__()
    if not below:
        yield kind
    for each in below:
        yield from leaves(each)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (discords(403, 50001), error_text.not_permitted()),
        (discords(403, 50013), error_text.not_permitted()),
        (discords(404, 10008), answer_text.picture_unavailable()),
        (discords(404, 10003), answer_text.picture_unavailable()),
        (discords(503, 0), error_text.discord_trouble()),
        (discords(429, 0), error_text.discord_trouble()),
    ],
)
def test_discords_own_errors_have_sentences(error: discord.HTTPException, said: str) -> None:
    assert error_text.sentence(error) == said


def test_an_error_within_a_command_has_its_own_sentence() -> None:
    command: Any = SimpleNamespace(name="find")
    wrapped = app_commands.CommandInvokeError(command, index.EmptyQuery())
    assert error_text.sentence(wrapped) == answer_text.ask_something()


def test_permissions_are_named_as_in_discords_settings() -> None:
    said = error_text.sentence(app_commands.MissingPermissions(["manage_guild"]))
    assert said == "You need the permission Manage Server for that."
    said = error_text.sentence(app_commands.BotMissingPermissions(["read_messages", "embed_links"]))
    assert said == "I need the permissions View Channel and Embed Links here for that."


# The rules of Discord's markdown that a text of strangers may not start.
GRAMMAR = {
    "masked link": r"\[[^\]]+\]\([^)]+\)",
    "link": r"[a-z]+://\S",
    "invite": r"discord(?:\.gg|(?:app)?\.com/invite)/\w",
    "mention, emoji, time or command": r"<[^>]+>",
    "everyone": r"@(?:everyone|here)\b",
    "emoji by name": r":\w+:",
    "emphasis or underline": r"(\*+|_+)\S.*?\1",
    "strike or spoiler": r"(~~|\|\|).+?\1",
    "code": r"`[^`]+`",
    "heading, quote, list or small print": r"^\s*(?:#{1,3}|>{1,3}|[-*+]|\d+\.|-#)\s",
}
ESCAPED = re.compile(r"\\[^0-9A-Za-z\s]")  # shown as the mark itself
FRAGMENTS = [
    *"\\`*_~|<>[]()#:@/-+.!&1 aé\n",
    *("[a](https://e.example)", "https://a.example/x", "discord.gg/abc", "steam://x", "http://"),
    *("<@123456789012345678>", "<#123456789012345678>", "<:a:123456789012345678>", "<t:1:R>"),
    *("</find:123456789012345678>", ":smile:", "@everyone", "@here", "||", "**", "```", "-# "),
]


@pytest.mark.parametrize("seed", range(20))
def test_a_strangers_text_starts_no_rule_of_discords_markdown(seed: int) -> None:
    random = Random(seed)
    for _ in range(100):
        written = "".join(random.choices(FRAGMENTS, k=random.randrange(1, 15)))
        said = pieces.quoted(written, limit=1000)
        left = ESCAPED.sub("\ue000", said)
        for rule, pattern in GRAMMAR.items():
            assert not re.search(pattern, left), f"{rule}: {written!r} became {said!r}"
        shown = re.sub(r"\\([^0-9A-Za-z\s])", r"\1", said).replace("\u200b", "")
        assert shown == " ".join(written.split())


def test_a_strangers_text_turns_no_other_text_around() -> None:
    assert pieces.quoted("gpj.\u202egod\u2066 \x1b[31m\x00x\ty") == r"gpj.god \[31mx y"


def test_a_members_text_neither_pings_nor_formats() -> None:
    asked = answer_text.asked("@everyone **dog** " + "x" * 300, picture=False)
    said = answer_text.heading(asked)
    assert "@everyone" not in said
    assert "**dog**" not in said
    assert len(said) < 250


def test_each_sentence_for_a_member_is_calm() -> None:
    said = [message.id for message in messages() if message.id]
    sentences = [form for one in said for form in ([one] if isinstance(one, str) else one)]
    assert len(sentences) > 400
    for sentence in sentences:
        assert "!" not in sentence
        assert len(sentence) < 500
