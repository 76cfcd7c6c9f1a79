"""Which messages ask something."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from bot.ask import mentions
from bot.languages.speech import speaking
from tests.bot.offline import (
    BOT,
    GUILD,
    READ,
    attachment_payload,
    guild_of,
    message_of,
    message_payload,
)

PICTURE = attachment_payload(8000)
ME = f"<@{BOT}>"
BOT_ROLE = 5


@pytest.fixture
def guild() -> discord.Guild:
    return guild_of({GUILD: READ, BOT_ROLE: 0}, {10: {}})


def read(guild: discord.Guild, message: discord.Message) -> mentions.Mention | None:
    assert guild.me is not None
    return mentions.read(message, guild.me)


def reply(to: dict[str, Any]) -> dict[str, Any]:
    """The fields of a reply to `to`, with the ping that Discord adds by default."""
    return {
        "type": 19,
        "message_reference": {"type": 0, "message_id": to["id"], "channel_id": "10"},
        "referenced_message": to,
        "mentions": [to["author"]],
    }


MAGPIES = message_payload(10, author=BOT, content="Here you are", id=6000)
SOMEBODYS_PICTURE = message_payload(10, author=51, id=6001, attachments=[PICTURE])
SOMEBODYS_TEXT = message_payload(10, author=51, id=6002, content="hello")


def test_ordinary_chat_asks_nothing(guild: discord.Guild) -> None:
    assert read(guild, message_of(guild, 10, content="what a dog")) is None
    assert read(guild, message_of(guild, 10, attachments=[PICTURE])) is None


def test_a_text_reply_to_an_answer_is_ordinary_chat_though_it_pings(guild: discord.Guild) -> None:
    thanks = message_of(guild, 10, content="thank you", **reply(MAGPIES))
    assert BOT in [user.id for user in thanks.mentions]
    assert read(guild, thanks) is None


def test_a_reply_with_a_picture_to_an_answer_asks_with_that_picture(guild: discord.Guild) -> None:
    message = message_of(guild, 10, content="like so", attachments=[PICTURE], **reply(MAGPIES))
    assert read(guild, message) == mentions.Mention("like so", message)


def test_a_picture_in_reply_to_a_person_asks_nothing(guild: discord.Guild) -> None:
    message = message_of(guild, 10, attachments=[PICTURE], **reply(SOMEBODYS_TEXT))
    assert read(guild, message) is None


def test_a_reply_with_a_mention_asks_with_the_replied_picture_and_the_words(
    guild: discord.Guild,
) -> None:
    asked = read(
        guild, message_of(guild, 10, content=f"{ME} but at night", **reply(SOMEBODYS_PICTURE))
    )
    assert asked is not None
    assert asked.line == "at night"
    assert asked.pictured is not None
    assert asked.pictured.id == 6001


def test_an_own_picture_outweighs_the_one_replied_to(guild: discord.Guild) -> None:
    mine = attachment_payload(8001)
    message = message_of(guild, 10, content=ME, attachments=[mine], **reply(SOMEBODYS_PICTURE))
    assert read(guild, message) == mentions.Mention("", message)


def test_a_picture_with_a_mention_asks_with_it(guild: discord.Guild) -> None:
    message = message_of(guild, 10, content=f"in snow {ME}", attachments=[PICTURE])
    assert read(guild, message) == mentions.Mention("in snow", message)


def test_a_mention_with_words_asks_with_words(guild: discord.Guild) -> None:
    message = message_of(guild, 10, content=f"<@!{BOT}>  dog\nin snow", **reply(SOMEBODYS_TEXT))
    assert read(guild, message) == mentions.Mention("dog in snow")


def test_a_mention_of_the_bots_own_role_counts(guild: discord.Guild) -> None:
    role = guild.get_role(BOT_ROLE)
    assert role is not None
    tags: Any = {"bot_id": str(BOT)}
    role.tags = discord.RoleTags(tags)
    message = message_of(guild, 10, content=f"<@&{BOT_ROLE}> dog")
    assert read(guild, message) == mentions.Mention("dog")


def test_a_mention_alone_is_a_question_with_nothing_in_it(guild: discord.Guild) -> None:
    asked = read(guild, message_of(guild, 10, content=ME))
    assert asked is not None
    assert asked.empty
    assert not asked.link_only


def test_a_mention_with_only_a_link_is_recognised(guild: discord.Guild) -> None:
    asked = read(guild, message_of(guild, 10, content=f"{ME} https://example.org/dog.jpg"))
    assert asked is not None
    assert asked.empty
    assert asked.link_only


def test_bots_and_webhooks_ask_nothing(guild: discord.Guild) -> None:
    bot = {"id": "60", "username": "other", "discriminator": "0", "avatar": None, "bot": True}
    assert read(guild, message_of(guild, 10, content=f"{ME} dog", author_payload=bot)) is not None
    for more in ({"author": bot}, {"webhook_id": "61"}):
        payload = message_payload(10, content=f"{ME} dog") | more
        place: Any = guild.get_channel(10)
        message = discord.Message(state=guild._state, channel=place, data=payload)  # type: ignore[arg-type]
        assert read(guild, message) is None


def test_a_forward_of_an_answer_is_no_reply_to_it(guild: discord.Guild) -> None:
    forwarded = message_of(
        guild,
        10,
        message_reference={"type": 1, "message_id": "6000", "channel_id": "10"},
        message_snapshots=[{"message": MAGPIES | {"attachments": [PICTURE]}}],
    )
    assert read(guild, forwarded) is None


def test_a_reply_to_a_deleted_message_asks_with_its_words(guild: discord.Guild) -> None:
    gone = reply(SOMEBODYS_PICTURE) | {"referenced_message": None}
    message = message_of(guild, 10, content=f"{ME} dog", **gone)
    assert read(guild, message) == mentions.Mention("dog")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  dog \n in  snow ", "dog in snow"),
        ("<@123> with <#45> and <@&6>", "with and"),
        ("<@9> dog from:<@123> -in: <#45> <@7>", "dog from:<@123> -in: <#45>"),
        ("from:<@1>, <@!2> in <@3>, <@4>, dog", "from:<@1>, <@!2> in , dog"),
        ("12:<@9> or:dog <@!9>", "12: or:dog"),
        ("a <:red_panda:99> asleep <a:zzz:98>", "a red panda asleep zzz"),
        ("like <https://example.org/a.png> this", "like this"),
        ("犬 in schnee", "犬 in schnee"),
        ("3 < 4 @ home", "3 < 4 @ home"),
    ],
)
def test_a_line_leaves_out_links_and_the_mentions_that_name_nobody(text: str, said: str) -> None:
    assert mentions.line(text) == said


@pytest.mark.parametrize(
    ("locale", "said", "asked"),
    [
        ("de", "aber bei Nacht", "bei Nacht"),
        ("de", "aberwitzig", "aberwitzig"),
        ("fr", "mais la nuit", "la nuit"),
        ("es-ES", "pero de noche", "de noche"),
        ("pt-BR", "mas à noite", "à noite"),
        ("ja", "でも、夜", "夜"),
        ("ja", "but at night", "at night"),
        ("de", "nur", "nur"),
        ("en-GB", "aber bei Nacht", "aber bei Nacht"),
    ],
)
def test_joining_words_are_left_out_in_each_language_of_magpie(
    guild: discord.Guild, locale: str, said: str, asked: str
) -> None:
    message = message_of(guild, 10, content=f"{ME} {said}", **reply(SOMEBODYS_PICTURE))
    with speaking(locale):
        mention = read(guild, message)
    assert mention is not None
    assert mention.line == asked
