"""Whether a member can tell what is in a closed channel or another server.

There are three servers which look the same to an ordinary member. In `bare` the channels and
threads that are closed to them have no picture; in `full` the channels have many that match every
question, by what they show and by the words in them, and copies of all that is open; in `threads`
the private thread has them too. The same is
asked in each, in turn, and what could tell them apart is counted:

words   questions whose answers differ in any word, number, button or picture
time    how often an answer in one takes longer than in another, as a share; 0.5 is chance
work    questions and posts for which the model has more or less to do, if a file is known in a
        closed channel or another server, or if somebody else asked the same words before
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import random
import re
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bench.report import Figure, Target
from checks.permissions import oracle, testbed
from checks.permissions.oracle import Member, Place, Says, Server
from checks.permissions.random_servers import (
    FORUM,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    TEXT,
    VOICE,
    WRITING,
    Layout,
)
from checks.permissions.testbed import Scene, Testbed, open_testbed
from index import Sort
from index.embed import checkpoint, embedder
from index.embed.embedder import Embedder
from index.types.records import Floats, key_of
from sandbox.person import Answer, Payload, Person

if TYPE_CHECKING:
    from PIL.Image import Image

BARE, FULL, THREADS = range(3)
NAMES = ("bare", "full", "threads")
OPEN_PICTURES, CLOSED_PICTURES = 10, 60
ROUNDS = 300  # how often the same question is timed in each server
# Rounds in which one overview and one `/help` are timed: they take as long as many questions.
FEW_EACH = 6
# By how much the share may differ from 0.5 for 50 of them: four standard deviations.
FEW_TOLERANCE = 0.24
FRESH_PICTURES = 6  # that no server has
# By how much the share may differ from 0.5. With 300 rounds, chance alone exceeds it in one of
# 40,000 runs.
TOLERANCE = 0.1
QUESTION = "a red circle"
# What is written in the pictures: in those that closed channels alone have, and in the open ones.
CLOSED_LINES, OPEN_LINES = ("secret plan", "a red circle"), ("a red circle", "of friends")
CHANGING = re.compile(r"^(?:Speed|Up for|Model|-# <t:).*$", re.M)

# The number of each channel or thread, the same in every server.
LOBBY, GENERAL, ALBUM, STAFF, UNTOLD, ADULT, LOUNGE, BOARD, POST, WHISPERS = range(10)
OWNER, MEI, MANAGER, STRANGER = range(4)
CLOSED = (STAFF, UNTOLD, ADULT, LOUNGE, POST)


@dataclass
class Told:
    """What differed, and how long each answer took, in seconds.

    took          to a question in words, in each server
    took_typing   to a key, in each server
    took_posted   to "Posted before?", in each server
    took_overview to `/overview`, in each server
    took_help     to `/help`, in each server
    took_unknown  to a question with a picture that no server has
    took_known    to one with a picture of a closed channel
    """

    by_words: list[str] = field(default_factory=list)
    by_work: list[str] = field(default_factory=list)
    compared: int = 0
    took: tuple[list[float], ...] = field(default_factory=lambda: ([], [], []))
    took_typing: tuple[list[float], ...] = field(default_factory=lambda: ([], [], []))
    took_posted: tuple[list[float], ...] = field(default_factory=lambda: ([], [], []))
    took_overview: tuple[list[float], ...] = field(default_factory=lambda: ([], [], []))
    took_help: tuple[list[float], ...] = field(default_factory=lambda: ([], [], []))
    took_unknown: list[float] = field(default_factory=list)
    took_known: list[float] = field(default_factory=list)

    def share(self, of: int) -> float:
        """How often an answer takes longer there than in the bare server, as a share."""
        return _longer(self.took[of], self.took[BARE])

    def share_typing(self, of: int) -> float:
        """The same of what is offered while somebody types."""
        return _longer(self.took_typing[of], self.took_typing[BARE])

    def share_posted(self, of: int) -> float:
        """The same of "Posted before?", about a picture whose copies are in closed channels."""
        return _longer(self.took_posted[of], self.took_posted[BARE])

    def share_overview(self, of: int) -> float:
        """The same of `/overview`."""
        return _longer(self.took_overview[of], self.took_overview[BARE])

    def share_help(self, of: int) -> float:
        """The same of `/help`, whose examples are made from pictures that the asker can see."""
        return _longer(self.took_help[of], self.took_help[BARE])

    def share_unknown(self) -> float:
        """How often it takes longer to ask with an unknown picture than with one of a closed
        channel, as a share."""
        return _longer(self.took_unknown, self.took_known)

    def figures(self) -> dict[str, Figure]:
        medians = [f"{1000 * statistics.median(took):.1f}" for took in self.took]
        figures: dict[str, Figure] = {
            "told by words": len(self.by_words),
            "told by work": len(self.by_work),
            "compared": self.compared,
            "told by time": abs(self.share(FULL) - 0.5),
            "full slower than bare": self.share(FULL),
            "threads slower than bare": self.share(THREADS),
            "told by time of typing": abs(self.share_typing(FULL) - 0.5),
            "typing in threads slower than in bare": self.share_typing(THREADS),
            "told by time of Posted before?": abs(self.share_posted(FULL) - 0.5),
            "Posted before? in threads slower than in bare": self.share_posted(THREADS),
            "told by time of an overview": abs(self.share_overview(FULL) - 0.5),
            "an overview with threads slower than bare": self.share_overview(THREADS),
            "told by time of help": abs(self.share_help(FULL) - 0.5),
            "help with threads slower than bare": self.share_help(THREADS),
            "told by time of a picture": abs(self.share_unknown() - 0.5),
            "unknown picture slower than known": self.share_unknown(),
            "median ms bare, full, threads": ", ".join(medians),
        }
        differing = (self.by_words + self.by_work)[:5]
        return figures | {f"differs {n}": told for n, told in enumerate(differing, 1)}

    def targets(self) -> dict[str, Target]:
        return {
            "told by words": Target(len(self.by_words), 0, at_least=False),
            "told by work": Target(len(self.by_work), 0, at_least=False),
            "told by time": Target(abs(self.share(FULL) - 0.5), TOLERANCE, at_least=False),
            "told by time of typing": Target(
                abs(self.share_typing(FULL) - 0.5), TOLERANCE, at_least=False
            ),
            "told by time of Posted before?": Target(
                abs(self.share_posted(FULL) - 0.5), TOLERANCE, at_least=False
            ),
            "told by time of an overview": Target(
                abs(self.share_overview(FULL) - 0.5), FEW_TOLERANCE, at_least=False
            ),
            "told by time of help": Target(
                abs(self.share_help(FULL) - 0.5), FEW_TOLERANCE, at_least=False
            ),
            "told by time of a picture": Target(
                abs(self.share_unknown() - 0.5), TOLERANCE, at_least=False
            ),
        }


def _longer(some: Sequence[float], others: Sequence[float]) -> float:
    """How often one of `some` is greater than one of `others`, as a share of all pairs."""
    pairs = itertools.product(some, others)
    return statistics.fmean((a > b) + (a == b) / 2 for a, b in pairs)


class Counted:
    """An embedder that counts the frames and texts that it is given."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.scale: float | None = None
        self.given = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def images(self, frames: Sequence[Image], between: Any = None) -> Floats:
        self.given += len(frames)
        return self._embedder.images(frames, between)

    def texts(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]:
        self.given += len(texts)
        return self._embedder.texts(texts)


async def compare(
    folder: Path,
    model: testbed.Model,
    *,
    place: str | Path | None = None,
    closed: int = CLOSED_PICTURES,
    rounds: int = ROUNDS,
) -> Told:
    """Ask the same in the three servers, and compare the answers, their times and the work.

    place    of the gallery: a file in the folder, unless another place is given
    """
    if isinstance(model, str):
        model = embedder.load(checkpoint.find(model), "cpu")
    counted = Counted(model)
    ids = testbed.ids()
    bot = next(ids)
    scene, twins = Scene(folder, bot), []
    files = testbed.draw(folder, OPEN_PICTURES + closed + FRESH_PICTURES + rounds)
    shown, hidden = files[:OPEN_PICTURES], files[OPEN_PICTURES:][:closed]
    fresh = iter(files[OPEN_PICTURES + closed :])
    for which in (BARE, FULL, THREADS):
        numbers = [next(ids) for _ in range(20)]
        of = _layout(numbers, bot)
        pictures = {of.places[GENERAL].id: shown[::2], of.places[ALBUM].id: shown[1::2]}
        if which >= FULL:
            # Copies of the open pictures, too: they must not be counted beside these.
            pictures |= {of.places[place].id: [*hidden, *shown] for place in CLOSED}
        if which == THREADS:
            pictures[of.places[WHISPERS].id] = [*hidden, *shown]
        # The other two have pictures in closed channels alone.
        known = of.people[:MANAGER]
        authors = {of.places[place].id: known for place in (GENERAL, ALBUM)}
        scene.build(of, pictures, authors)
        twins.append(of)
    people = [id for of in twins for id in of.people]
    place = place or folder / "magpie.db"
    async with open_testbed(scene, people, place, cast(Embedder, counted)) as on:
        for of in twins:
            await on.watch(of)
            await on.become(_closed(of))
        await on.settled()
        await _read(on, shown)
        told = Told()
        for ask in QUESTIONS:
            await _compare(told, on, twins, ask)
        await _time(told, on, twins, rounds)
        await _time_pictures(told, on, twins[FULL], hidden, itertools.islice(fresh, rounds))
        await _count_work(told, on, twins, counted, hidden, fresh)
    return told


async def _read(on: Testbed, shown: Sequence[Path]) -> None:
    """Let the pictures say something; nobody has read every third one."""
    transcripts = on.magpie.gallery.transcripts
    await transcripts.begin("check")
    names = {one.message: one.file for of in on.pictures.values() for one in of}
    open_ = {key_of("image", file.read_bytes()) for file in shown}
    keys = sorted({key_of("image", file.read_bytes()) for file in names.values()})
    for key in [key for number, key in enumerate(keys) if number % 3]:
        await transcripts.put(key, "check", OPEN_LINES if key in open_ else CLOSED_LINES)


def _layout(ids: Sequence[int], bot: int) -> Layout:
    kinds = (TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, VOICE, FORUM)
    server, own_role, category, staff, managers, out, *rest = ids
    places = [Place(id, kind) for id, kind in zip(rest, kinds, strict=False)]
    post, whispers, *people = rest[len(kinds) :]
    places.append(Place(post, PUBLIC_THREAD, parent=places[BOARD].id))
    places.append(Place(whispers, PRIVATE_THREAD, parent=places[GENERAL].id, private=True))
    roles = (staff, managers, out)
    return Layout(server, bot, own_role, category, roles, tuple(people[:4]), tuple(places))


def _closed(of: Layout) -> Server:
    """The server in which only #lobby, #general and #album are open to others than the owner.

    To the stranger #general and #album are closed as well.
    """
    staff, managers, out = of.roles
    owner, mei, manager, stranger = of.people
    reading = oracle.VIEW_CHANNEL | oracle.READ_MESSAGE_HISTORY | oracle.CONNECT
    roles = {of.server: WRITING | reading, staff: reading, managers: oracle.MANAGE_GUILD, out: 0}
    members = (
        Member(owner),
        Member(mei),
        Member(manager, frozenset({managers})),
        Member(stranger, frozenset({out})),
    )
    places = {one.id: Place(one.id, one.kind, one.parent, one.private) for one in of.places}
    here = [places[one.id] for one in of.places]
    nobody = {of.server: Says(deny=oracle.VIEW_CHANNEL), staff: Says(allow=reading)}
    here[STAFF].to_roles = here[BOARD].to_roles = nobody
    here[UNTOLD].to_roles = {of.server: Says(deny=oracle.READ_MESSAGE_HISTORY)}
    here[LOUNGE].to_roles = {of.server: Says(deny=oracle.CONNECT)}
    here[ADULT].age_restricted = True
    here[ADULT].to_roles = {managers: Says(deny=oracle.VIEW_CHANNEL)}  # they may be told counts
    here[GENERAL].to_roles = here[ALBUM].to_roles = {out: Says(deny=oracle.VIEW_CHANNEL)}
    here[WHISPERS].joined = {owner}
    return Server(of.server, owner, of.bot, roles, places, {one.id: one for one in members})


# ---- by words


Ask = Callable[[Testbed, Layout], Awaitable[list[Answer]]]


async def _compare(told: Told, on: Testbed, twins: Sequence[Layout], ask: Ask) -> None:
    bare, *others = [[_plain(on, of, answer) for answer in await ask(on, of)] for of in twins]
    for name, other in zip(NAMES[1:], others, strict=True):
        told.compared += len(bare)
        if other != bare:
            told.by_words.append(f"{ask.__name__}, {name}: {other} instead of {bare}")


def _plain(on: Testbed, of: Layout, answer: Answer) -> str:
    """An answer without what differs between any two: ids are replaced by names, times removed."""
    names = {of.server: "server"}
    names |= {place.id: f"place {n}" for n, place in enumerate(of.places)}
    names |= {person: f"person {n}" for n, person in enumerate(of.people)}
    open_ = [
        one
        for one in on.pictures[of.server]
        if one.place in (of.places[GENERAL].id, of.places[ALBUM].id)
    ]
    names |= {one.message: f"picture {one.file.name}" for one in open_}
    labels = [str(button.get("label")) for button in answer.buttons()]
    labels += [option["label"] for part in answer.parts() for option in part.get("options", ())]
    seen = f"{answer.text()}\n{labels} {len(answer.pictures())} {answer.private}"
    seen = re.sub(r"\d{15,}", lambda id: names.get(int(id[0]), "an id"), seen)
    return CHANGING.sub("", re.sub(r"<t:\d+:\w>", "a time", seen))


async def _command(
    on: Testbed, of: Layout, who: int, where: int, *name: str, **options: str
) -> Answer:
    return await on.people[of.people[who]].command(*name, where=str(of.places[where].id), **options)


async def find(on: Testbed, of: Layout) -> list[Answer]:
    """A page, each way to change it, one of its pictures, and what is similar."""
    mei = on.people[of.people[MEI]]
    answers = [await _command(on, of, MEI, LOBBY, "find", query=QUESTION)]
    for label in ("▶", "◀"):
        answers.append(await mei.click(answers[-1], answers[-1].button(label)))
    answers.append(await mei.choose(answers[-1], answers[-1].menu(), Sort.NEWEST.value))
    for label in ("Less like this", "More like this"):
        looked = await _look(mei, answers[-1])
        answers += [looked, await mei.click(looked, looked.button(label))]
    answers.append(await mei.click(answers[-1], answers[-1].button("Undo")))
    answers.append(await _look(mei, answers[-1]))
    answers.append(await mei.click(answers[-1], answers[-1].button("Only similar")))
    return answers


async def written(on: Testbed, of: Layout) -> list[Answer]:
    """Words in pictures, exact and plain: of the open ones, and of those that are closed."""
    lines = ('"red circle"', '"secret plan"', '"a red" friends', "secret plan", "circle of frends")
    shown = ("me", "everyone")
    return [
        await _command(on, of, MEI, LOBBY, "find", query=f"{line} show:{show}")
        for line in lines
        for show in shown
    ]


async def _look(person: Person, answer: Answer) -> Answer:
    """A closer look at the first picture."""
    menu = answer.menu()
    return await person.choose(answer, menu, menu["options"][0]["value"])


async def narrow(on: Testbed, of: Layout) -> list[Answer]:
    """The form below an answer, with an order, and with channels that are closed."""
    mei = on.people[of.people[MEI]]
    answers = [await _command(on, of, MEI, LOBBY, "find", query=QUESTION)]
    answers.append(await _narrowed(mei, answers[0], f"sort:oldest {QUESTION}"))
    sorted_ = answers[-1]  # it stays where a channel is unknown
    for place in CLOSED:
        line = f"{QUESTION} in:<#{of.places[place].id}>"
        answers.append(await _narrowed(mei, sorted_, line))
    return answers


async def _narrowed(person: Person, answer: Answer, line: str) -> Answer:
    form = await person.open_form(answer, answer.button("Narrow"))
    return await person.submit(answer, form, line=line)


async def find_for_everyone(on: Testbed, of: Layout) -> list[Answer]:
    answer = await _command(on, of, MEI, LOBBY, "find", query=QUESTION, show="everyone")
    stranger = on.people[of.people[STRANGER]]
    return [answer, await stranger.click(answer, answer.button("More"))]


async def find_by_a_stranger(on: Testbed, of: Layout) -> list[Answer]:
    """By somebody to whom every channel with pictures is closed."""
    return [await _command(on, of, STRANGER, LOBBY, "find", query=QUESTION)]


async def closed_names(on: Testbed, of: Layout) -> list[Answer]:
    """Filters on channels that are closed, on one that doesn't exist, and on each member."""
    closed = [of.places[place].id for place in CLOSED]
    lines = [f"in:<#{id}>" for id in closed] + [f"in:{of.name(id)}" for id in closed]
    lines += [f"-in:<#{closed[0]}> {QUESTION}", "in:<#1>", "in:nowhere"]
    lines += [f"from:<@{person}>" for person in of.people]
    return [await _command(on, of, MEI, LOBBY, "find", query=line) for line in lines]


async def typing(on: Testbed, of: Layout) -> list[Answer]:
    """What is offered while somebody types."""
    typed = (("in", ""), ("in", "place"), ("from", ""), ("from", "person"), ("query", "x in:"))
    return [Answer({"content": await _offered(on, of, *one)}) for one in typed]


async def _offered(on: Testbed, of: Layout, option: str, typed: str) -> str:
    """The choices for an option, in their order."""
    where = str(of.places[LOBBY].id)
    mei = on.people[of.people[MEI]]
    offered = await mei.suggestions("find", option, typed, where=where)
    return "\n".join(f"{one['name']} = {one['value']}" for one in offered)


async def mention(on: Testbed, of: Layout) -> list[Answer]:
    mei = on.people[of.people[MEI]]
    posted = await mei.post(str(of.places[GENERAL].id), f"<@{of.bot}> {QUESTION}")
    return [await _reply_to(mei, posted)]


async def menu(on: Testbed, of: Layout) -> list[Answer]:
    return [await on.people[of.people[MEI]].menu("Find similar", _in_general(on, of))]


async def posted_before(on: Testbed, of: Layout) -> list[Answer]:
    """About a picture that closed channels show, too, privately and for everyone."""
    mei, place = on.people[of.people[MEI]], of.places[GENERAL].id
    private, target = await _posted_before(on, of), _in_general(on, of)
    said = await mei.post(str(place), f"<@{of.bot}> posted before?", reply_to=target)
    return [private, await _reply_to(mei, said)]


async def _posted_before(on: Testbed, of: Layout) -> Answer:
    return await on.people[of.people[MEI]].menu("Posted before?", _in_general(on, of))


def _in_general(on: Testbed, of: Layout) -> Payload:
    """A message of #general with a picture."""
    place = of.places[GENERAL].id
    shown = next(one for one in on.pictures[of.server] if one.place == place)
    return {"id": str(shown.message), "channel_id": str(place)}


async def note(on: Testbed, of: Layout) -> list[Answer]:
    """Notes below a picture that #general shows, and one that only closed channels show."""
    mei, place = on.people[of.people[MEI]], of.places[GENERAL].id
    await on.magpie.noted.set(of.server, place, 50)
    known = [one for one in on.pictures[of.server] if one.place == place]
    closed = [one for one in on.pictures[of.server] if one.place == of.places[STAFF].id]
    files = [known[0].file, *(one.file for one in closed[:1])]
    answers = []
    for file in files:
        data = await asyncio.to_thread(file.read_bytes)
        posted = await mei.post(str(place), pictures={file.name: data})
        await on.settled()
        while on.magpie.notes.busy:  # noqa: ASYNC110 (there is no event for it)
            await asyncio.sleep(0.01)
        below = [m for m in await mei.messages(str(place)) if _replies_to(m, posted)]
        answers += [Answer(message) for message in below]
        await mei.request("DELETE", f"/channels/{place}/messages/{posted['id']}")
    await on.settled()
    return answers


async def _reply_to(person: Person, posted: Payload) -> Answer:
    where = functools.partial(_replies_to, posted=posted)
    return Answer(await person.event("MESSAGE_CREATE", where=where))


def _replies_to(message: Payload, posted: Payload) -> bool:
    return bool((message.get("message_reference") or {}).get("message_id") == posted["id"])


async def overview(on: Testbed, of: Layout) -> list[Answer]:
    """The clusters, their names, counts and order, and the pictures of one."""
    shown = ("only me", "everyone")
    answers = [await _command(on, of, MEI, LOBBY, "overview", show=show) for show in shown]
    mei = on.people[of.people[MEI]]
    return [*answers, await _look(mei, answers[0])]


async def helped(on: Testbed, of: Layout) -> list[Answer]:
    """The examples, made from pictures that can be seen."""
    return [await _command(on, of, MEI, LOBBY, "help")]


async def counts(on: Testbed, of: Layout) -> list[Answer]:
    return [
        await _command(on, of, MANAGER, LOBBY, "channels", "list"),
        await _command(on, of, MANAGER, LOBBY, "status"),
    ]


QUESTIONS: tuple[Ask, ...] = (
    find,
    narrow,
    find_for_everyone,
    find_by_a_stranger,
    written,
    closed_names,
    typing,
    mention,
    menu,
    posted_before,
    note,
    overview,
    helped,
    counts,
)


# ---- by time


async def _time(told: Told, on: Testbed, twins: Sequence[Layout], rounds: int) -> None:
    rng = random.Random(rounds)
    for number in range(rounds):
        for which in rng.sample((BARE, FULL, THREADS), 3):
            if number % FEW_EACH == 0:
                made = await _command(on, twins[which], MEI, LOBBY, "overview")
                told.took_overview[which].append(made.took_s)
                helped = await _command(on, twins[which], MEI, LOBBY, "help")
                told.took_help[which].append(helped.took_s)
            answer = await _command(on, twins[which], MEI, LOBBY, "find", query=QUESTION)
            told.took[which].append(answer.took_s)
            for option in ("from", "in"):
                began = time.perf_counter()
                await _offered(on, twins[which], option, "")
                told.took_typing[which].append(time.perf_counter() - began)
            told.took_posted[which].append((await _posted_before(on, twins[which])).took_s)
        for of in twins:
            on.people[of.people[MEI]].forget()


async def _time_pictures(
    told: Told, on: Testbed, of: Layout, known: Sequence[Path], unknown: Iterable[Path]
) -> None:
    rng = random.Random(len(known))
    for number, file in enumerate(unknown):
        pair = [(told.took_unknown, file), (told.took_known, known[number % len(known)])]
        for took, picture in rng.sample(pair, 2):
            took.append((await _find_with(on, of, picture)).took_s)
        on.people[of.people[MEI]].forget()


async def _find_with(on: Testbed, of: Layout, picture: Path) -> Answer:
    image = (picture.name, await asyncio.to_thread(picture.read_bytes))
    where = str(of.places[LOBBY].id)
    return await on.people[of.people[MEI]].command("find", where=where, image=image)


# ---- by work


async def _count_work(
    told: Told,
    on: Testbed,
    twins: Sequence[Layout],
    counted: Counted,
    hidden: Sequence[Path],
    fresh: Iterator[Path],
) -> None:
    """Compare what the model has to do for what somebody knows and for what nobody does."""
    bare, full, _ = twins

    async def work(doing: Awaitable[object]) -> int:
        before = counted.given
        await doing
        await on.settled()
        return counted.given - before

    async def note(what: str, unknown: Awaitable[object], known: Awaitable[object]) -> None:
        told.compared += 1
        first, second = await work(unknown), await work(known)
        if not first or first != second:
            told.by_work.append(f"{what}: {second} for what is known, {first} otherwise")

    for of, place in ((bare, "another server"), (full, "a closed channel")):
        asked = [_find_with(on, of, picture) for picture in (next(fresh), hidden[0])]
        await note(f"asking with a picture of {place}", *asked)
        posted = [_post(on, of, picture) for picture in (next(fresh), hidden[1])]
        await note(f"posting a picture of {place}", *posted)
    # The same words twice: the model reads others in more parts, or in fewer.
    words = [
        _command(on, full, who, LOBBY, "find", query="a tree on a hill") for who in (MANAGER, MEI)
    ]
    await note("asking words that somebody else asked", *words)


async def _post(on: Testbed, of: Layout, picture: Path) -> None:
    """Post a picture in an open channel; returns when it is indexed."""
    mei, place = on.people[of.people[MEI]], of.places[GENERAL].id
    data = await asyncio.to_thread(picture.read_bytes)
    posted = await mei.post(str(place), pictures={picture.name: data})
    await on.indexed(of.server, posted["id"])
