"""What can't be sent: the watch stops, its owner is told once, and nothing is sent twice."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import sandbox as sandbox_package
from bot.ops.tuning import Clocks
from bot.text import watches as text
from bot.watches import reasons
from bot.watches.deliveries import MOST_TRIES
from index.embed.embedder import Embedder
from sandbox.person import Person
from tests.bot.ask.conftest import Scene, watch_everything
from tests.bot.ask.nest import Nest
from tests.bot.conftest import LogIn
from tests.bot.running import png, quick_clocks, running, until
from tests.bot.watches.conftest import Watched
from tests.bot.watches.test_notices import let_go, waiting, waits

SEND = 1 << 11


async def reason_of(watched: Watched, person: Person) -> str:
    (watch,) = await watched.scene.magpie.gallery.watches.of_owner(
        watched.scene.nest.world.guild_id, int(person.user["id"])
    )
    return watch.paused


async def listed(person: Person, where: str | None = None) -> str:
    return (await person.command("watch", "list", where=where)).text()


async def test_who_takes_no_direct_messages_is_told_in_the_list(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn)
    await watched.post(ada, "pets")
    (first,) = finn.direct_messages()
    closed = f"/channels/{first.message['channel_id']}/messages"
    watched.scene.server.strike(
        "error", method="POST", path=closed, status=403, code=50007, message="Cannot send"
    )
    await watched.post(ada, "pets", "#20c840")
    assert await reason_of(watched, finn) == reasons.CLOSED_DMS
    assert text.dms_closed() in await listed(finn)
    await watched.post(ada, "pets", "#c8c820")
    assert len(finn.direct_messages()) == 1


async def test_a_member_who_has_left_is_forgotten(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn)
    server, guild = watched.scene.server, watched.scene.nest.world.guild_id
    server.core.member_gone(server.world.guilds[guild], int(finn.user["id"]))
    await watched.post(ada, "pets")
    watches = watched.scene.magpie.gallery.watches
    assert await watches.of_owner(guild, int(finn.user["id"])) == []
    assert finn.direct_messages() == []


async def test_a_member_who_has_left_is_forgotten_though_nothing_comes(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn)
    await watched.add(finn, "in:#pets")
    await watched.add(ada)
    server, guild = watched.scene.server, watched.scene.nest.world.guild_id
    server.core.member_gone(server.world.guilds[guild], int(finn.user["id"]))
    magpie = watched.scene.magpie
    magpie.clocks.relist_s = 0.0
    await magpie.owners.look_at_all()
    assert await magpie.gallery.watches.owners() == [(guild, int(ada.user["id"]))]


async def test_a_deleted_account_holds_up_nobody_and_is_forgotten(watched: Watched) -> None:
    finn, ada, olga = [await watched.log_in(name) for name in ("finn", "ada", "olga")]
    await watched.add(finn)
    await watched.add(olga)
    guild = watched.scene.nest.world.guild_id
    watched.scene.server.strike(
        "error",
        method="GET",
        path=f"/guilds/{guild}/members/{finn.user['id']}",
        status=404,
        code=10013,
        message="Unknown User",
    )
    posted = await watched.post(ada, "pets")
    assert watched.told(olga) == [posted["id"]]
    watches = watched.scene.magpie.gallery.watches
    assert await watches.of_owner(guild, int(finn.user["id"])) == []


async def test_a_member_of_whom_discord_tells_nothing_holds_up_nobody(watched: Watched) -> None:
    finn, ada, olga = [await watched.log_in(name) for name in ("finn", "ada", "olga")]
    await watched.add(finn)
    await watched.add(olga)
    guild = watched.scene.nest.world.guild_id
    magpie = watched.scene.magpie
    watched.scene.server.strike(
        "error",
        method="GET",
        path=f"/guilds/{guild}/members/{finn.user['id']}",
        status=403,
        code=0,
        message="Forbidden",
    )
    posted = await watched.post(ada, "pets")
    assert watched.told(olga) == [posted["id"]]
    assert watched.told(finn) == []
    magpie.writer.to_judge.set()  # it is tried again
    await watched.settled()
    assert watched.told(finn) == watched.told(olga) == [posted["id"]]


async def refuse_notices(
    watched: Watched, person: Person, status: int, code: int, times: int | None = None
) -> None:
    """From now on let Discord refuse what is sent to a member, after one notice that arrives."""
    (first,) = person.direct_messages()
    watched.scene.server.strike(
        "error",
        method="POST",
        path=f"/channels/{first.message['channel_id']}/messages",
        status=status,
        code=code,
        message="Refused",
        times=times,
    )


@pytest.mark.parametrize(("status", "code"), [(400, 50035), (403, 50278), (404, 0)])
async def test_what_discord_refuses_for_good_is_tried_a_few_times_and_told(
    watched: Watched, clocks: Clocks, status: int, code: int
) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn)
    await watched.post(ada, "pets")
    clocks.watch_again_s = 0.05
    await refuse_notices(watched, finn, status, code, MOST_TRIES)
    await watched.post(ada, "pets", "#20c840")
    assert await reason_of(watched, finn) == reasons.REFUSED
    _, told = finn.direct_messages()
    assert text.notice_refused() in told.text()
    assert text.notice_refused() in await listed(finn)


async def test_a_refusal_that_ends_keeps_no_notice_back(watched: Watched, clocks: Clocks) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    await watched.add(finn)
    first = await watched.post(ada, "pets")
    clocks.watch_again_s = 0.05
    await refuse_notices(watched, finn, 404, 0, MOST_TRIES - 1)
    second = await watched.post(ada, "pets", "#20c840")
    assert watched.told(finn) == [first["id"], second["id"]]
    assert await reason_of(watched, finn) == ""


async def test_words_that_automod_forbids_are_sent_once(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    place = watched.channel("general")
    await watched.add(finn, "in:#pets", channel=place)
    path = f"/channels/{place}/messages"
    watched.scene.server.strike(
        "error", method="POST", path=path, status=400, code=200000, message="Blocked by AutoMod"
    )
    await watched.post(ada, "pets")
    assert await reason_of(watched, finn) == reasons.REFUSED
    (told,) = finn.direct_messages()
    assert text.notice_refused() in told.text()


async def test_a_message_that_can_not_be_looked_for_is_not_looked_for_for_ever(
    watched: Watched, clocks: Clocks
) -> None:
    """Killed while a notice was on its way to an account that is deleted since."""
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    magpie = watched.scene.magpie
    clocks.notices_s = 1e6
    await watched.add(finn)
    await ada.post(watched.channel("pets"), pictures={"a.png": png("#2040c8")})
    await waits(watched)
    ((notice,),) = (await waiting(watched)).values()
    watched.scene.server.strike(
        "error",
        method="GET",
        path=f"/users/{finn.user['id']}",
        status=404,
        code=10013,
        message="Unknown User",
        times=None,
    )
    await magpie.writer.sending([notice], "0123456789abcdef")
    magpie.writer.to_tell.set()

    async def is_settled() -> bool:
        return await magpie.gallery.watches.begun() == {}

    await until(is_settled)
    assert finn.direct_messages() == []


@pytest.mark.parametrize("gone", [True, False])
async def test_a_channel_that_is_gone_or_closed_to_the_writer_is_told_once(
    watched: Watched, gone: bool
) -> None:
    finn, ada, olga = [await watched.log_in(name) for name in ("finn", "ada", "olga")]
    place = watched.channel("general")
    await watched.add(finn, "in:#pets", channel=place)
    if gone:
        await olga.request("DELETE", f"/channels/{place}")
    else:
        own = {"type": 1, "allow": "0", "deny": str(SEND)}
        who = finn.user["id"]
        await olga.request("PUT", f"/channels/{place}/permissions/{who}", json=own)
    await watched.post(ada, "pets")
    why = text.channel_gone() if gone else text.may_not_write()
    (told,) = finn.direct_messages()
    assert why in told.text()
    assert why in await listed(finn, watched.channel("pets"))
    await watched.post(ada, "pets", "#20c840")
    assert len(finn.direct_messages()) == 1


async def test_who_was_taken_out_of_a_private_thread_is_not_brought_back(watched: Watched) -> None:
    """Discord adds to a private thread whoever is mentioned there."""
    finn, ada, olga = [await watched.log_in(name) for name in ("finn", "ada", "olga")]
    thread = watched.channel("whispers")
    await watched.add(finn, "in:#pets", channel=thread)
    await watched.post(ada, "pets")
    told = len(await olga.messages(thread))
    await olga.request("DELETE", f"/channels/{thread}/thread-members/{finn.user['id']}")
    await watched.post(ada, "pets", "#20c840")
    assert len(await olga.messages(thread)) == told == 2
    assert await reason_of(watched, finn) == reasons.MAY_NOT_WRITE
    (said,) = finn.direct_messages()
    assert text.may_not_write() in said.text()


async def test_a_day_has_so_many_messages_and_the_last_one_says_so(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    watched.scene.magpie.limits.notices_a_day = 2
    await watched.add(finn)
    for number, colour in enumerate(("#2040c8", "#20c840", "#c8c820")):
        posted = await ada.post(watched.channel("pets"), pictures={"a.png": png(colour)})
        await waits_or_is_told(watched, finn, number + 1)
    first, last = finn.direct_messages()
    assert "last message of today" not in first.text()
    assert "last message of today" in last.text()
    ((notice,),) = (await waiting(watched)).values()
    assert notice.due > time.time() + 23 * 3600
    assert posted["id"] not in watched.told(finn)


async def test_a_new_watch_has_no_new_day(watched: Watched) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    watched.scene.magpie.limits.notices_a_day = 1
    await watched.add(finn)
    first = await watched.post(ada, "pets")
    (offered,) = await finn.suggestions("watch", "watch", "", subcommand="remove")
    await finn.command("watch", "remove", watch=offered["value"])
    await watched.add(finn)
    await ada.post(watched.channel("pets"), pictures={"a.png": png("#20c840")})
    await waits_or_is_told(watched, finn, 2)
    assert watched.told(finn) == [first["id"]]


async def waits_or_is_told(watched: Watched, person: Person, count: int) -> None:
    """Wait until so many pictures were told, or wait for another day."""

    async def are_there() -> bool:
        pending = (await waiting(watched)).values()
        tomorrow = [one for some in pending for one in some if one.due > time.time() + 3600]
        return len(watched.told(person)) + len(tomorrow) == count

    await until(are_there)


async def test_in_quiet_hours_a_notice_waits_though_it_was_due(
    watched: Watched, clocks: Clocks
) -> None:
    finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
    now = time.gmtime()
    hour = f"{now.tm_hour}-{(now.tm_hour + 2) % 24}"
    await watched.add(finn, quiet=hour)
    await ada.post(watched.channel("pets"), pictures={"a.png": png("#2040c8")})
    await waits(watched)
    writer = watched.scene.magpie.writer
    for notices in (await waiting(watched)).values():
        await writer.put_off(notices, 0.0)
    writer.to_tell.set()

    async def is_put_off() -> bool:
        ((notice,),) = (await waiting(watched)).values()
        return notice.due > time.time()

    await until(is_put_off)
    assert finn.direct_messages() == []
    assert text.waiting(1) in await listed(finn)


@pytest.mark.parametrize("was_sent", [True, False])
async def test_a_notice_on_its_way_at_a_kill_is_sent_once(
    nest: Nest,
    sandbox: sandbox_package.Server,
    db: Path,
    model: Embedder,
    log_in: LogIn,
    was_sent: bool,
) -> None:
    """Killed behind the sending, or before it: Magpie looks for the message."""
    clocks = quick_clocks(notices_s=1e6)
    async with running(sandbox, db, model, clocks) as magpie:
        await watch_everything(magpie)
        watched = Watched(Scene(nest, sandbox, magpie, log_in))
        finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
        await watched.add(finn)
        posted = await ada.post(watched.channel("pets"), pictures={"a.png": png("#2040c8")})
        await waits(watched)
        ((notice,),) = (await waiting(watched)).values()
        if was_sent:
            await let_go(watched)
            await magpie.gallery.bookkeeping._database.execute("UPDATE notices SET sent_at = NULL")
        else:
            await magpie.writer.put_off([notice], 0.0)
            await magpie.writer.sending([notice], "0123456789abcdef")
    assert len(finn.direct_messages()) == was_sent
    async with running(sandbox, db, model, clocks) as magpie:
        await Watched(Scene(nest, sandbox, magpie, log_in)).settled()
        assert await magpie.gallery.watches.begun() == {}
    assert watched.told(finn) == [posted["id"]]


async def test_what_was_posted_while_the_bot_was_away_is_told(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    async with running(sandbox, db, model) as magpie:
        await watch_everything(magpie)
        watched = Watched(Scene(nest, sandbox, magpie, log_in))
        finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
        await watched.add(finn)
    posted = await ada.post(watched.channel("pets"), pictures={"a.png": png("#2040c8")})
    async with running(sandbox, db, model) as magpie:
        await Watched(Scene(nest, sandbox, magpie, log_in)).settled()
    assert watched.told(finn) == [posted["id"]]


async def test_what_was_posted_long_before_the_bot_came_back_is_not_new(
    nest: Nest, sandbox: sandbox_package.Server, db: Path, model: Embedder, log_in: LogIn
) -> None:
    async with running(sandbox, db, model) as magpie:
        await watch_everything(magpie)
        watched = Watched(Scene(nest, sandbox, magpie, log_in))
        finn, ada = await watched.log_in("finn"), await watched.log_in("ada")
        await watched.add(finn)
    await ada.post(watched.channel("pets"), pictures={"a.png": png("#2040c8")})
    async with running(sandbox, db, model, quick_clocks(new_s=0.0)) as magpie:
        await Watched(Scene(nest, sandbox, magpie, log_in)).settled()
    assert finn.direct_messages() == []
