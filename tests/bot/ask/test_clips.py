"""Videos in a chat: read in parts, found by a scene, which the answer names and shows."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
import numpy as np
from PIL import Image

from checks.fuzzing.films import film
from sandbox.person import Answer, Person
from tests.bot.ask.conftest import Scene, look
from tests.bot.running import idle, png

SCENES = [(250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 250, 10)]
BLUE = png("#0a0afa")


async def post(scene: Scene, person: Person, name: str = "clip.mp4", place: str = "general") -> Any:
    clip = film("libx264", scenes=SCENES)
    posted = await person.post(scene.channel(place), pictures={name: clip})
    await idle(scene.magpie)
    return posted


async def found(scene: Scene, person: Person, **options: Any) -> Answer:
    """The answer for a blue picture among videos."""
    image = ("blue.png", BLUE)
    options = {"has": "video", **options}
    return await person.command("find", where=scene.channel("general"), image=image, **options)


async def shown(url: str) -> Image.Image:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return Image.open(io.BytesIO(await answer.read()))


def is_blue(picture: Image.Image) -> bool:
    """Whether its lower edge is, which no square moves over."""
    red, green, blue = np.asarray(picture.convert("RGB"))[-8:].mean((0, 1))
    return bool(blue > 150 and red < 100 and green < 100)


async def test_a_video_is_found_by_a_scene_which_is_named_and_shown(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    posted = await post(scene, finn)
    answer = await found(scene, finn)
    assert answer.private
    assert scene.shown(answer) == [int(posted["id"])]
    assert "at 0:02" in answer.text()
    [preview] = answer.pictures()
    assert "at 0:02" in preview["description"]
    picture = await shown(preview["media"]["url"])
    assert picture.format == "WEBP"
    assert is_blue(picture)
    closer = await look(finn, answer)
    still, clip = closer.pictures()
    assert is_blue(await shown(still["media"]["url"]))
    assert clip["media"]["content_type"] == "video/mp4"


async def test_a_public_answer_has_no_copy_of_a_frame(scene: Scene) -> None:
    """It would outlive the video."""
    finn = await scene.log_in("finn")
    await post(scene, finn)
    answer = await found(scene, finn, show="everyone")
    assert not answer.private
    assert "at 0:02" in answer.text()
    [preview] = answer.pictures()
    assert "format=webp" in preview["media"]["url"]
    assert not answer.message["attachments"]
    assert (await shown(preview["media"]["url"])).size == (160, 96)  # the proxy's still


async def test_of_a_hidden_video_the_frame_is_hidden_too(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    await post(scene, finn, "SPOILER_clip.mp4")
    [preview] = (await found(scene, finn)).pictures()
    assert preview["spoiler"]
    assert "SPOILER_" in preview["media"]["url"]


async def test_a_deleted_video_leaves_no_still(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    posted = await post(scene, finn)
    links = scene.magpie.results._links
    [link] = (await links.ids_of_source(int(finn.guilds[0]["id"]), posted["id"])).values()
    assert await links.stills({link: 0})
    await finn.request("DELETE", f"/channels/{posted['channel_id']}/messages/{posted['id']}")
    await idle(scene.magpie)
    assert await links.stills({link: 0}) == {}


async def test_find_by_video(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    first = await post(scene, finn)
    second = await finn.post(
        scene.channel("general"),
        pictures={"other.webm": film("libvpx", "webm", scenes=SCENES[2:])},
    )
    await idle(scene.magpie)
    similar = await finn.menu("Find similar", second)
    assert int(first["id"]) in scene.shown(similar)
    image = ("mine.mp4", film("libx264", scenes=SCENES[2:]))
    answer = await finn.command("find", where=scene.channel("general"), image=image, has="video")
    assert int(first["id"]) in scene.shown(answer)


async def test_a_broken_video_is_left_out(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    broken = film("libx264", scenes=SCENES)[:900]
    await finn.post(scene.channel("general"), pictures={"broken.mp4": broken, "blue.png": BLUE})
    await idle(scene.magpie)
    assert not (await found(scene, finn)).pictures()


async def test_status_counts_videos(scene: Scene) -> None:
    olga = await scene.log_in("olga")
    await post(scene, olga)
    status = await olga.command("status", where=scene.channel("general"))
    assert "1 video among them" in status.text()


async def test_a_link_to_a_video_is_read_from_the_proxy(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    (scene.nest.world.folder / "site.mp4").write_bytes(film("libx264", scenes=SCENES))
    await finn.post(scene.channel("general"), "https://pictures.example/site.mp4")
    await finn.event("MESSAGE_UPDATE", where=lambda message: bool(message["embeds"]))
    await idle(scene.magpie)
    answer = await found(scene, finn)
    assert "at 0:02" in answer.text()
    assert is_blue(await shown(answer.pictures()[0]["media"]["url"]))
