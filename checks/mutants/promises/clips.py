"""Videos: little is read of them, the right second is named, and no still outlives its video."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

SCENES = "tests/index/clips/test_scenes.py"
GALLERY = "tests/index/test_clips.py"
LINKS = "tests/index/store/test_links.py"
DOWNLOAD = "tests/bot/media/test_download.py"
CHAT = "tests/bot/ask/test_clips.py"
FORKS = "tests/index/clips/test_forks.py"
DECODE = "tests/index/images/test_decode.py"

MUTANTS = (
    Mutant(
        "a frame of each new scene is taken",
        "index/images/animation.py",
        "while len(taken) < wanted and nearest.max() > NEW_SCENE:",
        "while False:",
        (DECODE,),
    ),
    Mutant(
        "frames are shown at their seconds",
        "index/images/decode.py",
        "        second += shown_s(image)",
        "        second += 0.1",
        (DECODE,),
    ),
    Mutant(
        "of a large video only some parts are read",
        "index/clips/scenes.py",
        "found(sought=container in INDEXED)",
        "found(sought=False)",
        (SCENES,),
    ),
    Mutant(
        "no more is read of a video than allowed",
        "index/clips/readers.py",
        "length = min(BLOCK, self._left)",
        "length = BLOCK",
        (SCENES,),
    ),
    Mutant(
        "a phone's video is upright",
        "index/clips/scenes.py",
        "if frame.rotation % 360:",
        "if False:",
        (SCENES,),
    ),
    Mutant(
        "a text is no list of videos",
        "index/clips/readers.py",
        "    if container is None:",
        "    if False:",
        (SCENES,),
    ),
    Mutant(
        "the process that reads a video holds nothing of other videos",
        "index/clips/fork_server.py",
        "os.closerange(_HELD + 1, _ALL)",
        "pass",
        (FORKS,),
    ),
    Mutant(
        "what is wrong with a video is said of a video",
        "index/clips/readers.py",
        'raise error.about("video") from error',
        "raise",
        (SCENES, GALLERY),
    ),
    Mutant(
        "the process that reads a video is confined",
        "index/clips/reader.py",
        "    settle()\n    requests",
        "    requests",
        (FORKS,),
    ),
    Mutant(
        "without videos, no process waits for them for ever",
        "index/clips/fork_server.py",
        "waiting.select(None if forks else idle_s)",
        "waiting.select(None)",
        (FORKS,),
    ),
    Mutant(
        "a video whose server was killed is read again",
        "index/clips/fork_server.py",
        "ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)",
        "pass",
        (FORKS,),
    ),
    Mutant(
        "the second of the frame that fits is told",
        "index/gallery.py",
        "frames = {one.link: one.frame for one in candidates} if matched else {}",
        "frames = {one.link: 0 for one in candidates} if matched else {}",
        (GALLERY,),
    ),
    Mutant(
        "moments of other frames than the gallery has are not told",
        "index/store/sql/links.py",
        "(SELECT COUNT(*) FROM moments AS every WHERE every.item = links.item)",
        "(length(vectors) / (SELECT 4 * dimension FROM model))",
        (LINKS,),
    ),
    Mutant(
        "a server that ignores ranges sends all once",
        "bot/media/ranges.py",
        "self._whole = not first.ranged",
        "self._whole = False",
        (DOWNLOAD,),
    ),
    Mutant(
        "another part than was asked for is an error",
        "bot/media/download.py",
        "if told is None or int(told[1]) != offset:",
        "if told is None:",
        (DOWNLOAD,),
    ),
    Mutant(
        "a public answer has no copy of a frame",
        "bot/ask/cards.py",
        "stills=layout.NO_STILLS if public else layout.stills(page),",
        "stills=layout.stills(page),",
        (CHAT,),
    ),
    Mutant(
        "of a hidden video the frame is hidden too",
        "bot/ask/layout.py",
        """return f"{'SPOILER_' if _hidden(shown) else ''}{shown.hit.id}.webp\"""",
        """return f"{shown.hit.id}.webp\"""",
        (CHAT,),
    ),
)
