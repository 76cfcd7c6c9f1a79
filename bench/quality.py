"""What the pocket model finds in scenes it wasn't trained on; the peer is random ranking."""

from __future__ import annotations

from bench.options import Options
from bench.report import Figure, Report, Target
from pocket.artwork import LANGUAGES, Artwork, install
from pocket.evaluate import Evaluation, Loaded

TARGETS = {
    "recall@1": 0.80,
    "recall@5": 0.95,
    "subject_precision@1": 0.85,
    "place_precision@5": 0.98,
    "image_recall@1": 0.85,
    "unseen_style_recall@1": 0.60,
    "unseen_wording_recall@1": 0.70,
    "absent_auc": 0.95,
}
LANGUAGE_SHARE = 0.9  # of the English recall@1, for each other language


def run(options: Options) -> Report:
    """Needs the artwork packages, which npm fetches. raises ArtworkError without them."""
    install()
    evaluation = Evaluation(Artwork(), Loaded())
    measured = evaluation.run()
    figures: dict[str, Figure] = {name: one.value for name, one in measured.items()}
    for name, one in measured.items():
        low, high = one.interval
        figures[f"{name} 95 %"] = f"{low:.3f}–{high:.3f}, {one.asked} asked"
    targets = {name: Target(measured[name].value, target) for name, target in TARGETS.items()}
    least = LANGUAGE_SHARE * measured["recall@1 en"].value
    for code in LANGUAGES[1:]:
        targets[f"recall@1 {code}"] = Target(measured[f"recall@1 {code}"].value, least)
    figures["gallery"] = evaluation.size
    figures["subjects"] = len(evaluation.subjects)
    figures["pairs never trained"] = len(evaluation.pairs)
    chance: dict[str, Figure] = {
        f"random ranking, {name}": value for name, value in evaluation.random_ranking().items()
    }
    return Report(figures, chance, targets)
