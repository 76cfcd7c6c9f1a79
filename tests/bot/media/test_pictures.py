"""Every way in which a message can show a picture, from Discord's own payloads."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from bot.media import pictures
from bot.media.pictures import Picture, is_picture
from tests.bot.offline import READ, attachment_payload, guild_of, message_of

CHANNEL = 10
SIGNED = "?ex=68aa&is=68a9&hm=abc"


@pytest.fixture(scope="module")
def guild() -> discord.Guild:
    return guild_of(roles={1: READ}, channels={CHANNEL: {}})


def shown(guild: discord.Guild, **payload: Any) -> list[Picture]:
    return pictures.from_message(message_of(guild, CHANNEL, **payload))


def cdn(attachment: int, name: str = "dog.png") -> str:
    return f"https://cdn.discordapp.com/attachments/10/{attachment}/{name}{SIGNED}"


def external(name: str) -> dict[str, Any]:
    return {
        "url": f"https://example.org/{name}",
        "proxy_url": f"https://images-ext-1.discordapp.net/external/x/https/example.org/{name}",
        "width": 10,
        "height": 10,
    }


def test_attachment(guild: discord.Guild) -> None:
    attachment = attachment_payload(5, description="Rex")
    (picture,) = shown(guild, author=77, attachments=[attachment])
    assert picture.slot == "a:5"
    assert picture.kind == "attachment"
    assert picture.filename == "dog.png"
    assert picture.title == "Rex"
    assert picture.author_id == 77
    assert picture.size == 1000
    assert picture.posted_at == discord.utils.snowflake_time(7000).timestamp()
    assert picture.urls == (attachment["url"], attachment["proxy_url"])
    assert not picture.spoiler


@pytest.mark.parametrize(
    ("content_type", "filename", "counts"),
    [
        ("image/png", "x", True),
        ("image/gif", "x.gif", True),
        ("image/svg+xml", "x.svg", False),
        ("video/mp4", "x.mp4", True),
        ("audio/ogg", "x.ogg", False),
        (None, "x.webm", True),
        ("text/plain", "x.png", False),
        ("application/octet-stream", "X.JPG", True),
        (None, "x.avif", True),
        (None, "x.zip", False),
        (None, "png", False),
    ],
)
def test_which_files_are_pictures(
    guild: discord.Guild, content_type: str | None, filename: str, counts: bool
) -> None:
    attachment = attachment_payload(5, filename, content_type=content_type)
    assert bool(shown(guild, attachments=[attachment])) == counts


def test_spoiler_by_flag_or_name(guild: discord.Guild) -> None:
    by_flag = attachment_payload(5, flags=8)
    by_name = attachment_payload(6, "SPOILER_dog.png")
    assert [p.spoiler for p in shown(guild, attachments=[by_flag, by_name])] == [True, True]


def test_embed_image_and_thumbnail_come_from_the_proxy(guild: discord.Guild) -> None:
    embed = {"type": "rich", "title": "T", "image": external("a.png")}
    image, thumbnail = shown(guild, embeds=[embed | {"thumbnail": external("b.png")}])
    assert image.kind == thumbnail.kind == "embed"
    assert image.urls[0].startswith("https://images-ext-1.discordapp.net/")
    assert image.title == "T"
    assert image.slot != thumbnail.slot


def test_unfurled_gallery_has_a_picture_an_embed(guild: discord.Guild) -> None:
    link = "https://example.org/post/1"
    embeds = [{"type": "rich", "url": link, "image": external(f"{n}.jpg")} for n in range(4)]
    assert len({p.slot for p in shown(guild, embeds=embeds)}) == 4


def test_of_a_video_that_discord_has_a_copy_of_both_are_one(guild: discord.Guild) -> None:
    """The video is read, and has the slot of its still, by which it was known before."""
    still = external("a.png")
    gifv = {"type": "gifv", "thumbnail": still, "video": external("a.mp4")}
    [picture] = shown(guild, embeds=[gifv])
    assert picture.video
    assert picture.filename == "a.mp4"
    assert picture.urls[0] == external("a.mp4")["proxy_url"]
    assert picture.poster[0] == still["proxy_url"]
    [before] = shown(guild, embeds=[{"type": "image", "thumbnail": still}])
    assert picture.slot == before.slot


def test_an_attached_video_has_a_poster_from_the_proxy(guild: discord.Guild) -> None:
    attachment = attachment_payload(5, "x.mp4", content_type="video/mp4")
    [picture] = shown(guild, attachments=[attachment])
    assert picture.video
    assert picture.urls == (attachment["url"],)
    assert picture.poster[0].startswith(attachment["proxy_url"])
    assert picture.poster[0].endswith("format=webp")


def test_of_videos_of_other_sites_only_the_still_counts(guild: discord.Guild) -> None:
    video = {"url": "https://example.org/a.mp4", "width": 1, "height": 1}
    gifv = {"type": "gifv", "thumbnail": external("a.png"), "video": video}
    assert [p.filename for p in shown(guild, embeds=[gifv])] == ["a.png"]
    bare = {"type": "video", "video": video, "thumbnail": external("a.mp4")}
    assert shown(guild, embeds=[bare]) == []


A, B = "https://example.org/a", "https://example.org/b"


@pytest.mark.parametrize(
    ("content", "embedded"),
    [
        (f"||{A}||", A),
        (f"look || {A} || there", A),
        (f"||look\nat {A}||", A),
        ("||https://youtu.be/abc||", "https://www.youtube.com/watch?v=abc"),
        (f"||{A}||", f"{A}||"),
        ("||https://example.org||", "https://example.org/"),
        ("||HTTPS://Example.ORG/a||", A),
        ("||https://example.org/bär||", "https://example.org/b%C3%A4r"),
        (f"||[look]({A})||", A),
        (f"||x|| ||{A}||", A),
        (f"{A} ||{B}||", A),
        (f"|||{A}|||", A),
        (f"`||` ||{A}||", A),
        (f"\\||x||{A}||", A),
        (f"**tic||tac** ||{A}||", A),
        (f"> a || b\n||{A}||", A),
        (f"- a || b\n- ||{A}||", A),
        (f"{B}|| ||{A}||", A),
        (f"||one|| {A} ||two||", A),
    ],
)
def test_with_a_link_in_spoiler_bars_each_embed_is_a_spoiler(
    guild: discord.Guild, content: str, embedded: str
) -> None:
    embed = {"type": "article", "url": embedded, "thumbnail": external("a.png")}
    image = {"type": "image", "url": B, "thumbnail": external("b.png")}
    found = shown(guild, content=content, embeds=[embed, image])
    assert [picture.spoiler for picture in found] == [True, True]


@pytest.mark.parametrize("content", [A, f"||secret|| {A}", f"{A} ||secret||", f"{A} || half"])
def test_a_link_outside_spoiler_bars_is_none(guild: discord.Guild, content: str) -> None:
    embed = {"type": "article", "url": A, "thumbnail": external("a.png")}
    assert not shown(guild, content=content, embeds=[embed])[0].spoiler


def test_forwarded_pictures_belong_to_the_forwarder(guild: discord.Guild) -> None:
    snapshot = {
        "type": 0,
        "content": "||https://example.org/b.png||",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "flags": 0,
        "mentions": [],
        "mention_roles": [],
        "attachments": [attachment_payload(5)],
        "embeds": [
            {"type": "image", "url": external("b.png")["url"], "thumbnail": external("b.png")}
        ],
        "sticker_items": [{"id": "9", "name": "wave", "format_type": 1}],
        "components": [],
    }
    found = shown(guild, author=77, flags=16384, message_snapshots=[{"message": snapshot}])
    assert [p.kind for p in found] == ["attachment", "embed", "sticker"]
    assert {p.author_id for p in found} == {77}
    assert all(p.forwarded for p in found)
    assert [p.spoiler for p in found] == [False, True, False]


def test_stickers_of_every_format(guild: discord.Guild) -> None:
    items = [
        {"id": str(id), "name": "wave", "format_type": kind}
        for id, kind in ((1, 1), (2, 2), (3, 3), (4, 4))
    ]
    found = shown(guild, sticker_items=items)
    assert [p.slot for p in found] == ["s:1", "s:2", "s:3", "s:4"]
    assert found[0].title == "wave"
    assert found[2].urls == (f"{discord.Asset.BASE}/stickers/3.json",)
    assert found[3].urls == ("https://media.discordapp.net/stickers/4.gif",)
    assert [p.shown_by_discord for p in found] == [True, True, False, True]


def media(id: int | None = None, name: str = "c.png", **more: Any) -> dict[str, Any]:
    if id is None:
        return external(name) | more
    return {"url": cdn(id, name), "attachment_id": str(id), "content_type": "image/png"} | more


def test_pictures_in_components(guild: discord.Guild) -> None:
    text = {"type": 10, "id": 1, "content": "hello"}
    section = {
        "type": 9,
        "id": 2,
        "components": [text],
        "accessory": {"type": 11, "id": 3, "media": media(21), "spoiler": True},
    }
    gallery = {
        "type": 12,
        "id": 4,
        "items": [
            {"media": media(22), "description": "one"},
            {"media": media(23, "v.mp4", content_type="video/mp4")},
            {"media": media(None, "d.png")},
        ],
    }
    file = {"type": 13, "id": 5, "file": media(24), "name": "e.png", "size": 99}
    document = {"type": 13, "id": 6, "file": media(25, "f.pdf", content_type="application/pdf")}
    container = {
        "type": 17,
        "id": 7,
        "components": [section, gallery, file, document | {"name": "f.pdf", "size": 9}],
        "spoiler": False,
    }
    found = shown(guild, flags=32768, components=[text, container])
    assert [p.slot for p in found if p.slot.startswith("a:")] == ["a:21", "a:22", "a:23", "a:24"]
    assert len(found) == 5
    assert {p.kind for p in found} == {"component"}
    assert [p.spoiler for p in found] == [True, False, False, False, False]
    assert found[1].title == "one"


def test_spoiler_of_a_container_covers_what_is_in_it(guild: discord.Guild) -> None:
    gallery = {"type": 12, "id": 2, "items": [{"media": media(22)}]}
    container = {"type": 17, "id": 1, "components": [gallery], "spoiler": True}
    assert shown(guild, flags=32768, components=[container])[0].spoiler


def test_same_media_twice_is_one_picture(guild: discord.Guild) -> None:
    image = {"url": cdn(5), "proxy_url": cdn(5).replace("cdn", "media"), "width": 1, "height": 1}
    embed = {"type": "rich", "image": image, "thumbnail": image}
    component = {"type": 12, "id": 1, "items": [{"media": media(5), "spoiler": True}]}
    found = shown(
        guild, attachments=[attachment_payload(5)], embeds=[embed], components=[component]
    )
    assert [p.slot for p in found] == ["a:5"]
    assert found[0].spoiler, "a spoiler in one place hides it in all"


def test_slots_survive_a_new_signature_and_a_new_order(guild: discord.Guild) -> None:
    first = {"type": "rich", "image": external("a.png")}
    second = {"type": "rich", "image": {"url": cdn(6), "width": 1, "height": 1}}
    resigned = {"type": "rich", "image": {"url": cdn(6) + "0", "width": 1, "height": 1}}
    before = {p.slot for p in shown(guild, embeds=[first, second])}
    after = {p.slot for p in shown(guild, embeds=[resigned, first])}
    assert before == after


def test_two_pictures_of_one_address_but_another_query_differ() -> None:
    assert pictures.media_slot("https://example.org/p?id=1") != pictures.media_slot(
        "https://example.org/p?id=2"
    )


def test_message_without_media_shows_no_picture(guild: discord.Guild) -> None:
    assert shown(guild, content="https://example.org/a.png") == []


UNREADABLE = (
    "https://[x/a.png",
    "https://[::1",
    "https://exa℀mple.com/a.png",
    "https://x/\ud800.png",
)


@pytest.mark.parametrize("url", UNREADABLE)
def test_malformed_address_hides_no_other_picture(guild: discord.Guild, url: str) -> None:
    broken = {"type": "rich", "title": "\udfff", "image": {"url": url, "width": 1, "height": 1}}
    gallery = {"type": 12, "id": 1, "items": [{"media": {"url": url}, "description": "\ud800"}]}
    found = shown(guild, embeds=[broken], components=[gallery], attachments=[attachment_payload(5)])
    assert "a:5" in [picture.slot for picture in found]
    for picture in found:
        f"{picture.filename} {picture.title} {picture.slot}".encode()


def test_too_great_a_number_is_no_attachments_id(guild: discord.Guild) -> None:
    url = f"https://cdn.discordapp.com/attachments/1/{'9' * 400}/a.png"
    (picture,) = shown(guild, embeds=[{"type": "image", "image": {"url": url}}])
    assert picture.slot.startswith("u:")


def test_attachment_without_an_address_is_passed_over(guild: discord.Guild) -> None:
    assert shown(guild, attachments=[attachment_payload(5, url="", proxy_url="")]) == []


def test_photographs_of_phones_count_by_type_or_by_name() -> None:
    assert is_picture("image/heic", "IMG_1")
    assert is_picture(None, "IMG_1.HEIC")
    assert is_picture("application/octet-stream", "IMG_1.heif")
    assert is_picture("image/vnd.adobe.photoshop", "a.psd")
    assert not is_picture("image/svg+xml", "a.svg")
    assert not is_picture(None, "a.json")
