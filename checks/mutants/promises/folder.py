"""The command line on a folder drops nothing that it could not see, and harms no terminal."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

ADD = "tests/index/cli/test_add.py"
FIND = "tests/index/cli/test_find.py"
OUTPUT = "tests/index/cli/test_output.py"
MIXED = "tests/index/cli/test_mixed_folder.py"
WALK = "tests/index/cli/test_walk.py"

MUTANTS = (
    Mutant(
        "a folder that can't be listed keeps its pictures",
        "index/cli/vanished.py",
        "if not listing.listed.get(place):",
        "if False:",
        (WALK,),
    ),
    Mutant(
        "a drive that is away keeps its pictures",
        "index/cli/vanished.py",
        "away = _mounts_away(known, listing, mounts)",
        "away: list[str] = []",
        (WALK,),
    ),
    Mutant(
        "a folder that can't be listed is named",
        "index/cli/walk.py",
        "listing.unlisted[folder] = why(exc)",
        "listing.listed[folder] = True",
        (WALK,),
    ),
    Mutant(
        "a pipe or a device holds up no folder",
        "index/cli/paths.py",
        "    if kind:",
        "    if False:",
        (WALK,),
    ),
    Mutant(
        "what is excluded is passed over at every depth",
        "index/cli/exclusion.py",
        'return (parts if "/" in name else ["**", *parts]), name != pattern',
        "return parts, name != pattern",
        (WALK,),
    ),
    Mutant(
        "a file's name does nothing to a terminal",
        "console/output.py",
        "return _UNSAFE.sub(lambda found: _escape(found[0]), text)",
        "return text",
        (OUTPUT,),
    ),
    Mutant(
        "a name that the output can't hold is shown all the same",
        "console/output.py",
        'stream.reconfigure(errors="plain")',
        "pass",
        (OUTPUT,),
    ),
    Mutant(
        "an output that takes nothing is an error",
        "console/commands.py",
        "        output.flush()",
        "        pass",
        (OUTPUT,),
    ),
    Mutant(
        "an unreadable file is not tried at each add",
        "index/cli/folder.py",
        "elif failed_before.get(source) == file.stamp and source not in self._roots:",
        "elif False:",
        (ADD,),
    ),
    Mutant(
        "a failed first start leaves no gallery",
        "index/gallery.py",
        "if is_new and isinstance(model, str):",
        "if False and isinstance(model, str):",
        (ADD,),
    ),
    Mutant(
        "an add that has nothing to do loads no model",
        "index/cli/gallery.py",
        "model = None if kept and given.model in (None, kept) else given.model or DEFAULT_MODEL",
        "model = given.model or kept or DEFAULT_MODEL",
        (ADD,),
    ),
    Mutant(
        "an add that could read nothing says so to scripts",
        "index/cli/commands/add.py",
        "return REFUSED if lost else DONE",
        "return DONE",
        (ADD,),
    ),
    Mutant(
        "copies of a picture are named with it",
        "index/cli/hits.py",
        "places[hit.id] = [*sorted(same, key=_by_name), *similar]",
        "places[hit.id] = [hit.link]",
        (FIND,),
    ),
    Mutant(
        "a sheet is of the kind that its name says",
        "index/cli/sheet.py",
        "return FORMATS[ending]",
        'return "PNG"',
        (FIND,),
    ),
    Mutant(
        "paths for programs may end in NUL",
        "console/output.py",
        'end = b"\\0" if zeros else b"\\n"',
        'end = b"\\n"',
        (FIND,),
    ),
    Mutant(
        "what is removed is gone",
        "index/cli/commands/remove.py",
        "await gallery.remove_sources(SPACE, entries)",
        "pass",
        ("tests/index/cli/test_remove.py",),
    ),
    Mutant(
        "a folder's walk passes over no kind of picture in silence",
        "index/cli/walk.py",
        "ENDINGS = READ + RARELY_USED + VIDEOS + NOT_READ",
        "ENDINGS = READ + RARELY_USED + VIDEOS",
        (MIXED,),
    ),
    Mutant(
        "a link to a folder is named",
        "index/cli/walk.py",
        "            listing.links.append(entry.path)",
        "            pass",
        (ADD,),
    ),
    Mutant(
        "a pattern that would bring something back is refused",
        "index/cli/exclusion.py",
        'if pattern.startswith("!"):',
        "if False:",
        (ADD,),
    ),
)
