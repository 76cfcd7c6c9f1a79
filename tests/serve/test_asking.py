"""Questions of the page are answered as the command line answers them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.index.colours import png
from tests.serve.conftest import JUNE, MAY, Client, added, serving, write


async def test_all_pictures_are_listed_newest_first_and_the_same_bytes_once(client: Client) -> None:
    head = await client.ask()
    assert (head["listing"], head["total"], head["verdict"]) == (True, 4, "sure")
    assert await client.listed() == ["moving.gif", "a/again.png", "b/deep/blue.png", "b/green.png"]
    assert await client.listed(sort="oldest") == [
        "a/red.png", "b/green.png", "b/deep/blue.png", "moving.gif",
    ]  # fmt: skip


async def test_a_listing_tells_shapes_and_months_and_when_a_picture_is_another(
    file: Path, folder: Path
) -> None:
    await added(file, folder)
    async with serving(file, folder) as client:
        order = await client.json(f"api/order/{(await client.ask())['ask']}")
        assert order["ratios"] == [200, 200, 100, 100]
        assert order["months"] == [
            {"month": "2024-06", "start": 0},
            {"month": "2024-05", "start": 2},
        ]
        assert len(order["versions"]) == 4 * len(order["ids"])
    write(folder / "b" / "green.png", png("yellow"), MAY + 61)
    await added(file, folder)
    async with serving(file, folder) as client:
        after = await client.json(f"api/order/{(await client.ask())['ask']}")
    assert after["ids"] == order["ids"]
    assert after["versions"][:12] == order["versions"][:12]
    assert after["versions"][12:] != order["versions"][12:]


async def test_pictures_of_a_listing_are_told_page_by_page(client: Client, folder: Path) -> None:
    head = await client.ask()
    (folder / "b" / "green.png").unlink()
    page = await client.json(f"api/hits/{head['ask']}")
    assert page["more"] is False
    assert [hit["name"] for hit in page["hits"]] == [
        "moving.gif", "again.png", "blue.png", "green.png",
    ]  # fmt: skip
    assert [hit["kind"] for hit in page["hits"]] == ["clip", "picture", "picture", "picture"]
    assert [copy["path"] for copy in page["hits"][1]["copies"]] == ["a/red.png"]
    assert [hit["why"] for hit in page["hits"]] == [None, None, None, "The file is not there now."]
    after = await client.json(f"api/hits/{head['ask']}?from=2")
    assert after["hits"] == page["hits"][2:]


async def test_the_gallery_is_told_as_a_whole(client: Client) -> None:
    told = await client.json("api/gallery")
    assert (told["name"], told["count"]) == ("photos", 5)
    assert told["folders"] == [
        {"path": "", "count": 1},
        {"path": "a", "count": 2},
        {"path": "b", "count": 1},
        {"path": "b/deep", "count": 1},
    ]
    assert told["months"] == [{"month": "2024-06", "count": 2}, {"month": "2024-05", "count": 3}]
    assert (told["first"], told["last"]) == (MAY, JUNE + 60)
    assert told["adding"] is None


async def test_hits_come_best_first_with_their_copies_folded(client: Client) -> None:
    best = (await client.found(line="red", guesses=True))[0]
    assert (best["path"], best["folder"], best["name"]) == ("a/again.png", "a", "again.png")
    assert [copy["path"] for copy in best["copies"]] == ["a/red.png"]
    assert (best["width"], best["height"], best["kind"]) == (60, 30, "picture")
    assert best["taken"] == JUNE


async def test_a_clip_tells_its_frame_and_moment(client: Client) -> None:
    found = await client.found(line="blue", guesses=True, folder="")
    clip = next(hit for hit in found if hit["name"] == "moving.gif")
    assert (clip["kind"], clip["frames"], clip["frame"], clip["second"]) == ("clip", 3, 1, 0.5)
    still = await client.get(f"thumb/{clip['id']}?h=200&frame=1")
    assert still.status == 200


async def test_the_same_page_of_hits_is_the_same_again(file: Path, tmp_path: Path) -> None:
    root = tmp_path / "many"
    for number in range(70):
        write(root / f"{number:03}.png", png((255, number, 0)), MAY + number)
    await added(file, root)
    async with serving(file, root) as client:
        head = await client.ask(line="red", guesses=True)
        pages = [await client.json(f"api/hits/{head['ask']}?from={n}") for n in (0, 60)]
        assert [len(page["hits"]) for page in pages] == [60, 10]
        assert [page["more"] for page in pages] == [True, False]
        ids = [hit["id"] for page in pages for hit in page["hits"]]
        assert len(set(ids)) == 70
        assert await client.json(f"api/hits/{head['ask']}?from=60") == pages[1]
        scores = [hit["score"] for page in pages for hit in page["hits"]]
        assert scores == sorted(scores, reverse=True)


async def test_the_page_limits_by_folder_and_month(client: Client) -> None:
    assert await client.listed(folder="b") == ["b/deep/blue.png", "b/green.png"]
    assert await client.listed(folder="b/deep") == ["b/deep/blue.png"]
    assert await client.listed(since="2024-06") == ["moving.gif", "a/again.png"]
    assert await client.listed(until="2024-05", folder="a") == ["a/red.png"]
    assert await client.listed(line="in:b -in:b/deep") == ["b/green.png"]
    assert await client.listed(line="in:deep") == ["b/deep/blue.png"]
    assert await client.listed(line="has:gif") == ["moving.gif"]
    apart = await client.ask(line="in:a", folder="b")
    assert apart["error"]["sentence"] == "These folders have nothing in common."


async def test_more_like_a_picture_leaves_it_out(client: Client) -> None:
    blue = next(hit for hit in await client.found(line="blue", guesses=True) if "b/" in hit["path"])
    like = await client.found(like=blue["id"], guesses=True)
    assert like
    assert blue["id"] not in [hit["id"] for hit in like]
    assert like[0]["name"] == "moving.gif"  # one of its frames is as blue


async def test_more_and_less_steer(client: Client) -> None:
    found = await client.found(line="yellow", guesses=True)
    plain = [hit["name"] for hit in found]
    by_name = {hit["name"]: hit["id"] for hit in found}
    red, green = by_name["again.png"], by_name["green.png"]
    steered = await client.found(line="yellow", more=[green], less=[red], guesses=True)
    names = [hit["name"] for hit in steered]
    assert names.index("green.png") < names.index("again.png")
    other = await client.found(line="yellow", more=[red], less=[green], guesses=True)
    others = [hit["name"] for hit in other]
    assert others.index("again.png") < others.index("green.png")
    assert sorted(plain) == sorted(names) == sorted(others)
    only_less = await client.ask(less=[red])
    assert "A minus only says" in only_less["error"]["sentence"]
    assert (await client.found(more=[green], guesses=True))[0]["id"] != green


async def test_a_dropped_picture_is_asked_with(client: Client) -> None:
    answer = await client.post("api/picture", data=png("blue", (33, 33)))
    upload = (await answer.json())["picture"]
    found = await client.found(picture=upload, guesses=True)
    assert found[0]["name"] in ("blue.png", "moving.gif")
    gone = await client.post("api/ask", json={"picture": "another"})
    assert gone.status == 404
    broken = (await (await client.post("api/picture", data=b"<svg/>")).json())["picture"]
    head = await client.ask(picture=broken)
    assert "SVG" in head["error"]["sentence"]


async def test_only_the_last_dropped_pictures_are_kept(client: Client) -> None:
    names = [
        (await (await client.post("api/picture", data=png("blue"))).json())["picture"]
        for _ in range(5)
    ]
    assert (await client.post("api/ask", json={"picture": names[0]})).status == 404
    assert (await client.post("api/ask", json={"picture": names[1]})).status == 200


async def test_what_can_not_be_read_is_pointed_at(client: Client) -> None:
    head = await client.ask(line="red after:nonsense")
    assert head["ask"] is None
    start, end = head["error"]["position"]
    assert "red after:nonsense"[start:end] == "nonsense"
    unknown = await client.ask(line="in:bb")
    assert unknown["error"]["sentence"] == (
        "The gallery has nothing of a folder bb. Did you mean b?"
    )
    chat = await client.ask(line="has:sticker")
    assert chat["error"]["sentence"].startswith("has:sticker is of pictures in a chat.")


async def test_what_the_page_never_sends_is_refused(client: Client) -> None:
    for body in (
        "[]",
        "{",
        '{"path": "/etc/hostname"}',
        '{"sort": "worst"}',
        '{"line": 5}',
        '{"like": "1"}',
        '{"since": "yesterday"}',
        '{"more": ["x"]}',
        json.dumps({"line": "x" * 3000}),
        json.dumps({"more": list(range(100))}),
        '{"folder": "/etc"}',
        '{"folder": "../.."}',
    ):
        answer = await client.post("api/ask", data=body)
        assert answer.status == 400, body
        assert (await answer.json())["sentence"]
    for path in ("api/hits/unknown", "api/order/unknown"):
        assert (await client.get(path)).status == 404


async def test_a_word_without_a_minus_is_told(client: Client) -> None:
    head = await client.ask(line="red without blue")
    assert head["understood"] == ["“without blue” is read as less of “blue”."]


async def test_a_picture_is_told_in_words(client: Client) -> None:
    order = await client.json(f"api/order/{(await client.ask(sort='oldest'))['ask']}")
    told = await client.json(f"api/picture/{order['ids'][0]}")
    assert (told["path"], told["alt"]) == ("a/red.png", "red.png.")
    assert [copy["path"] for copy in told["copies"]] == ["a/again.png"]
