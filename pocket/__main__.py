"""`python -m pocket COMMAND`: make the pocket model, the demo world and their sheets."""

import argparse
import json
import sys
from pathlib import Path

import torch
from safetensors import SafetensorError

from pocket import MODEL
from pocket.artwork import FOLDER, Artwork, ArtworkError, install
from pocket.evaluate import FIXED, Evaluation, Loaded, write_fixed_set
from pocket.ideas import PLOT, STEPS, line, plot, run_all
from pocket.polish import Polish
from pocket.sheet import SHEET, draw_sheet
from pocket.train import CheckpointError, Settings, Trainer, export
from pocket.world import DEMO, ScriptError, make_world

WORK = FOLDER.parent / "pocket"


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pocket", description=__doc__)
    parser.add_argument(
        "--artwork", type=Path, default=FOLDER, help="where npm unpacks the artwork"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train a model from nothing, or go on")
    train.add_argument("--minutes", type=float, default=100, help="in all, resumed ones included")
    train.add_argument(
        "--out", type=Path, default=Path("pocket", "model"), help="the transformers folder to write"
    )
    train.add_argument("--work", type=Path, default=WORK, help="keeps checkpoint and log")
    train.add_argument("--resume", action="store_true", help="go on from the checkpoint in --work")
    train.add_argument("--polish", type=float, default=5, help="minutes for the texts at the end")
    train.add_argument("--seed", type=int, default=Settings().seed)
    train.add_argument("--threads", type=int, default=1, help="cores to use")
    evaluate = commands.add_parser("evaluate", help="measure a model on scenes never trained")
    evaluate.add_argument("--model", type=Path, default=MODEL)
    evaluate.add_argument("--json", action="store_true")
    fixed = commands.add_parser("fixed", help="draw the tests' small fixed set again")
    fixed.add_argument("--out", type=Path, default=FIXED)
    sheet = commands.add_parser("sheet", help="draw the contact sheet of docs/pocket.md again")
    sheet.add_argument("--out", type=Path, default=SHEET)
    ideas = commands.add_parser("ideas", help="short runs, each without one idea, and their plot")
    ideas.add_argument("--steps", type=int, default=STEPS)
    ideas.add_argument("--seed", type=int, default=Settings().seed)
    ideas.add_argument("--work", type=Path, default=WORK.with_name("ideas"))
    ideas.add_argument("--out", type=Path, default=PLOT)
    world = commands.add_parser("world", help="draw the demo world again")
    world.add_argument("--out", type=Path, default=DEMO)
    return parser


def train(options: argparse.Namespace, artwork: Artwork) -> None:
    trainer = Trainer(artwork, options.work, Settings(seed=options.seed))
    if options.resume:
        trainer.resume()
    elif trainer.checkpoint.exists():
        raise CheckpointError(
            f"{trainer.checkpoint} is there already: add --resume to go on with it, "
            "or choose another --work folder. Nothing was overwritten."
        )
    trainer.train(options.minutes)
    if options.polish > 0:
        Polish(trainer).teach(options.polish)
    export(trainer.run, trainer.words, options.out)
    print(f"wrote {options.out}")


def evaluate(options: argparse.Namespace, artwork: Artwork) -> None:
    figures = Evaluation(artwork, Loaded(options.model)).run()
    if options.json:
        print(json.dumps({name: one.value for name, one in figures.items()}))
        return
    for name, one in figures.items():
        low, high = one.interval
        print(f"{name:26} {one.value:.3f}   95 % {low:.2f} to {high:.2f}, {one.asked} asked")


def fixed(options: argparse.Namespace, artwork: Artwork) -> None:
    write_fixed_set(Evaluation(artwork, Loaded(), size=1), options.out)
    print(f"wrote {options.out}")


def sheet(options: argparse.Namespace, artwork: Artwork) -> None:
    draw_sheet(Loaded(), options.out)
    print(f"wrote {options.out}")


def ideas(options: argparse.Namespace, artwork: Artwork) -> None:
    rows = run_all(artwork, options.work, options.steps, options.seed)
    print("\n".join(map(line, rows)))
    options.out.write_text(plot(rows, options.steps))
    print(f"wrote {options.out}")


def world(options: argparse.Namespace, artwork: Artwork) -> None:
    pictures, size = make_world(artwork, options.out)
    print(f"{pictures} pictures, {size / 1e6:.1f} MB in {options.out}")


def main() -> int:
    options = arguments().parse_args()
    torch.set_num_threads(getattr(options, "threads", 1))
    try:
        if options.command != "sheet":
            install(options.artwork)
        commands = {
            "train": train,
            "evaluate": evaluate,
            "world": world,
            "fixed": fixed,
            "sheet": sheet,
            "ideas": ideas,
        }
        commands[options.command](options, Artwork(options.artwork))
    except (ArtworkError, CheckpointError, ScriptError, SafetensorError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; go on with --resume", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
