"""What the shared parts of a store need of a database: SQLite's or PostgreSQL's.

Their statements are written in what both engines understand. Where the engines differ, a statement
says it in one of these words, and the database puts its own in their place:

    ?, ?, …            parameters in order, or ?1, ?2, … by number; not both in one statement
    numbers(?)         as in `id IN (numbers(?))`: the numbers of a list, which is one parameter
    texts(?)           the texts of a list
    pairs(?, ?)        as in `FROM pairs(?, ?) AS asked`: two lists of numbers of one length, as the
                       columns `one` and `other`
    entry(c, 'name')   the text of this name in a column of JSON, or NULL
    flag(c, 'name')    1 where a column of JSON has true under this name, else 0
    by_index(name)     read the table by this index; only SQLite has to be told
    unindexed(c)       a column by which no rows are looked for, since another condition names the
                       few that can be meant; only SQLite has to be told

Truth values are kept as 0 and 1, and a condition says `partial != 0`. A parameter that may be NULL
is compared before it is asked whether it is: `(space = ?1 OR ?1 IS NULL)`, since PostgreSQL takes
its type from where it stands first.
"""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from index.types.filter import Filter

T = TypeVar("T")

# One row of an answer, column by column.
Row: TypeAlias = Sequence[Any]
# What the index of words has of a link: its terms in order, and what is like them.
Said: TypeAlias = tuple[Sequence[str], Sequence[str]]
# The two tables of that index.
WordTable: TypeAlias = Literal["words", "near_words"]
# Phrases, each of one or several terms in order.
Phrases: TypeAlias = Sequence[Sequence[str]]
# The largest number that a column holds.
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class WordQuestion:
    """What the index of words is asked.

    asked   for each home the phrases in its terms
    every   whether all of the phrases are to be there, or one of them
    """

    table: WordTable
    asked: Sequence[Phrases]
    every: bool


class Transaction(Protocol):
    """A transaction that is under way. What is written in it is kept as a whole, or not at all."""

    async def rows(self, sql: str, *params: Any) -> list[Row]:
        """All rows that a statement gives."""

    async def execute(self, sql: str, *params: Any) -> int:
        """Run a statement; returns how many rows it has changed."""

    async def execute_many(self, sql: str, many: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each of these lists of parameters."""

    async def put_words(self, said: Sequence[tuple[int, Said]]) -> None:
        """Have links in the index of words that are not in it yet."""

    async def take_words(self, said: Sequence[tuple[int, Said]]) -> None:
        """Take links out of the index of words; what it has of each must be given."""

    async def clear_words(self) -> None:
        """Have no link in the index of words."""

    async def merge_words(self) -> None:
        """Leave nothing in the index of words of links that were taken out, and make it quick."""

    async def create_results(self, table: str) -> None:
        """Make a table with the columns `item`, which names an item and goes with it, and `data`,
        which holds bytes."""

    async def follow(self, changed: Mapping[int, Collection[int]]) -> None:
        """Let other processes that have rows in memory see that links were added, changed or
        removed: by space, their ids."""

    async def forget_space(self, space: int) -> None:
        """Keep nothing of a space that was kept for a search which the database does itself."""

    async def hold_rules(self, spaces: Collection[int], *, to_change: bool = False) -> None:
        """Let what these spaces take stay as it is until the end of the transaction. Whoever is to
        change it waits for all others that hold it, and others wait for them."""

    async def hold_item(self, key: bytes) -> None:
        """Until the end of the transaction let no other one make or move a link to the item with
        this key. What is read afterwards has the links of those that were before."""

    async def touch(self, links: Collection[int]) -> None:
        """Note that these links are no longer as files beside the database have them."""


class Database(Protocol):
    """A database that keeps a gallery."""

    @property
    def place(self) -> str:
        """Where it is, for people; without a password."""

    async def rows(self, sql: str, *params: Any) -> list[Row]:
        """All rows that a query gives."""

    async def many_rows(self, sql: str, *params: Any) -> list[Row]:
        """All rows that a query gives, which may be so many that others must not wait for it."""

    async def write(self, fn: Callable[[Transaction], Awaitable[T]]) -> T:
        """What `fn` gives back, run as one transaction that a cancelled caller doesn't stop. `fn`
        may be called again where the transaction met another one."""

    async def execute(self, sql: str, *params: Any) -> None:
        """Run one statement as a transaction."""

    def chunks(self, sql: str, *params: Any, size: int) -> AsyncGenerator[list[Row]]:
        """The rows that a query gives, `size` at a time."""

    async def saying(
        self,
        questions: Callable[[], Sequence[WordQuestion]],
        filter: Filter,
        *,
        most: int | None = None,
    ) -> list[list[int]]:
        """For each of these questions the links of the filter's space and groups that the index of
        words has, at most so many. Nothing is read of what other questions would find.

        All are asked at once: each by itself would be a way to the database and back.

        questions   makes them; it is called in a thread, since a long line in hundreds of channels
                    has a hundred thousand hashes
        """

    async def count_rows(self, table: str) -> int:
        """How many rows a table has; nearly, where to count them all would take long."""

    def note_deletion(self) -> None:
        """Something is deleted in this transaction, and is to leave nothing."""

    async def disk_bytes(self) -> int:
        """What the gallery takes on disk."""
