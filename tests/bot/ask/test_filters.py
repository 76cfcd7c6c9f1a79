"""What is typed is read as the query language, by whom it is asked and where."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import sandbox as sandbox_package
from bot.text import answers as answer_text
from bot.text import lines as line_text
from index.embed.embedder import Embedder
from sandbox.person import Answer, Person
from tests.bot.ask import flock
from tests.bot.ask.conftest import RED, Scene, watch_everything
from tests.bot.ask.nest import EVERYBODYS, Nest
from tests.bot.conftest import LogIn
from tests.bot.running import running

FINNS = EVERYBODYS | {"lounge", "whispers"}
OF_FINN = {"finn in pets", "finn in general"}
OF_NORA = {"nora in old walks", "nora in cats"}
IN_CATS = {"nora in cats", "fiona in cats"}
IN_PETS = {"pets", "old walks", "finn in pets", "nora in old walks"}
ALL_OF_FINNS = FINNS | OF_FINN | OF_NORA | IN_CATS
NIGHT = "red.png", RED


@pytest.fixture
def nest(tmp_path: Path) -> Nest:
    return flock.build(tmp_path / "world")


async def ask(scene: Scene, person: Person, line: str = "", **how: Any) -> Answer:
    where = scene.channel(how.pop("where", "general"))
    options = {"query": line.format(**ids(scene))} if line else {}
    return await person.command("find", where=where, **options, **how)


def ids(scene: Scene) -> dict[str, int]:
    """Ids by names, to be put into a line: {finn}, {pets}."""
    world = scene.nest.world
    return {**world.people, **world.channels, "nobody": 1, "me": world.bot_id}


async def found(scene: Scene, person: Person, line: str = "", **how: Any) -> set[str]:
    answer = await ask(scene, person, line, **how)
    return scene.places(await scene.all_shown(person, answer)) if answer.pictures() else set()


# ── Members and channels ─────────────────────────────────────────────────────────────────


LIMITED = [
    ("red from:@finn", OF_FINN),
    ("from:<@{finn}>", OF_FINN),
    ("from:{finn}", OF_FINN),
    ("from:me", OF_FINN),
    ("from:Finn", OF_FINN),
    ("from:fio", {"fiona in cats"}),
    ("from:nora", OF_NORA),  # who has left the server
    ("from:<@{nora}> in:#cats", {"nora in cats"}),
    ("from:finn from:fiona", OF_FINN | {"fiona in cats"}),
    ("-from:olga -from:me", OF_NORA | IN_CATS),
    ("in:#pets", IN_PETS),  # with its threads
    ("in:<#{pets}>", IN_PETS),
    ("in:pe", IN_PETS),
    ("in:<#{old walks}>", {"old walks", "nora in old walks"}),
    ("in:Animals", IN_CATS),  # a category, of which owls are closed to finn
    ("in:#whispers", {"whispers"}),  # a private thread that finn is in
    ("in:pets -in:<#{old walks}>", {"pets", "finn in pets"}),
    ("-in:pets -in:animals -from:finn", FINNS - {"pets", "old walks"}),
    ("from:<@{mod}>", set()),  # has pictures, but none that finn may see
    ("from:<@{ghost}>", set()),
    ("from:<@{nobody}>", set()),
]


async def test_a_line_limits_an_answer(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    for line, expected in LIMITED:
        assert await found(scene, finn, line) == expected, line


async def test_options_do_the_same(scene: Scene) -> None:
    finn, pets = await scene.log_in("finn"), scene.channel("pets")
    mention = f"<@{finn.user['id']}>"
    assert await found(scene, finn, **{"from": mention, "in": f"<#{pets}>"}) == {"finn in pets"}
    assert await found(scene, finn, "red", **{"from": "fiona"}) == {"fiona in cats"}
    assert await found(scene, finn, "-from:nora", **{"in": "Animals"}) == {"fiona in cats"}


# ── What nobody may be told of ───────────────────────────────────────────────────────────


CLOSED = [
    ("in:#mods", "in:#zods"),
    ("in:<#{mods}>", "in:<#{nobody}>"),
    ("in:{mods}", "in:{after dark}"),
    ('in:"no history"', 'in:"so history"'),
    ("in:owls", "in:cows"),
    ("red -in:#mods", "red -in:#zods"),
    ("from:@mod", "from:@dom"),
    ("from:ada", "from:eda"),
    ("from:finley", "from:finlex"),
    ("red -from:mod", "red -from:dom"),
]


async def test_what_is_closed_is_answered_as_what_does_not_exist(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    await ask(scene, finn, "from:nobody")  # from now on the names of those who have left are known
    for pair in CLOSED:
        answers, work = [], []
        for line in pair:
            before = len(scene.server.exchanges)
            answer = await ask(scene, finn, line)
            assert answer.private
            assert not answer.pictures()
            asked = scene.server.exchanges[before:]
            work.append(sorted(one.route for one in asked if "interaction" not in one.route))
            name = line.partition(":")[2].format(**ids(scene)).strip('"@#<>')
            answers.append(re.sub(r"\^+", "^", answer.text().replace(name, "NAME")))
        assert answers[0] == answers[1]
        assert work[0] == work[1]


async def test_no_hidden_name_is_suggested(scene: Scene) -> None:
    finn, olga = await scene.log_in("finn"), await scene.log_in("olga")
    assert "Did you mean" not in (await ask(scene, finn, "in:#modz")).text()
    assert r"Did you mean \#mods?" in (await ask(scene, olga, "in:#modz")).text()
    assert "Did you mean" not in (await ask(scene, finn, "from:finleyy")).text()
    assert r"Did you mean \@finley" in (await ask(scene, olga, "from:finleyy")).text()


async def test_a_public_answer_knows_only_what_everyone_there_knows(scene: Scene) -> None:
    mod, me = await scene.log_in("mod"), ids(scene)["me"]
    texts = []
    for name in ("mods", "none"):
        posted = await mod.post(scene.channel("general"), f"<@{me}> red in:#{name}")
        texts.append((await scene.answer_to(mod, posted)).text().replace(name, "NAME"))
        shown = await ask(scene, mod, f"red in:#{name} show:everyone")
        texts.append(shown.text().replace(name, "NAME"))
        assert shown.private  # what went wrong is for the asker alone
    assert texts[:2] == texts[2:]
    assert all("I know no channel" in one for one in texts)
    # Among moderators it is known.
    posted = await mod.post(scene.channel("mods"), f"<@{me}> red in:#mods")
    answer = await scene.answer_to(mod, posted)
    assert scene.places(scene.shown(answer)) == {
        "mods",
        "old mod talk",
        "mod in mods",
        "finley in mods",
    }


async def test_a_limit_is_kept_over_pages_and_by_whoever_clicks(scene: Scene) -> None:
    finn, mod = await scene.log_in("finn"), await scene.log_in("mod")
    answer = await ask(scene, mod, "red from:<@{mod}> from:finn show:everyone")
    assert scene.places(scene.shown(answer)) == OF_FINN
    own = await mod.click(answer, answer.button("More, only for me"))
    assert scene.places(await scene.all_shown(mod, own)) == OF_FINN | {"mod in mods"}
    own = await finn.click(answer, answer.button("More, only for me"))
    assert scene.places(await scene.all_shown(finn, own)) == OF_FINN
    everything = await ask(scene, finn, "-in:animals")
    assert len(scene.shown(everything)) == 6
    assert scene.places(await scene.all_shown(finn, everything)) == ALL_OF_FINNS - IN_CATS


# ── Names that can't be read ─────────────────────────────────────────────────────────────


async def test_a_misspelt_name_is_pointed_at_and_corrected(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn, "dog in:#petz -snow")
    assert answer.private
    assert answer.lines() == [
        r"I know no channel “\#petz” among those that I can search here. Did you mean \#pets?",
        "```",
        "dog -snow in:#petz",
        "             ^^^^^",
        "```",
        "This I can read:",
        "```",
        "dog -snow in:#pets",
        "```",
    ]
    assert (await ask(scene, finn, answer.lines()[-2])).pictures()


async def test_an_ambiguous_name_asks_which(scene: Scene) -> None:
    finn, olga = await scene.log_in("finn"), await scene.log_in("olga")
    assert r"“fi” can mean \@finn or \@fiona" in (await ask(scene, finn, "from:fi")).text()
    assert r"\@finley" in (await ask(scene, olga, "from:fi")).text()


async def test_a_line_that_cant_be_read_is_answered_privately_with_a_correction(
    scene: Scene,
) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn, "dog has:```pic show:everyone")
    assert answer.private
    assert answer.text().count("```") == 4
    answer = await ask(scene, finn, "dog has:pic show:everyone")
    assert "dog has:pic show:everyone\n    " in answer.message["content"]
    assert "dog has:image show:everyone" in answer.lines()
    posted = await finn.post(scene.channel("general"), f"<@{ids(scene)['me']}> dog has:pic")
    assert "dog has:image" in (await scene.answer_to(finn, posted)).lines()


async def test_what_cant_be_read_counts_as_a_question(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    async with running(sandbox, db, model, questions=4) as magpie:
        await watch_everything(magpie)
        scene = Scene(nest, sandbox, magpie, log_in)
        finn = await scene.log_in("finn")
        for line in ("has:pic", "in:#petz", "-snow", "red"):
            assert "asking faster" not in (await ask(scene, finn, line)).text()
        for line in ("has:pic", "in:#petz", "-snow", "red"):
            assert "asking faster" in (await ask(scene, finn, line)).text()


# ── Words, messages, and what else a line may hold ───────────────────────────────────────


@pytest.mark.parametrize("line", ["show:everyone red", "query:red show:everyone"])
async def test_words_typed_in_one_go_end_up_where_they_belong(scene: Scene, line: str) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn, line)
    assert not answer.private
    assert answer.lines()[0] == "### Closest to “red”"


async def test_the_option_that_was_chosen_outweighs_nothing_that_was_typed(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    assert not (await ask(scene, finn, "red", show="everyone")).private
    assert (await ask(scene, finn, "red", show="only me")).private


async def test_messages_are_read_by_the_same_language(scene: Scene) -> None:
    finn, me = await scene.log_in("finn"), ids(scene)["me"]

    async def say(text: str, **more: Any) -> Answer:
        posted = await finn.post(scene.channel("general"), text.format(**ids(scene)), **more)
        return await scene.answer_to(finn, posted)

    answer = await say("<@{me}> red from:<@{fiona}> in:<#{cats}> <@{olga}>")
    assert scene.places(scene.shown(answer)) == {"fiona in cats"}
    assert "red" in answer.lines()[0]
    pictured = await finn.request(
        "GET", f"/channels/{scene.channel('pets')}/messages/{scene.nest.messages['pets']}"
    )
    posted = await finn.post(
        scene.channel("pets"), f"<@{me}> but at night -people from:me", reply_to=pictured
    )
    answer = await scene.answer_to(finn, posted)
    assert "and “at night”" in answer.lines()[0]
    assert scene.places(scene.shown(answer)) == OF_FINN
    assert (await say("<@{me}> red show:me")).text() == line_text.not_privately()


async def test_a_question_without_words_lists_what_its_filters_leave_newest_first(
    scene: Scene,
) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn, "in:pets")
    shown = await scene.all_shown(finn, answer)
    assert shown == sorted(shown, reverse=True)
    assert answer.lines()[0] == "### Pictures"
    assert "newest first" in answer.text()
    answer = await ask(scene, finn, "in:pets sort:old")
    assert await scene.all_shown(finn, answer) == sorted(shown)
    assert "oldest first" in answer.text()
    assert await found(scene, finn, "after:2026-02") == set()


async def test_what_was_understood_is_said_below_the_answer(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    answer = await ask(scene, finn, "dog without snow", where="pets")
    assert line_text.read_as_minus("without snow", "snow") in answer.text()
    for line in ("-snow", "in:#pets -snow", '"keep out" -snow'):
        assert (await ask(scene, finn, line)).text() == line_text.only_minus()
    assert (await ask(scene, finn, "show:everyone")).text() == answer_text.ask_something()


async def test_kinds_of_pictures(scene: Scene) -> None:
    finn = await scene.log_in("finn")
    for kind in ("gif", "spoiler", "sticker", "link", "forward", "video"):
        assert await found(scene, finn, f"has:{kind}") == set()
        assert await found(scene, finn, f"-has:{kind} from:fiona") == {"fiona in cats"}
    assert await found(scene, finn, "has:image has:file from:fiona") == {"fiona in cats"}
