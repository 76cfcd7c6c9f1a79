"""An overview tells of what its readers may see, and of nothing else."""

from __future__ import annotations

from checks.mutants.mutant import Mutant

SURVEY = "tests/index/overview/test_survey.py"
CLUSTERS = "tests/index/overview/test_clusters.py"
NAMES = "tests/index/overview/test_names.py"
LAYOUT = "tests/index/overview/test_layout.py"
OVERVIEW = "tests/bot/overview/test_overview.py"
TURNS = "tests/bot/overview/test_turns.py"
TEXT = "tests/index/drawing/test_text.py"

MUTANTS = (
    Mutant(
        "an overview is made from open channels alone",
        "bot/overview/overviews.py",
        "Filter(asker.guild.id, frozenset(open_))",
        "Filter(asker.guild.id)",
        (OVERVIEW,),
    ),
    Mutant(
        "an overview that counts a closed channel is not sent",
        "bot/overview/draft.py",
        "if self.sight.open(self.groups) != {group.id for group in self.groups}:",
        "if False:",
        (OVERVIEW,),
    ),
    Mutant(
        "what is deleted is not drawn",
        "bot/overview/overviews.py",
        "return None if now is None or is_hidden(now) else now",
        "return shown",
        (OVERVIEW,),
    ),
    Mutant(
        "spoilers are not drawn",
        "bot/overview/thumbnails.py",
        "return [one for one in shown if not is_hidden(one)]",
        "return shown",
        (OVERVIEW,),
    ),
    Mutant(
        "a public overview holds no drawn picture",
        "bot/overview/overviews.py",
        "        if asker.public:\n            first",
        "        if not overview.count:\n            first",
        (OVERVIEW,),
    ),
    Mutant(
        "the loop goes on while an overview is drawn",
        "bot/overview/overviews.py",
        "files = await asyncio.to_thread(drawn, overview, pictures)",
        "files = drawn(overview, pictures)",
        (OVERVIEW,),
    ),
    Mutant(
        "the bot multiplies without threads that compete with its loop",
        "bot/__main__.py",
        'os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")',
        "pass",
        ("tests/bot/test_start.py",),
    ),
    Mutant(
        "a member has one overview at a time",
        "bot/overview/turns.py",
        "if (server, member) in self._members:",
        "if False:",
        (TURNS,),
    ),
    Mutant(
        "the page of a cluster names it",
        "bot/commands/overview.py",
        "*cards.links_in(value), cluster=name)",
        "*cards.links_in(value))",
        (OVERVIEW,),
    ),
    Mutant(
        "who waits for an overview is told how many come before",
        "bot/overview/turns.py",
        "            tell(before)\n",
        "",
        (TURNS, OVERVIEW),
    ),
    Mutant(
        "servers without an overview find a place",
        "bot/overview/turns.py",
        "kept = RESERVE if queue else 0",
        "kept = 0",
        (TURNS,),
    ),
    Mutant(
        "each link is counted in an overview",
        "index/overview/survey.py",
        "for start in range(0, len(of), COUNTED_AT_ONCE):",
        "for start in range(0, min(len(of), SAMPLED), COUNTED_AT_ONCE):",
        (SURVEY,),
    ),
    Mutant(
        "near-copies stand for nothing",
        "index/overview/survey.py",
        "vectors, sample = vectors[first], sample[first]",
        "vectors, sample = vectors[first | True], sample[first | True]",
        (SURVEY,),
    ),
    Mutant(
        "an overview ends with its caller",
        "index/gallery.py",
        "        finally:\n            given_up.set()",
        "        finally:\n            pass",
        (SURVEY,),
    ),
    Mutant(
        "the number of clusters comes from the pictures",
        "index/overview/clusters.py",
        "if score >= least > 0]",
        "]",
        (CLUSTERS,),
    ),
    Mutant(
        "a name says what is not true of the other clusters",
        "index/overview/names.py",
        "return self.share >= max(LEAST_SHARE, LEAST_TIMES * self.elsewhere)",
        "return self.share >= LEAST_SHARE",
        (NAMES,),
    ),
    Mutant(
        "a name says nothing of few of a cluster's pictures",
        "index/overview/names.py",
        "LEAST_SHARE, LEAST_TIMES, LEAST_TOGETHER = 0.25, 3.0, 0.3",
        "LEAST_SHARE, LEAST_TIMES, LEAST_TOGETHER = 0.15, 3.0, 0.3",
        (NAMES,),
    ),
    Mutant(
        "a thing names a cluster before its kind",
        "index/overview/names.py",
        "return self.elsewhere - self.share + KIND_LESS * self.is_kind",
        "return self.elsewhere - self.share",
        (NAMES,),
    ),
    Mutant(
        "a cluster without a fitting word has no name",
        "index/overview/names.py",
        "return bool(name) and _share(name) >= LEAST_TOGETHER",
        "return bool(name)",
        (NAMES,),
    ),
    Mutant(
        "no two names mean the same",
        "index/overview/names.py",
        "taken |= background.alike(one.word) >= ALIKE",
        "taken[one.word] = True",
        (NAMES,),
    ),
    Mutant(
        "new pictures do not turn the map over",
        "index/overview/layout.py",
        "found: Floats = (components * np.where(signs == 0, 1, signs)).astype(np.float32)",
        "found: Floats = (components * (1 - 2 * (len(pictures) % 2))).astype(np.float32)",
        (LAYOUT,),
    ),
    Mutant(
        "a strange date leaves the bars as they are",
        "index/types/overview.py",
        "            kept = months[:place]",
        "            pass",
        ("tests/index/overview/test_months.py",),
    ),
    Mutant(
        "no box is drawn for an emoji",
        "index/drawing/text.py",
        "if not left_out:",
        "if letter:",
        (TEXT,),
    ),
    Mutant(
        "a name is drawn in its own script",
        "index/drawing/text.py",
        "return letter.isspace() or _drawn(font, letter) != _drawn(font, NO_LETTER)",
        "return True",
        (TEXT,),
    ),
)
