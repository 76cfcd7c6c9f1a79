"""Commands of a program, on click: what they take, their help, and what is said when it is wrong.

click parses, completes and lays out. Everything that a person reads is ours: what is wrong with the
arguments is a `WrongUse`, which `run` prints.
"""

from __future__ import annotations

import asyncio
import inspect
import shlex
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from typing import Any

import click
from click.shell_completion import CompletionItem

from console import output
from console.arguments import Options, meant, sort_out, split
from console.exits import DONE, INTERRUPTED, REFUSED, WrongUse
from console.output import harmless

HELP = ("-h", "--help")
OPTIONS = "console.options"  # where a context keeps what was typed


@dataclass(frozen=True, kw_only=True)
class Called:
    """What every command is given.

    program  the program as it was called, for examples
    options  those that were typed, each with its value if it has one
    """

    program: str
    options: tuple[tuple[str, ...], ...]


class Command(click.Command):
    """One command: its parameters become the fields of an object, which `run` gets.

    run      returns the exit code, or a coroutine that does
    given    the class of the object, a kind of `Called`
    summary  a line about it, for the help of the program that it is part of
    minus    whether words may begin with a dash, see `console.arguments`
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Any], int | Awaitable[int]],
        given: type[Called],
        *,
        summary: str = "",
        help: str = "",
        epilog: str = "",
        params: Sequence[click.Parameter] = (),
        minus: bool = False,
    ) -> None:
        super().__init__(
            name,
            params=[*params, _help_option()],
            help=help or summary,
            epilog=epilog,
            short_help=summary,
            add_help_option=False,
            options_metavar="[options]",
            context_settings={"allow_extra_args": True},
        )
        self._run, self._given, self._minus = run, given, minus

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            found = sort_out(args, self.known(ctx.command_path))
        except WrongUse:
            if not ctx.resilient_parsing:
                raise
            return super().parse_args(ctx, [])  # completion of what isn't finished
        ctx.meta[OPTIONS] = tuple(found.options)
        more = super().parse_args(ctx, [*chain(*found.options), "--", *found.words])
        if more and not ctx.resilient_parsing:
            raise WrongUse(_too_many(ctx, more[0]))
        return more

    def invoke(self, ctx: click.Context) -> int:
        program = ctx.parent.command_path if ctx.parent else ctx.command_path
        given = self._given(program=program, options=ctx.meta[OPTIONS], **ctx.params)
        result = self._run(given)
        if inspect.iscoroutine(result):
            code: int = asyncio.run(result)
            return code
        assert isinstance(result, int)
        return result

    def known(self, program: str) -> Options:
        """Its options, by which arguments are sorted."""
        return Options(program, _takes(self.params), self._minus)

    def line(self, program: str, options: Iterable[Sequence[str]], words: Sequence[str]) -> str:
        """A line that calls this command with these options and words, to be pasted.

        program   as it was called
        """
        try:
            plain = sort_out(words, self.known(program)).words == list(words)
        except WrongUse:
            plain = False
        typed = list(chain(*options))
        parts = [*words, *typed] if plain else [*typed, "--", *words]
        return harmless(" ".join([program, str(self.name), *map(shlex.quote, parts)]))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = super().shell_complete(ctx, incomplete)
        for param in self.params if self._minus else ():
            if isinstance(param, click.Argument):
                found += param.shell_complete(ctx, incomplete)
        return found

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_usage(self, ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_options(self, ctx, formatter)


class Group(click.Group):
    """A program of several commands. Options of a command may also stand before its name.

    programs   packages that are commands, too, each with a line about it; a package is imported
               when its command is called: its `__main__` has the command as COMMAND
    """

    def __init__(
        self,
        help: str,
        commands: Sequence[click.Command],
        programs: Mapping[str, str] | None = None,
        *,
        epilog: str = "",
        params: Sequence[click.Parameter] = (),
    ) -> None:
        super().__init__(
            commands={str(command.name): command for command in commands},
            params=[*params, _help_option()],
            help=help,
            epilog=epilog,
            add_help_option=False,
            options_metavar="[options]",
            subcommand_metavar="COMMAND ...",
        )
        self._programs = programs or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.commands, *self._programs]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._programs:
            return self.commands.get(cmd_name)
        if find_spec(cmd_name) is None:
            raise WrongUse(f"{ctx.command_path}: {cmd_name} is not part of this installation.")
        command: click.Command = import_module(f"{cmd_name}.__main__").COMMAND
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = _takes(self.get_params(ctx))
        before, rest = split(args, self._takes() | own)
        mine = [argument for argument in before if argument in own]
        theirs = [argument for argument in before if argument not in own]
        if not rest and not mine:
            if ctx.resilient_parsing:
                return super().parse_args(ctx, [])
            if theirs:
                raise WrongUse(f"Which command? {ctx.command_path} --help lists them.")
            mine = ["--help"]
        return super().parse_args(ctx, [*mine, "--", *rest[:1], *theirs, *rest[1:]])

    def _takes(self) -> dict[str, str | None]:
        """The options of all commands that are not programs of their own."""
        return {
            name: value
            for command in self.commands.values()
            for name, value in _takes(command.params).items()
        }

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        command = self.get_command(ctx, args[0])
        if command is None and not ctx.resilient_parsing:
            raise WrongUse(
                f"{ctx.command_path} has no command {args[0]!r}"
                f"{meant(args[0], self.list_commands(ctx))} {ctx.command_path} --help lists them."
            )
        return args[0], command, args[1:]

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        lines = self._lines()
        found = [CompletionItem(name, help=lines[name]) for name in lines]
        found = [item for item in found if item.value.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def _lines(self) -> dict[str, str]:
        lines = {name: command.short_help or "" for name, command in self.commands.items()}
        return lines | dict(self._programs)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_usage(self, ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines().items()))
        _write_options(self, ctx, formatter)


# ---- parameters


def option(*names: str, **settings: Any) -> click.Option:
    """An option; `metavar` names its value in sentences, such as "FILE"."""
    return click.Option([*names], **settings)


def flag(*names: str, **settings: Any) -> click.Option:
    """An option without a value."""
    return click.Option([*names], is_flag=True, **settings)


class Whole(click.ParamType[int]):
    """A whole number from `least` to `most`."""

    name = "number"

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value)
        plain = text.isascii() and text.isdecimal() and len(text) < 20
        if not plain or not self._least <= int(text) <= self._most:
            raise WrongUse(
                f"{_name(param)} takes a whole number from {self._least:,} to {self._most:,}, "
                f"not {text!r}."
            )
        return int(text)


class Choice(click.ParamType[str]):
    """One of some words."""

    name = "choice"

    def __init__(self, *words: str) -> None:
        self._words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self._words:
            return str(value)
        known = f"{', '.join(self._words[:-1])} or {self._words[-1]}"
        end = meant(str(value), self._words)
        raise WrongUse(f"{_name(param)} takes {known}, not {str(value)!r}{end}")

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(word) for word in self._words if word.startswith(incomplete)]


class Name(click.ParamType[str]):
    """The name of a file or folder, as it was typed; a shell completes it.

    kind   "file" (folders, too) or "dir"
    """

    name = "name"

    def __init__(self, kind: str = "file") -> None:
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return str(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type=self._kind)]


def _takes(params: Sequence[click.Parameter]) -> dict[str, str | None]:
    """Each option's names, with the word for its value; None for one without a value."""
    return {
        name: None if param.is_flag else param.metavar or "a value"
        for param in params
        if isinstance(param, click.Option)
        for name in (*param.opts, *param.secondary_opts)
    }


def _name(param: click.Parameter | None) -> str:
    """What a sentence calls a parameter: an option by its longest name."""
    assert param is not None
    return max(param.opts, key=len) if isinstance(param, click.Option) else _metavar(param)


def _metavar(param: click.Parameter) -> str:
    return param.metavar or str(param.name).upper()


# ---- help


def _help_option() -> click.Option:
    def show(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted and not ctx.resilient_parsing:
            output.say_lines(ctx.get_help())
            ctx.exit()

    return click.Option(
        [*HELP], is_flag=True, is_eager=True, expose_value=False, callback=show, help="print this"
    )


def version_option(text: Callable[[], str]) -> click.Option:
    """`--version`, which prints this text."""

    def show(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted and not ctx.resilient_parsing:
            output.say(text())
            ctx.exit()

    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="print which version this is",
    )


def _write_usage(
    command: click.Command, ctx: click.Context, formatter: click.HelpFormatter
) -> None:
    pieces = command.collect_usage_pieces(ctx)
    formatter.write_usage(ctx.command_path, " ".join(pieces), prefix="usage: ")


def _write_options(
    command: click.Command, ctx: click.Context, formatter: click.HelpFormatter
) -> None:
    records = [
        (_described(param), param.help or "")
        for param in command.get_params(ctx)
        if isinstance(param, click.Option)
    ]
    with formatter.section("Options"):
        formatter.write_dl(records)


def _described(param: click.Option) -> str:
    names = ", ".join(sorted((*param.opts, *param.secondary_opts), key=len))
    return names if param.is_flag else f"{names} {_metavar(param)}"


# ---- running


def run(command: click.Command, arguments: Sequence[str], *, program: str) -> int:
    """Run a program; returns its exit code. What is wrong is a sentence on the standard error.

    program   how it was called, for its help and its examples
    """
    output.prepare()
    try:
        code = _invoked(command, arguments, program)
        output.flush()
        return code
    except output.OutputLost as lost:
        output.discard()
        if lost.reason is None:  # such as `… | head`, which closes its end after ten lines
            return DONE
        output.say_error(f"The output can't be written: {lost.reason}.")
        return REFUSED


def _invoked(command: click.Command, arguments: Sequence[str], program: str) -> int:
    try:
        with command.make_context(program, list(arguments)) as ctx:
            code: int = command.invoke(ctx)
            return code
    except click.exceptions.Exit as end:
        return end.exit_code
    except WrongUse as error:
        output.say_sentence(str(error))
    except click.MissingParameter as error:
        output.say_sentence(_missing(error))
    except KeyboardInterrupt:
        output.say_error("Interrupted.")
        return INTERRUPTED
    return REFUSED


def _missing(error: click.MissingParameter) -> str:
    assert error.ctx is not None
    assert error.param is not None
    what = _metavar(error.param)
    return f"{error.ctx.command_path} needs {what}.\n{_usage(error.ctx)}"


def _too_many(ctx: click.Context, argument: str) -> str:
    return f"{ctx.command_path} has no use for {harmless(argument)!r}.\n{_usage(ctx)}"


def _usage(ctx: click.Context) -> str:
    pieces = " ".join(ctx.command.collect_usage_pieces(ctx))
    return f"  usage: {ctx.command_path} {pieces}"
