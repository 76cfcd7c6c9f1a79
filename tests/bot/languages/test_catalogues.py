"""Each sentence of the source is in each catalogue, and its translations fit it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from bot.languages.extraction import CATALOGUES, FOLDERS, KEYWORDS, SOURCE, messages, read, updated
from bot.languages.speech import TRANSLATED

# Those whose every sentence is translated.
COMPLETE = ("de", "es", "fr", "ja", "pt")
NAME = re.compile(r"\{(\w+)\}")
# What Discord's markdown makes of a text, and what people type as it stands: also the questions of
# examples, since the model may know English only.
MARKS = re.compile(
    r"`[^`]*`|\*\*|^-# |^- |^### |\n|@Magpie|(?<!\w)(?:from|in|after|before|has|show|on):(?=\S)",
    re.M,
)
LIMITS = {"name": 32, "description": 100}

# Texts that no member reads: for the log and for operators, or parts of a protocol.
NOT_FOR_MEMBERS = {
    "bot/commands/options.py": {"only me"},  # a value; its name is marked
    "bot/watches/judge.py": {"an outage of the server"},
    "bot/watches/reasons.py": {"closed dms", "no channel", "may not write", "other model"},
    "bot/ask/results.py": {
        "deleted, or no longer with this picture; it was erased from the gallery",
        "Discord did not let it be read now",
    },
    "bot/ask/searches.py": {"the file is busy"},
    "bot/media/download.py": {
        "the last attempt returns or raises",
        " leads to a private address",
    },
    "bot/reindex/rereading.py": {"the server is not available"},
    "bot/sync/searching.py": {  # for the log
        "Discord has not indexed the server yet",
        "the history is read meanwhile",
        "the history is read without it",
    },
    "bot/text/copies.py": {"`@Magpie posted before?`"},  # it is read as English
    # Questions stay English, since the model may know English only.
    "bot/text/help.py": {"dog in snow", "handwritten note", "sunset at the sea"},
}
# Folders and files that speak to operators only, and words of questions that are read.
FOR_OPERATORS = ("ops", "languages", "platform", "app.py", "__main__.py", "usage.py", "phrases.py")


def translations(language: str) -> Iterator[tuple[Message, list[str], list[str]]]:
    """Each translated message, with its forms in English and those in the language."""
    for message in read(language):
        said = [message.string] if isinstance(message.string, str) else list(message.string)
        if message.id and all(said):
            yield message, [message.id] if isinstance(message.id, str) else list(message.id), said


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_the_sentences_of_the_source(language: str) -> None:
    """If not: `python -m bot.languages`."""
    assert (CATALOGUES / f"{language}.po").read_text(encoding="utf-8") == updated(language)


@pytest.mark.parametrize("language", COMPLETE)
def test_every_sentence_is_translated(language: str) -> None:
    translated = {str(message.id) for message, _, _ in translations(language)}
    assert {str(message.id) for message in messages() if message.id} - translated == set()


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_a_guess(language: str) -> None:
    assert not [message.id for message in read(language) if message.id and message.fuzzy]


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_fills_in_the_same(language: str) -> None:
    """A form for one may leave out its number."""
    for message, english, said in translations(language):
        names = set(NAME.findall(english[-1]))
        for form in said:
            assert set(NAME.findall(form)) | ({"n"} & names) == names, message.id
        assert set(NAME.findall(said[-1])) == names, message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_all_forms_of_a_count(language: str) -> None:
    forms = read(language).num_plurals
    for message, english, said in translations(language):
        assert len(said) == (1 if len(english) == 1 else forms), message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_marks_of_the_sentence(language: str) -> None:
    for message, english, said in translations(language):
        for form in said:
            assert Counter(MARKS.findall(form)) == Counter(MARKS.findall(english[-1])), message.id


# ---- the source


def sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in FOLDERS:
        for file in sorted((SOURCE / folder).rglob("*.py")):
            yield file.relative_to(SOURCE).as_posix(), ast.parse(file.read_text())


def called(node: ast.AST) -> str:
    """The name of what a call calls; "" for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def texts(node: ast.AST) -> Iterator[str]:
    for inside in ast.walk(node):
        if isinstance(inside, ast.Constant) and isinstance(inside.value, str):
            yield inside.value


def test_each_name_in_a_sentence_is_filled_in() -> None:
    """The names in a function's sentences are those that it fills in."""
    for file, tree in sources():
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            said = [one for one in calls if called(one) in ("_", "plural")]
            wanted = {name for one in said for text in texts(one) for name in NAME.findall(text)}
            formats = [one for one in calls if called(one) == "format"]
            given = {str(keyword.arg) for one in formats for keyword in one.keywords}
            counts = {"n"} if any(called(one) == "plural" for one in said) else set()
            if said:
                assert wanted - counts == given - counts, f"{file}: {function.name}"


def test_each_name_in_a_sentence_of_the_index_is_filled_in() -> None:
    for file, tree in sources():
        for node in ast.walk(tree):
            if called(node) not in ("Sentence", "marked"):
                continue
            assert isinstance(node, ast.Call)
            given = {keyword.arg for keyword in node.keywords}
            wanted = set(NAME.findall("".join(texts(node.args[0])) if node.args else ""))
            assert None in given or wanted == given, f"{file}: {ast.unparse(node)}"


def test_a_sentence_is_one_text() -> None:
    """Only whole texts can be looked up, so nothing is filled in before the translation."""
    for file, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) in KEYWORDS:
                made = [one for one in node.args if isinstance(one, ast.JoinedStr)]
                made += [one for one in node.args if isinstance(one, ast.BinOp) and [*texts(one)]]
                assert not made, f"{file}: {ast.unparse(node)}"


def test_no_sentence_stands_within_another_text() -> None:
    """Babel finds none in an f-string, before Python 3.12."""
    for file, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                inside = [one for one in ast.walk(node) if called(one) in ("_", "plural", "marked")]
                constant = [one for one in inside if any(True for _ in texts(one))]
                assert not constant, f"{file}: {ast.unparse(node)}"


def test_no_sentence_for_members_escapes() -> None:
    """A text of words in the bot is said by `_`, or is listed above."""
    found: dict[str, set[str]] = {}
    for file, tree in sources():
        if file.startswith("bot/") and not any(part in FOR_OPERATORS for part in Path(file).parts):
            escaped = {text for text in unsaid(tree) if re.search(r"[^\W\d_] | [^\W\d_]", text)}
            if escaped:
                found[file] = escaped
    assert found == NOT_FOR_MEMBERS


def unsaid(node: ast.AST) -> Iterator[str]:
    """Texts that are neither sentences nor for the log, nor say what the code does."""
    name = called(node)
    logs = name in ("debug", "info", "warning", "error", "exception", "fields")
    if name in KEYWORDS or logs or name == "compile":
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        named = name == "command" and isinstance(child, ast.Constant)  # "channels add"
        if not docstring and not named:
            yield from unsaid(child)


# ---- names of commands


def marked_as(kind: str) -> set[str]:
    """What is marked as the name, or as the description, of a command or an option."""
    found: set[str] = set()
    for file, tree in sources():
        for node in ast.walk(tree) if file.startswith("bot/commands/") else ():
            assert isinstance(node, ast.AST)
            name = called(node)
            if name not in ("command", "context_menu", "__init__", "rename", "describe"):
                continue
            assert isinstance(node, ast.Call)
            for keyword in node.keywords:
                is_name = name == "rename" or keyword.arg == "name"
                if called(keyword.value) == "marked" and is_name == (kind == "name"):
                    assert isinstance(keyword.value, ast.Call)
                    found.add("".join(texts(keyword.value.args[0])))
    return found


@pytest.mark.parametrize("language", TRANSLATED)
def test_discord_takes_each_name_and_description(language: str) -> None:
    """https://docs.discord.com/developers/interactions/application-commands#application-command-object-application-command-naming"""
    names, descriptions = marked_as("name"), marked_as("description")
    assert len(names) > 25
    assert len(descriptions) > 25
    for message, english, said in translations(language):
        if english[0] in names:
            assert 1 <= len(said[0]) <= LIMITS["name"], message.id
            if re.fullmatch(r"[-\w]+", english[0]):  # menus of messages may have any name
                assert re.fullmatch(r"[-_'\w]+", said[0]), message.id
                assert said[0] == said[0].lower(), message.id
        if english[0] in descriptions:
            assert 1 <= len(said[0]) <= LIMITS["description"], message.id
