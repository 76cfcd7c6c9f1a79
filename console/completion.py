"""Completion in shells: the script that a shell loads, and the answers that it asks for.

The scripts are ours, after click's: a word such as `has:gif` is completed in two steps, so nothing
may be put behind `has:`; bash splits a word at its colons and replaces only the last part; and the
line about a command may have a comma.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
)

from console import output
from console.commands import Called, Choice, Command
from console.exits import DONE, REFUSED

HOW = """\
Print what a shell loads to complete commands, options, files, and what words may say.

\b
bash   eval "$({program} completion bash)"      in ~/.bashrc
zsh    eval "$({program} completion zsh)"       in ~/.zshrc, below compinit
fish   {program} completion fish | source       in ~/.config/fish/config.fish
"""


_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' line type value
    COMPREPLY=()
    for line in $(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \\
            %(complete_var)s=bash_complete "$1"); do
        type=${line%%%%,*} value=${line#*,}
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value"); [[ $value == *: ]] && compopt -o nospace ;;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""
_ZSH = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local type key descr
    local -a parts words_ descriptions
    (( ! $+commands[%(prog_name)s] )) && return 1
    for type key descr in "${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \\
            %(complete_var)s=zsh_complete %(prog_name)s)}"; do
        case $type in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain)
                if [[ $key == *: || $key == */ ]]; then parts+=("$key")
                elif [[ $descr == _ ]]; then words_+=("$key")
                else descriptions+=("$key:$descr")
                fi ;;
        esac
    done
    (( $#descriptions )) && _describe -V unsorted descriptions -U
    (( $#words_ )) && compadd -U -V unsorted -a words_
    (( $#parts )) && compadd -U -V unsorted -S '' -a parts
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""
_FISH = """\
function %(complete_func)s
    for line in (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) \\
            COMP_CWORD=(commandline -t) %(prog_name)s)
        set -l parts (string split -m 1 "," -- $line)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo $parts[2]
        end
    end
end
complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class _Bash(BashComplete):
    """Bash, with the parts of a word put together that it splits at colons."""

    source_template = _BASH
    _prefix = ""

    @staticmethod
    def _check_version() -> None:
        """click would ask each bash for its version, and complain in its own words."""

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        if incomplete == ":":
            incomplete = ""
            args.append(":")
        if len(args) > 1 and args[-1] == ":":
            self._prefix = f"{args[-2]}:"
            del args[-2:]
        return args, self._prefix + incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        kind = "dir" if item.folder else item.type  # bash itself quotes the names of folders
        return f"{kind},{str(item.value).removeprefix(self._prefix)}"


class _Zsh(ZshComplete):
    source_template = _ZSH


class _Fish(FishComplete):
    source_template = _FISH


_CLASSES: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}
SHELLS = tuple(_CLASSES)


@dataclass(frozen=True, kw_only=True)
class Completion(Called):
    """What `completion` is given."""

    shell: str


def command(program: str) -> Command:
    """The command that prints the script for a shell.

    program   the name by which a shell finds the program
    """

    def run(given: Completion) -> int:
        kind = _CLASSES[given.shell]
        output.say_exact(kind(click.Command(program), {}, program, _variable(program)).source())
        return DONE

    return Command(
        "completion",
        run,
        Completion,
        summary="print what a shell loads to complete commands",
        help=HOW.format(program=program),
        params=[click.Argument(["shell"], metavar="SHELL", type=Choice(*SHELLS))],
    )


def asked(program: str) -> bool:
    """Whether a shell asks for completions, rather than a person for a command."""
    return _variable(program) in os.environ


def answer(group: click.Command, program: str) -> int:
    """Print what a shell asks for; returns an exit code."""
    variable = _variable(program)
    shell, _, what = os.environ[variable].partition("_")
    if shell not in SHELLS or what != "complete":
        return REFUSED
    output.prepare()
    try:
        output.say_exact(_CLASSES[shell](group, {}, program, variable).complete())
        output.flush()
    except output.OutputLost:
        output.discard()
    return DONE


def _variable(program: str) -> str:
    return f"_{program.upper()}_COMPLETE"
