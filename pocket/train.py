"""Training: seeded, resumable, with progress, and a checkpoint every two minutes.

The learning rate is constant, and falls in the last quarter of the time. The exported weights are
an average over about the last thousand steps.
"""

import dataclasses
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from pocket import network, tokenizer
from pocket.artwork import LANGUAGES, TRAINED_STYLES, Artwork
from pocket.captions import CaptionWriter
from pocket.material import NOBODY, RESTYLE, Pool, Studio
from pocket.network import (
    Claims,
    Heads,
    claims_of,
    contrastive_loss,
    fits,
    prototype_loss,
    same,
    shared_cross_entropy,
    twin_loss,
)
from pocket.places import Random
from pocket.scenes import FRAME, Scene

BATCH = 128
TEXT_ONLY = 24  # captions without a picture in each step
POOL = 9000  # pictures
FRESH_PER_STEP = 17  # new pairs of pictures in each step, so each is used about four times
LEARNING_RATE, WARM_UP_STEPS, COOL_DOWN_SHARE = 1e-3, 200, 0.25
EASY_STEPS = 1500  # after this many steps no picture is an easy one
EASY_SHARE = 4  # in a run with a fixed number of steps, easy steps are one in this many
AVERAGING = 0.998  # decay of the exported weights' average, for each step
CHECKPOINT_S = 120
IMAGE_WEIGHTS = {"subject": 1.0, "kind": 0.1, "place": 0.3, "colour": 0.25, "count": 0.15}
TEXT_WEIGHTS = {"subject": 0.4, "kind": 0.1, "place": 0.2, "colour": 0.1, "count": 0.1}
# Half of the patches are used, and all of them in the last part of the time.
KEPT_PATCHES, WHOLE_SHARE = 0.5, 0.15
TWIN_WEIGHT, TWIN_SCALE = 0.6, 12.0
IDEAS = ("twins", "restyling", "easy start", "half patches", "batches of a place")


class CheckpointError(Exception):
    """A checkpoint that can't be resumed; the message says why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that a checkpoint must share to be resumed."""

    seed: int = 7
    styles: tuple[str, ...] = TRAINED_STYLES
    patch: int = 16
    width: int = 192
    layers: int = 4
    without: tuple[str, ...] = ()  # which of IDEAS are left out, to measure what they gain


@dataclass(slots=True)
class Run:
    """Everything that training changes, which is what a checkpoint saves."""

    model: CLIPModel
    heads: Heads
    average: dict[str, Tensor]
    optimiser: torch.optim.Optimizer
    step: int = 0
    trained_s: float = 0.0


def learn_tokenizer(studio: Studio, writer: CaptionWriter, seed: int) -> CLIPTokenizer:
    rng = np.random.default_rng([seed, 2])

    def captions() -> Iterator[str]:
        for _ in range(60_000):
            yield writer.write(studio.plan(rng), rng).text
        for subject in studio.artwork.subjects:
            for language in LANGUAGES:
                yield from (word for word in subject.words[language] for _ in range(3))

    return tokenizer.learn(captions())


def pixel_values(pixels: Tensor) -> Tensor:
    """(n, FRAME, FRAME, 3) uint8 -> (n, 3, FRAME, FRAME), as the processor would make them."""
    values = pixels.permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (network.MEAN, network.STD))
    return (values - mean) / std


@dataclass(frozen=True, slots=True)
class ImageFeatures:
    """The outputs of the image tower for a batch.

    embeddings (n, d) unit rows    pooled (n, width), before the projection
    patches    (n, kept, width)    kept   (n, kept), which patches were used
    """

    embeddings: Tensor
    pooled: Tensor
    patches: Tensor
    kept: Tensor


def look(model: CLIPModel, values: Tensor, maps: Tensor, share: float) -> ImageFeatures:
    """The image tower on a share of the patches: half of them teach as much in half the time.

    maps       (n, patches), NOBODY where there is no subject; patches with a subject are mostly
               chosen first
    source     Li et al., Scaling Language-Image Pre-training via Masking (2023)
    """
    vision = model.vision_model
    rank = torch.rand(maps.shape) + 0.6 * (maps != NOBODY)
    kept = rank.argsort(1, descending=True)[:, : max(1, round(maps.shape[1] * share))]
    states = embedded_patches(vision.embeddings, values, kept)
    states = vision.encoder(inputs_embeds=vision.pre_layrnorm(states)).last_hidden_state
    pooled = vision.post_layernorm(states[:, 0])
    embeddings = F.normalize(model.visual_projection(pooled), dim=-1)
    return ImageFeatures(embeddings, pooled, states[:, 1:], kept)


def embedded_patches(embeddings: Any, values: Tensor, kept: Tensor) -> Tensor:
    """The output of CLIP's first layer for the kept patches only, (n, 1 + kept, width)."""
    layer, table = embeddings.patch_embedding, embeddings.position_embedding.weight
    patches = F.unfold(values, layer.kernel_size, stride=layer.stride).transpose(1, 2)
    patches = patches.gather(1, kept[..., None].expand(-1, -1, patches.shape[2]))
    states = network.product(patches, layer.weight.flatten(1)) + table[kept + 1]
    first = (embeddings.class_embedding + table[0]).expand(len(values), 1, -1)
    return torch.cat([first, states], dim=1)


def patch_loss(heads: Heads, seen: ImageFeatures, maps: Tensor) -> Tensor:
    """Cross entropy of the subject in each kept patch, where there is one.

    source     Jiang et al., All Tokens Matter: Token Labeling (2021)
    """
    target = maps.gather(1, seen.kept)
    return F.cross_entropy(
        heads.patches(seen.patches).flatten(0, 1), target.flatten(), ignore_index=NOBODY
    )


def text_features(model: CLIPModel, words: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Unit embeddings. Batching short and long texts separately saves a third of the time."""
    order = sorted(range(len(texts)), key=lambda n: len(texts[n].encode()))
    half = len(order) * 2 // 3
    parts = []
    for chosen in (order[:half], order[half:]):
        tokens = words(
            [texts[n] for n in chosen], padding=True, truncation=True, return_tensors="pt"
        )
        parts.append(model.text_model(**tokens).pooler_output)
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return F.normalize(model.text_projection(torch.cat(parts)[back]), dim=-1)


def fresh_run(settings: Settings, vocabulary: int, subjects: int) -> Run:
    torch.manual_seed(settings.seed)
    model = network.build(
        vocabulary, patch=settings.patch, width=settings.width, layers=settings.layers
    )
    heads = Heads(subjects)
    network.halve_products(model)
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2] + list(heads.parameters())
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.03}, {"params": others, "weight_decay": 0.0}],
        lr=LEARNING_RATE,
        betas=(0.9, 0.98),
    )
    average = {name: value.clone() for name, value in model.state_dict().items()}
    return Run(model, heads, average, optimiser)


def read_checkpoint(path: Path, settings: Settings) -> dict[str, Any]:
    """The checkpoint that `Trainer.save` wrote.

    raises   CheckpointError when there is none, it is damaged, or has other settings
    """
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
    except FileNotFoundError as exc:
        raise CheckpointError(f"There is no checkpoint in {path.parent} to resume.") from exc
    except Exception as exc:  # torch raises errors of many types for a file that is cut off
        raise CheckpointError(
            f"{path} is damaged and was left as it is; delete it, or choose another --work folder."
        ) from exc
    wanted = json.dumps(dataclasses.asdict(settings))
    if state.get("settings") != wanted:
        raise CheckpointError(
            f"{path} was made with other settings ({state.get('settings')}, not {wanted}); "
            "nothing was overwritten."
        )
    return state


class Trainer:
    """Trains for some minutes in `folder`, which has the checkpoint and the log."""

    def __init__(self, artwork: Artwork, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings
        folder.mkdir(parents=True, exist_ok=True)
        self.studio = Studio(artwork, settings.styles, settings.seed)
        self.writer = CaptionWriter(artwork.subjects)
        self.words = self._tokenizer()
        restyle = 0 if "restyling" in settings.without else RESTYLE
        self.pool = Pool(self.studio, POOL, restyle)
        self.run = fresh_run(settings, len(self.words), len(artwork.subjects))

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def _tokenizer(self) -> CLIPTokenizer:
        kept = self.folder / "tokenizer"
        if not (kept / "tokenizer.json").exists():
            learn_tokenizer(self.studio, self.writer, self.settings.seed).save_pretrained(kept)
        loaded = CLIPTokenizer.from_pretrained(kept)
        assert isinstance(loaded, CLIPTokenizer)
        return loaded

    def resume(self) -> None:
        """Continue from the checkpoint. raises CheckpointError when it has other settings"""
        state = read_checkpoint(self.checkpoint, self.settings)
        run = self.run
        run.model.load_state_dict(state["model"])
        run.heads.load_state_dict(state["heads"])
        run.optimiser.load_state_dict(state["optimiser"])
        run.average, run.step, run.trained_s = state["average"], state["step"], state["trained_s"]

    def save(self) -> None:
        run = self.run
        part = self.checkpoint.with_suffix(".part")
        state: dict[str, Any] = {
            "settings": json.dumps(dataclasses.asdict(self.settings)),
            "model": run.model.state_dict(),
            "heads": run.heads.state_dict(),
            "optimiser": run.optimiser.state_dict(),
            "average": run.average,
            "step": run.step,
            "trained_s": run.trained_s,
        }
        torch.save(state, part)
        part.rename(self.checkpoint)

    def train(self, minutes: float = math.inf, steps: int | None = None) -> None:
        """Train for `minutes` in total, with the time before the checkpoint, or for `steps`."""
        run, whole_s = self.run, minutes * 60
        easy_steps = EASY_STEPS if steps is None else steps // EASY_SHARE
        rng = np.random.default_rng([self.settings.seed, 3, run.step])
        self.pool.refresh(POOL // 6, rng, self._ease(easy_steps))
        saved_s = run.trained_s
        report: dict[str, float] = {}
        started, before_s = time.monotonic(), run.trained_s
        while (progress := run.step / steps if steps else run.trained_s / whole_s) < 1:
            self.pool.refresh(FRESH_PER_STEP, rng, self._ease(easy_steps))
            self._set_rate(progress)
            losses = self._step(rng, progress)
            for name, value in losses.items():
                report[name] = 0.95 * report.get(name, value) + 0.05 * value
            run.step += 1
            run.trained_s = before_s + time.monotonic() - started
            if run.step % 50 == 0:
                self._log(report, progress)
            if run.trained_s - saved_s > CHECKPOINT_S:
                self.save()
                saved_s = run.trained_s
        self.save()

    def _ease(self, easy_steps: int) -> float:
        """The share of easy pictures: 1 at the start, 0 after `easy_steps`."""
        if "easy start" in self.settings.without:
            return 0.0
        return max(0.0, 1 - self.run.step / easy_steps)

    def _set_rate(self, progress: float) -> None:
        warm = min(1.0, (self.run.step + 1) / WARM_UP_STEPS)
        cool = min(1.0, max(0.02, (1 - progress) / COOL_DOWN_SHARE))
        for group in self.run.optimiser.param_groups:
            group["lr"] = LEARNING_RATE * warm * cool

    def _step(self, rng: Random, progress: float) -> dict[str, float]:
        """Train on one batch; returns the losses and the share of recognised subjects."""
        run = self.run
        mixed = "batches of a place" in self.settings.without
        pairs = self.pool.draw(BATCH // 2, rng, mixed=mixed)
        scenes = [self.pool.scenes[n] for n in pairs for _ in range(2)]
        slots = [slot for n in pairs for slot in (2 * n, 2 * n + 1)]
        maps = torch.from_numpy(self.pool.maps[slots]).flatten(1).long()
        values = pixel_values(torch.from_numpy(self.pool.pixels[slots]))
        whole = "half patches" in self.settings.without or progress > 1 - WHOLE_SHARE
        seen = look(run.model, values, maps, 1.0 if whole else KEPT_PATCHES)
        losses, shown = self._losses(seen, maps, scenes, rng)
        run.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(run.model.parameters(), 2.0)
        run.optimiser.step()
        self._average()
        with torch.no_grad():
            named = run.heads.logits("subject", seen.embeddings).argmax(1)
            right = float(shown.subject[torch.arange(BATCH), named].mean())
        return {name: float(value.detach()) for name, value in losses.items()} | {"named": right}

    def _losses(
        self, seen: ImageFeatures, maps: Tensor, scenes: list[Scene], rng: Random
    ) -> tuple[dict[str, Tensor], Claims]:
        """All losses by name, weighted; and what the pictures show."""
        run, subjects = self.run, self.studio.artwork.subjects
        captions = [self.writer.write(scene, rng) for scene in scenes]
        captions += [self.writer.write(self.studio.plan(rng), rng) for _ in range(TEXT_ONLY)]
        shown, said = claims_of(scenes, subjects), claims_of(captions, subjects)
        texts = text_features(run.model, self.words, [caption.text for caption in captions])
        fitting = fits(claims_of(captions[:BATCH], subjects), shown)
        scale = run.model.logit_scale.exp().clamp(max=60)
        direct = shared_cross_entropy(run.heads.direct(seen.pooled), shown.subject)
        losses = {
            "pair": contrastive_loss(seen.embeddings, texts[:BATCH], scale, fitting),
            "direct": 0.5 * direct,
            "patches": 0.5 * patch_loss(run.heads, seen, maps),
        }
        if "twins" not in self.settings.without:
            losses["twins"] = TWIN_WEIGHT * twin_loss(seen.embeddings, TWIN_SCALE, same(shown))
        for name, weight in IMAGE_WEIGHTS.items():
            loss = prototype_loss(run.heads, name, seen.embeddings, shown[name])
            losses[f"image {name}"] = weight * loss
        for name, weight in TEXT_WEIGHTS.items():
            losses[f"text {name}"] = weight * prototype_loss(run.heads, name, texts, said[name])
        return losses, shown

    def _average(self) -> None:
        """Move the averaged weights towards the present ones; at the start they follow faster."""
        keep = min(AVERAGING, (1 + self.run.step) / (10 + self.run.step))
        with torch.no_grad():
            for name, value in self.run.model.state_dict().items():
                if value.is_floating_point():
                    self.run.average[name].lerp_(value, 1 - keep)

    def _log(self, report: dict[str, float], progress: float) -> None:
        run = self.run
        left = run.trained_s * (1 / progress - 1) / 60 if progress else math.inf
        parts = "  ".join(f"{name} {value:.2f}" for name, value in report.items())
        line = f"{run.trained_s / 60:6.1f} min  step {run.step}  {parts}  {left:.0f} min left"
        print(line, flush=True)
        with (self.folder / "log.txt").open("a") as file:
            file.write(line + "\n")


def processor() -> CLIPImageProcessorPil:
    size = {"height": FRAME, "width": FRAME}
    return CLIPImageProcessorPil(
        do_resize=True,
        size={"shortest_edge": FRAME},
        do_center_crop=True,
        crop_size=size,
        image_mean=list(network.MEAN),
        image_std=list(network.STD),
        do_convert_rgb=True,
    )


def export(run: Run, words: CLIPTokenizer, out: Path) -> None:
    """Write the averaged weights as a float16 transformers folder, complete or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.half().contiguous()
        for name, value in run.average.items()
        if value.is_floating_point()
    }
    run.model.config.dtype = torch.float16
    run.model.config.architectures = ["CLIPModel"]
    run.model.config.save_pretrained(out)
    words.save_pretrained(out)
    processor().save_pretrained(out)
    part = out / "model.safetensors.part"
    save_file(weights, part, metadata={"format": "pt"})
    part.rename(out / "model.safetensors")
