"""The command line understands what is typed, and says in our words what it doesn't."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

ARGUMENTS = "tests/console/test_arguments.py"
COMMANDS = "tests/console/test_commands.py"
COMPLETION = "tests/console/test_completion.py"
CALLED = "tests/console/test_called.py"
LINE = "tests/index/cli/test_line.py"
ASKING = "tests/index/cli/test_asking.py"

MUTANTS = (
    Mutant(
        "a word with a dash is a minus",
        "console/arguments.py",
        "if not known.minus or _is_slip(argument[1:]):",
        "if True:",
        (ARGUMENTS,),
    ),
    Mutant(
        "an option with a dash too few is not taken for a minus",
        "console/arguments.py",
        'if f"-{name}" in known.takes:',
        "if False:",
        (ARGUMENTS,),
    ),
    Mutant(
        "-k5 is an option, and -kitchen a minus",
        "console/arguments.py",
        "(argument[2].isdecimal() or not known.minus)",
        "True",
        (ARGUMENTS,),
    ),
    Mutant(
        "a slip of an option is told with what was meant",
        "console/arguments.py",
        "near = near or [bare[word] for word in difflib.get_close_matches(typed, bare, 2, NEAR)]",
        "pass",
        (ARGUMENTS,),
    ),
    Mutant(
        "options may stand before the command",
        "console/commands.py",
        '[*mine, "--", *rest[:1], *theirs, *rest[1:]]',
        '[*mine, "--", *rest]',
        (COMMANDS,),
    ),
    Mutant(
        "a printed command names the program as it was called",
        "console/called.py",
        "return shlex.quote(name if is_found else path)",
        "return shlex.quote(name)",
        (CALLED,),
    ),
    Mutant(
        "a printed command has the gallery that was asked for",
        "index/cli/gallery.py",
        'db = f" --db {shlex.quote(shown(given.db))}" if given.db else ""',
        'db = ""',
        ("tests/index/cli/test_command_line.py",),
    ),
    Mutant(
        "a word in quotation marks stays one thing",
        "index/cli/line.py",
        "return found[1] + _quoted(found[2])",
        "return word",
        (LINE,),
    ),
    Mutant(
        "a printed command can be pasted",
        "console/commands.py",
        "plain = sort_out(words, self.known(program)).words == list(words)",
        "plain = True",
        (LINE,),
    ),
    Mutant(
        "an option says the same as the line",
        "index/cli/commands/find.py",
        "return combined(joined(given.words), options)",
        "return joined(given.words)",
        (ASKING,),
    ),
    Mutant(
        "a folder limits what is searched",
        "index/cli/question.py",
        "under=tuple([path for name in wanted for path in await known.meant(name)]),",
        "under=(),",
        (ASKING,),
    ),
    Mutant(
        "what the command line takes for a minus is told",
        "index/cli/question.py",
        "    for one in wish.understood:",
        "    for one in ():",
        (ASKING,),
    ),
    Mutant(
        "bare paths say, too, that nothing fits",
        "index/cli/answer.py",
        "            say_error(line)\n    elif",
        "            pass\n    elif",
        (ASKING,),
    ),
    Mutant(
        "a bot's gallery is not called empty",
        "index/cli/gallery.py",
        "if not counts.links and await gallery.links.count_links():",
        "if False:",
        (ASKING,),
    ),
    Mutant(
        "a corrected command keeps the other options",
        "index/cli/commands/find.py",
        "{_command(given, others, separate(error.corrected))}",
        "{_command(given, [], separate(error.corrected))}",
        (ASKING,),
    ),
    Mutant(
        "bash completes behind a colon",
        "console/completion.py",
        'if len(args) > 1 and args[-1] == ":":',
        "if False:",
        (COMPLETION,),
    ),
    Mutant(
        "a picture is no copy of itself",
        "index/cli/commands/copies.py",
        "Filter(SPACE, but_not_source=itself)",
        "Filter(SPACE)",
        ("tests/index/cli/test_copies.py",),
    ),
    Mutant(
        "an answer waits for what makes it honest",
        "index/cli/commands/find.py",
        "        await galleries.ready_to_judge(gallery)\n",
        "",
        (ASKING,),
    ),
)
