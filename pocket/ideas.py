"""What each idea of the training gains: short runs from the start, each without one idea."""

import dataclasses
import html
import json
from collections.abc import Iterable
from pathlib import Path

from pocket.artwork import Artwork
from pocket.evaluate import Evaluation, Loaded
from pocket.train import IDEAS, Settings, Trainer, export

PLOT = Path("docs", "pocket-ideas.svg")
STEPS = 1000
FIGURES = ("recall@1", "subject_precision@1", "image_recall@1", "unseen_style_recall@1")
COLOURS = ("#4c6ef5", "#12b886", "#f59f00", "#e64980")


def run_all(artwork: Artwork, work: Path, steps: int, seed: int) -> list[dict[str, float | str]]:
    """A row for each run. Rows are saved in `work`, so an interrupted series continues there."""
    done = work / f"ideas-{steps}-{seed}.json"
    rows: list[dict[str, float | str]] = json.loads(done.read_text()) if done.exists() else []
    for without in ((), *((idea,) for idea in IDEAS)):
        name = f"without {without[0]}" if without else "all"
        if any(row["run"] == name for row in rows):
            continue
        folder = work / name.replace(" ", "-")
        trainer = Trainer(
            artwork, folder, dataclasses.replace(Settings(seed=seed), without=without)
        )
        if trainer.checkpoint.exists():
            trainer.resume()
        trainer.train(steps=steps)
        export(trainer.run, trainer.words, folder / "model")
        rows.append({"run": name} | measure(artwork, folder / "model"))
        print(line(rows[-1]), flush=True)
        done.write_text(json.dumps(rows, indent=1) + "\n")
    return rows


def measure(artwork: Artwork, folder: Path) -> dict[str, float]:
    evaluation = Evaluation(artwork, Loaded(folder))
    figures = evaluation.natural() | evaluation.parts()
    figures["image_recall@1"] = evaluation.images()
    figures["unseen_style_recall@1"] = evaluation.unseen_style()
    return {name: round(figures[name].value, 3) for name in FIGURES}


def line(row: dict[str, float | str]) -> str:
    return f"{row['run']:28}" + "  ".join(f"{name} {row[name]:.2f}" for name in FIGURES)


def plot(rows: list[dict[str, float | str]], steps: int) -> str:
    """An SVG bar chart: a group for each run, a bar for each figure."""
    parts = list(_legend())
    for n, row in enumerate(rows):
        top = 62 + n * 78
        parts.append(_text(8, top + 34, str(row["run"])))
        for k, (name, colour) in enumerate(zip(FIGURES, COLOURS, strict=True)):
            value, y = float(row[name]), top + k * 16
            parts.append(
                f'<rect x="200" y="{y}" width="{max(1, 460 * value):.0f}" height="14" '
                f'fill="{colour}"/>'
            )
            parts.append(_text(206 + 460 * value, y + 12, f"{value:.2f}"))
    height = 70 + len(rows) * 78
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{height}" '
        f'font-family="sans-serif" font-size="13"><rect width="720" height="{height}" '
        f'fill="white"/>{_text(8, 20, f"{steps} steps from nothing, one idea left out at a time")}'
    )
    return head + "".join(parts) + "</svg>\n"


def _legend() -> Iterable[str]:
    for k, (name, colour) in enumerate(zip(FIGURES, COLOURS, strict=True)):
        x = 8 + k * 175
        yield f'<rect x="{x}" y="34" width="12" height="12" fill="{colour}"/>'
        yield _text(x + 17, 45, name)


def _text(x: float, y: float, text: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}">{html.escape(text)}</text>'
