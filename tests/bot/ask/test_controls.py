"""What can be done with an answer: turn its pages, sort it, look closer, steer it, see copies."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from discord import ui

import sandbox as sandbox_package
from bot.ask.asker import Asker
from bot.ask.buttons import PageOf
from bot.text import answers as text
from index import Answer as Found
from index import Filter, Gallery, QueryEmbedding, Verdict
from index.embed.embedder import Embedder
from sandbox.person import Answer, Person
from tests.bot.ask.conftest import RED, Scene, forward, look, watch_everything
from tests.bot.ask.nest import Nest
from tests.bot.ask.test_injection import forge
from tests.bot.ask.test_last_look import close, delete, under_way
from tests.bot.conftest import LogIn
from tests.bot.running import idle, png, running, until

PICTURE = ("red.png", RED)


async def find(scene: Scene, person: Person, **how: Any) -> Answer:
    return await person.command("find", where=scene.channel("general"), **how or {"query": "dog"})


async def order(person: Person, answer: Answer, label: str) -> Answer:
    options = {option["label"]: option["value"] for option in answer.menu()["options"]}
    return await person.choose(answer, answer.menu(), options[label])


def labels(answer: Answer) -> list[str]:
    return [str(button["label"]) for button in answer.buttons()]


async def post_more(scene: Scene, person: Person, number: int) -> None:
    for n in range(number):
        await person.post(scene.channel("pets"), pictures={"more.png": png(f"#c8{80 + n}1e")})
    await idle(scene.magpie)


class Watched:
    """The gallery, and what it was asked; with `doubt`, nothing fits any query."""

    def __init__(self, gallery: Gallery, verdict: Verdict | None = None) -> None:
        self._gallery = gallery
        self._verdict = verdict
        self.asked: list[QueryEmbedding] = []

    async def search(self, embedding: QueryEmbedding, filter: Filter, **how: Any) -> Found:
        self.asked.append(embedding)
        found = await self._gallery.search(embedding, filter, **how)
        if self._verdict is None:
            return found
        hits = [dataclasses.replace(hit, sure=False) for hit in found.hits]
        if self._verdict is Verdict.NOTHING and not how.get("guesses"):
            return dataclasses.replace(found, hits=[], more=False, verdict=self._verdict)
        return dataclasses.replace(found, hits=hits, verdict=self._verdict)


def watched(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, verdict: Verdict | None = None
) -> Watched:
    searcher = Watched(scene.magpie.gallery, verdict)
    monkeypatch.setattr(scene.magpie.results, "_searcher", searcher)
    return searcher


# ── Pages ────────────────────────────────────────────────────────────────────────────────


async def test_pages_take_each_others_place_and_can_be_turned_back(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    await post_more(scene, finn, 9)
    answer = await find(scene, finn)
    pages = [answer]
    while (more := forward(pages[-1])) is not None:
        pages.append(await finn.click(pages[-1], more))
    assert [len(scene.shown(page)) for page in pages] == [6, 6, 2]
    assert {page.message["id"] for page in pages} == {answer.message["id"]}
    back = [pages[-1]]
    while back[-1].button("◀")["disabled"] is False:
        back.append(await finn.click(back[-1], back[-1].button("◀")))
    assert [page.lines() for page in back] == [page.lines() for page in reversed(pages)]


async def test_a_page_of_a_deleted_picture_can_still_be_turned_back(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    await post_more(scene, finn, 9)
    first = await find(scene, finn)
    second = await finn.click(first, first.button("▶"))
    last = scene.shown(first)[-1]
    place = next((p for p, id in scene.nest.messages.items() if id == last), "pets")
    await delete(scene, place, last)
    again = await finn.click(second, second.button("◀"))
    assert scene.shown(again)[:5] == scene.shown(first)[:5]
    assert last not in scene.shown(again)


async def test_sorting_lists_what_was_found_by_date(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    await post_more(scene, finn, 3)
    answer = await find(scene, finn)
    newest = await order(finn, answer, "Newest first")
    assert newest.message["id"] == answer.message["id"]
    assert "newest first" in newest.text()
    found = await scene.all_shown(finn, newest)
    assert found == sorted(found, reverse=True)
    assert len(found) == 8
    oldest = await order(finn, await find(scene, finn), "Oldest first")
    assert await scene.all_shown(finn, oldest) == sorted(found)
    best = await order(finn, await find(scene, finn), "Newest first")
    best = await order(finn, best, "Best first")
    assert best.lines() == answer.lines()


async def test_a_refusal_leaves_the_page_as_it_was(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await find(scene, finn)
    position = scene.shown(answer).index(scene.nest.messages["lounge"])
    await close(scene, "lounge")
    refused = await look(finn, answer, position)
    assert refused.private
    assert refused.text() == text.picture_unavailable()
    assert refused.message["id"] != answer.message["id"]
    stored = scene.server.core.find_message(
        int(scene.channel("general")), int(answer.message["id"])
    )
    assert stored is not None
    assert Answer({"components": stored.components}).lines() == answer.lines()


# ── One picture ──────────────────────────────────────────────────────────────────────────


async def test_a_closer_look_shows_one_picture_and_leads_back(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await find(scene, finn)
    looked = await look(finn, answer, 2)
    assert looked.message["id"] == answer.message["id"]
    assert len(looked.pictures()) == 1
    assert looked.button("Go to message")["url"].endswith(f"/{scene.shown(answer)[2]}")
    assert (await finn.click(looked, looked.button(text.to_results()))).lines() == answer.lines()


async def test_the_menu_of_a_public_answer_opens_a_private_one_for_each(scene: Scene) -> None:
    finn, mod = await scene.log_in("finn"), await scene.log_in("mod")
    answer = await find(scene, finn, query="dog", show="everyone")
    assert labels(answer) == [text.only_for_me()]
    assert len(answer.menu()["options"]) == len(scene.shown(answer))
    for person in (finn, mod):
        looked = await look(person, answer)
        assert looked.private
        assert looked.message["id"] != answer.message["id"]
        less = await person.click(looked, looked.button("Less like this"))
        assert less.private
        assert less.message["id"] == looked.message["id"]
    posted = await finn.messages(scene.channel("general"))
    [shown] = [message for message in posted if message["id"] == answer.message["id"]]
    assert shown["components"] == answer.message["components"]


async def test_a_picture_that_is_closed_during_a_closer_look_is_not_shown(scene: Scene) -> None:
    mod, magpie = await scene.log_in("mod"), scene.magpie
    answer, guild = await find(scene, mod), magpie.guilds[0]
    option = answer.menu()["options"][scene.shown(answer).index(scene.nest.messages["pets"])]
    member = await guild.fetch_member(int(mod.user["id"]))
    asker = Asker(member, guild, guild.get_channel(int(scene.channel("general"))))
    page = PageOf(answer.menu()["custom_id"].split(":")[1])
    draft = await magpie.answers.look(asker, page, int(option["value"]))
    sent: list[str] = []

    async def send(view: ui.LayoutView) -> None:
        sent.append(str(view.to_components()))

    await draft.deliver(send)
    await close(scene, "pets")
    await draft.deliver(send)
    assert ["/attachments/" in one for one in sent] == [True, False]
    assert text.picture_unavailable() in sent[1]


# ── More and less like this ──────────────────────────────────────────────────────────────


async def test_an_answer_is_steered_in_place_and_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    finn = await scene.log_in("finn")
    blue = await finn.post(scene.channel("pets"), pictures={"blue.png": png("blue")})
    await idle(scene.magpie)
    answer = await find(scene, finn, image=PICTURE)
    assert scene.shown(answer)[-1] == int(blue["id"])
    gallery = watched(scene, monkeypatch)
    looked = await look(finn, answer, -4)
    steered = await finn.click(looked, looked.button("More like this"))
    assert steered.message["id"] == answer.message["id"]
    assert [len(asked.more) for asked in gallery.asked] == [0, 1]
    looked = await look(finn, steered, 0)
    steered = await finn.click(looked, looked.button("Less like this"))
    assert (len(gallery.asked[-1].more), len(gallery.asked[-1].less)) in {(1, 1), (0, 1)}
    while undo := [button for button in steered.buttons() if "Undo" in button["label"]]:
        steered = await finn.click(steered, undo[0])
    assert (len(gallery.asked[-1].more), len(gallery.asked[-1].less)) == (0, 0)
    assert steered.lines() == answer.lines()


async def test_a_picture_that_is_closed_or_deleted_steers_no_more_and_nothing_tells(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    finn = await scene.log_in("finn")
    answer = await find(scene, finn)
    for place in ("pets", "lounge"):
        looked = await look(finn, answer, scene.shown(answer).index(scene.nest.messages[place]))
        answer = await finn.click(looked, looked.button("Less like this"))
    gallery = watched(scene, monkeypatch)
    again = await order(finn, answer, "Newest first")
    assert len(gallery.asked[-1].less) == 2
    await delete(scene, "pets", scene.nest.messages["pets"])
    await close(scene, "lounge")
    again = await order(finn, again, "Oldest first")
    assert len(gallery.asked[-1].less) == 0
    assert [label for label in labels(again) if "Undo" in label] == ["Undo: less like that (2)"]


async def test_a_picture_that_the_asker_cannot_see_steers_nothing(scene: Scene) -> None:
    finn, hidden = await scene.log_in("finn"), scene.nest.messages["mods"]
    ids = await scene.magpie.gallery.links.ids_of_source(scene.nest.world.guild_id, str(hidden))
    for to in ("more", "less"):
        answer = await find(scene, finn)
        search = answer.menu()["custom_id"].split(":")[1]
        for link in (*ids.values(), 10**6):
            forged = await forge(scene, finn, answer, f"f:{search}:{to}:{link}")
            assert forged.text() == text.picture_unavailable()


async def test_only_so_many_pictures_steer(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    await post_more(scene, finn, 12)
    answer = await find(scene, finn)
    ids = [id for _ in range(3) for id in ()]
    links = scene.magpie.gallery.links
    for source in await links.known(scene.nest.world.guild_id, int(scene.channel("pets"))):
        ids += (await links.ids_of_source(scene.nest.world.guild_id, source)).values()
    assert len(ids) > 10
    for link in ids:
        search = answer.menu()["custom_id"].split(":")[1]
        answer = await forge(scene, finn, answer, f"f:{search}:less:{link}")
    assert "Undo: less like that (10)" in labels(answer)


# ── Whether anything fits ────────────────────────────────────────────────────────────────


async def test_where_nothing_fits_it_says_so_and_shows_guesses_only_when_asked(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    finn = await scene.log_in("finn")
    await post_more(scene, finn, 9)
    watched(scene, monkeypatch, Verdict.NOTHING)
    answer = await find(scene, finn, query="a **unicorn**")
    assert answer.lines() == [r"Nothing here looks like “a \*\*unicorn\*\*”."]
    assert not answer.pictures()
    assert labels(answer) == [text.guess(), "Narrow"]
    limited = await find(scene, finn, query="unicorn has:image")
    assert limited.lines() == ["Nothing here looks like “unicorn”.", r"-# has\:image"]
    guesses = await finn.click(answer, answer.button(text.guess()))
    assert guesses.message["id"] == answer.message["id"]
    assert "### Nearest guesses for “a" in guesses.text()
    assert guesses.text().count("a guess") == 6
    looked = await look(finn, guesses)
    guesses = await finn.click(looked, looked.button(text.to_results()))
    pages = [guesses]
    while (more := forward(pages[-1])) is not None:
        pages.append(await finn.click(pages[-1], more))
    assert len([id for page in pages for id in scene.shown(page)]) == 14
    assert "Nearest guesses" in (await finn.click(pages[-1], pages[-1].button("◀"))).text()


async def test_a_public_answer_without_a_fit_is_the_same_whatever_was_left_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    mod = await scene.log_in("mod")
    watched(scene, monkeypatch, Verdict.NOTHING)
    answer = await find(scene, mod, query="unicorn", show="everyone")
    assert answer.lines() == ["Nothing here looks like “unicorn”.", f"-# {text.only_shared()}"]
    assert labels(answer) == [text.only_for_me()]
    own = await mod.click(answer, answer.button(text.only_for_me()))
    assert own.private
    assert labels(own) == [text.guess(), "Narrow"]


async def test_an_answer_that_is_not_sure_says_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    finn = await scene.log_in("finn")
    watched(scene, monkeypatch, Verdict.UNSURE)
    answer = await find(scene, finn)
    assert text.not_sure(len(scene.shown(answer))) in answer.lines()[1]
    watched(scene, monkeypatch, Verdict.SURE)
    answer = await find(scene, finn)
    assert "not sure" not in answer.text()
    assert answer.text().count("perhaps") == len(scene.shown(answer))


async def test_where_there_is_no_picture_at_all_no_guess_is_offered(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga = await scene.log_in("olga")
    watched(scene, monkeypatch, Verdict.NOTHING)
    for place in scene.nest.messages:
        if place != "after dark":
            drop = int(scene.channel(place)), scene.nest.messages[place]
            await olga.request("DELETE", f"/channels/{drop[0]}/messages/{drop[1]}")

    async def erased() -> bool:
        return (await scene.magpie.gallery.links.count()).links == 1

    await until(erased)
    answer = await find(scene, olga)
    assert answer.lines() == [text.not_indexed_yet()]  # the last one is age-restricted
    assert labels(answer) == ["Narrow"]


# ── Narrowing ────────────────────────────────────────────────────────────────────────────


async def narrowed(person: Person, answer: Answer, line: str) -> tuple[str, Answer]:
    """What the form holds, and the answer to it with another line."""
    form = await person.open_form(answer, answer.button("Narrow"))
    [field] = [part["component"] for part in form["components"]]
    return field.get("value") or "", await person.submit(answer, form, line=line)


async def test_a_question_is_changed_and_asked_again_in_place(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await find(scene, finn, query="dog in snow")
    line, changed = await narrowed(finn, answer, f"dog in:<#{scene.channel('pets')}>")
    assert line == "dog in snow"
    assert changed.message["id"] == answer.message["id"]
    assert scene.places(scene.shown(changed)) == {"pets", "old walks"}
    line, again = await narrowed(finn, changed, "dog after:nonsense")
    assert "dog" in line
    assert "nonsense" in again.text()
    assert again.message["id"] != changed.message["id"], "what was there stays"
    _, refused = await narrowed(finn, changed, "dog show:everyone")
    assert refused.text() == text.not_for_everyone()


async def test_a_question_with_a_posted_picture_is_narrowed_beside_it(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    target = {"id": str(scene.nest.messages["general"]), "channel_id": scene.channel("general")}
    answer = await finn.menu("Find similar", target)
    _, changed = await narrowed(finn, answer, f"in:<#{scene.channel('pets')}>")
    assert "this picture" in changed.lines()[0]
    assert scene.places(scene.shown(changed)) == {"pets", "old walks"}
    attached = await find(scene, finn, image=PICTURE)
    assert "Narrow" not in labels(attached), "the picture isn't kept"


async def test_words_beside_a_picture_that_was_found_count_on_each_page(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    finn = await scene.log_in("finn")
    await post_more(scene, finn, 6)
    looked = await look(finn, await find(scene, finn))
    similar = await finn.click(looked, looked.button("Only similar"))
    _, first = await narrowed(finn, similar, "at night -snow")
    gallery = watched(scene, monkeypatch)
    second = await finn.click(first, first.button("▶"))
    await order(finn, second, "Newest first")
    for asked in gallery.asked:
        assert (len(asked.wanted), len(asked.minus)) == (2, 1)


async def test_a_form_is_answered_after_a_restart_and_only_to_whom_it_belongs(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    async with running(sandbox, db, model) as magpie:
        await watch_everything(magpie)
        scene = Scene(nest, sandbox, magpie, log_in)
        finn, mod = await scene.log_in("finn"), await scene.log_in("mod")
        answer, theirs = await find(scene, finn), await find(scene, mod)
        form = await finn.open_form(answer, answer.button("Narrow"))
        assert not magpie._connection._view_store._modals
    async with running(sandbox, db, model) as magpie:
        changed = await finn.submit(answer, form, line="cat")
        assert "“cat”" in changed.lines()[0]
        id = theirs.menu()["custom_id"].split(":")[1]
        assert (await forge(scene, finn, changed, f"n:{id}")).text() == text.not_yours()


# ── Copies ───────────────────────────────────────────────────────────────────────────────


async def post_copies(scene: Scene) -> dict[str, int]:
    """The same picture in four places, by those who may write there. -> the messages"""
    posted = {}
    for name, place in (("finn", "pets"), ("olga", "general"), ("mod", "mods"), ("olga", "lounge")):
        person = await scene.log_in(name)
        message = await person.post(scene.channel(place), pictures={"b.png": png("blue")})
        posted[place] = int(message["id"])
        await idle(scene.magpie)  # so that the first one is always the one that is shown
    return posted


async def places_of(person: Person, answer: Answer) -> Answer:
    """Where the first picture of an answer was posted."""
    looked = await look(person, answer)
    label = next(label for label in labels(looked) if label.endswith("more places"))
    return await person.click(looked, looked.button(label))


def linked(answer: Answer) -> list[int]:
    return [int(line.split("/")[-1].split(")")[0]) for line in answer.lines() if "go to" in line]


async def test_copies_are_one_picture_and_each_counts_those_they_may_read(scene: Scene) -> None:
    posted = await post_copies(scene)
    blue = ("blue.png", png("blue"))
    for name, copies in (("finn", 2), ("mod", 3)):
        person = await scene.log_in(name)
        answer = await find(scene, person, image=blue)
        assert text.and_more(copies) in answer.text()
        assert len(set(scene.shown(answer)) & set(posted.values())) == 1
        places = await places_of(person, answer)
        due = [id for place, id in posted.items() if place != "mods" or name == "mod"]
        assert linked(places) == sorted(due)  # oldest first
        back = await person.click(places, places.button(text.to_results()))
        assert back.lines() == answer.lines()
    public = await find(scene, await scene.log_in("mod"), image=blue, show="everyone")
    assert text.and_more(1) in public.text()


async def test_a_copy_that_is_closed_meanwhile_is_not_counted(scene: Scene) -> None:
    await post_copies(scene)
    mod = await scene.log_in("mod")

    async def door(_: Scene, person: Person) -> Answer:
        return await find(scene, person, image=("blue.png", png("blue")))

    assert text.and_more(3) in (await door(scene, mod)).text()
    async with under_way(scene, mod, door) as asking:
        await close(scene, "lounge")
    assert text.and_more(2) in (await asking).text()


async def test_a_copy_that_is_deleted_meanwhile_is_not_counted(scene: Scene) -> None:
    posted = await post_copies(scene)
    mod = await scene.log_in("mod")

    async def door(_: Scene, person: Person) -> Answer:
        return await find(scene, person, image=("blue.png", png("blue")))

    shown = scene.shown(await door(scene, mod))[0]
    place = next(place for place, id in posted.items() if id != shown)
    async with under_way(scene, mod, door) as asking:
        await delete(scene, place, posted[place])
    assert text.and_more(2) in (await asking).text()


async def test_the_places_of_copies_are_looked_at_again(scene: Scene) -> None:
    posted = await post_copies(scene)
    mod = await scene.log_in("mod")
    looked = await look(mod, await find(scene, mod, image=("blue.png", png("blue"))))
    await close(scene, "lounge")
    scene.server.world.drop_message(int(scene.channel("mods")), posted["mods"])  # without an event
    places = await mod.click(looked, looked.button("3 more places"))
    assert linked(places) == [posted["pets"], posted["general"]]


async def test_the_places_of_a_picture_that_is_gone_are_told(scene: Scene) -> None:
    posted = await post_copies(scene)
    mod = await scene.log_in("mod")
    answer = await find(scene, mod, image=("blue.png", png("blue")))
    looked = await look(mod, answer)
    [place] = [place for place, id in posted.items() if id in scene.shown(answer)]
    gone = posted.pop(place)
    scene.server.world.drop_message(int(scene.channel(place)), gone)  # without an event
    places = await mod.click(looked, looked.button("3 more places"))
    assert linked(places) == list(posted.values())


# ── Whose they are ───────────────────────────────────────────────────────────────────────

OTHERS = ("m:{}:", "b:{}:", "l:{}:", "w:{}::1", "f:{}:more:1", "u:{}:less")


@pytest.mark.parametrize("control", OTHERS)
async def test_a_control_of_one_members_private_answer_is_refused_to_another(
    scene: Scene, control: str
) -> None:
    mod, finn = await scene.log_in("mod"), await scene.log_in("finn")
    theirs = (await find(scene, mod)).menu()["custom_id"].split(":")[1]
    own = await find(scene, finn)
    assert (await forge(scene, finn, own, control.format(theirs))).text() == text.not_yours()
    assert (await forge(scene, finn, own, control.format("none"))).text() == text.search_expired()


async def test_all_controls_work_after_a_restart(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    async with running(sandbox, db, model) as magpie:
        await watch_everything(magpie)
        scene = Scene(nest, sandbox, magpie, log_in)
        await post_copies(scene)
        finn = await scene.log_in("finn")
        answer = await find(scene, finn, image=("blue.png", png("blue")))
    async with running(sandbox, db, model) as magpie:
        scene = Scene(nest, sandbox, magpie, log_in)
        sorted_ = await order(finn, answer, "Newest first")
        looked = await look(finn, sorted_)
    async with running(sandbox, db, model) as magpie:
        scene = Scene(nest, sandbox, magpie, log_in)
        places = await finn.click(looked, looked.button("2 more places"))
        back = await finn.click(places, places.button(text.to_results()))
        assert scene.shown(back) == scene.shown(sorted_)
        looked = await look(finn, back)
        steered = await finn.click(looked, looked.button("Less like this"))
    async with running(sandbox, db, model) as magpie:
        undone = await finn.click(steered, steered.button("Undo"))
        assert scene.shown(undone) == scene.shown(sorted_)
        assert not magpie._connection._view_store._views
