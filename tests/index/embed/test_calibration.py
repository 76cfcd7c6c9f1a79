"""A model computes in the same number format at each start, and its answers keep to the limit."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from index.embed import calibration, checkpoint, choices, embedder, packed
from index.embed.calibration import Measured, calibrated, measured, reason_against, sample_images
from index.embed.checkpoint import Checkpoint
from index.embed.packed import NumberFormat
from index.types.records import Floats, Precision

CPU = "cpu"
SMALL = sample_images(32)  # drawn once, at the first use


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def no_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let answers alone decide: the stand-ins take the same time in each format, but for chance."""
    monkeypatch.setattr(calibration, "QUIET_S", -1.0)


@pytest.fixture
def found(tiny_clip: Path) -> Checkpoint:
    return checkpoint.find(str(tiny_clip))


@dataclass
class Side:
    """Eight numbers of a picture, with an error that grows with its fine structure."""

    number_format: NumberFormat
    error: float = 0.0

    def __call__(self, frames: Sequence[Image.Image]) -> Floats:
        pixels = np.stack([np.asarray(frame, np.float32) for frame in frames]) / 255
        fine = np.abs(np.diff(pixels, axis=1)).mean(axis=(1, 2, 3))
        means = pixels.reshape(len(frames), 4, -1, 3).mean(axis=2).reshape(len(frames), -1) + 0.1
        odd = np.arange(means.shape[1]) % 2 * 2 - 1
        return means + self.error * np.outer(fine, odd).astype(np.float32)


def cosine(a: Floats, b: Floats) -> float:
    return float((calibration.unit(a) * calibration.unit(b)).sum(axis=1).min())


def soft_patches() -> list[Image.Image]:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (4, 6, 6, 3), dtype=np.uint8)
    return [Image.fromarray(one).resize((224, 224), Image.Resampling.BICUBIC) for one in pixels]


@pytest.mark.usefixtures("no_times")
def test_a_format_that_errs_on_photographs_alone_is_refused(
    photographs: dict[str, bytes], found: Checkpoint, caplog: pytest.LogCaptureFixture
) -> None:
    def build(number_format: NumberFormat | None) -> Side:
        return Side(number_format or "plain", 0 if number_format in (None, "plain") else 2.6)

    if not packed.supported("int8"):
        pytest.skip("this processor has no fast int8")
    real = [Image.open(io.BytesIO(data)).convert("RGB") for data in photographs.values()]
    real = [one.resize((224, 224)) for one in real]
    assert cosine(build("int8")(soft_patches()), build("plain")(soft_patches())) > 0.995
    assert cosine(build("int8")(real), build("plain")(real)) < 0.99
    with caplog.at_level(logging.INFO):
        made = calibrated("images", "fast", CPU, build, sample_images(224), found)
    assert made.number_format == "plain"
    assert "not in int8: its answers differ" in caplog.text
    assert calibrated("images", "fast", CPU, Side, sample_images(224), found).number_format == (
        "plain"  # remembered
    )


@pytest.mark.usefixtures("no_times")
def test_samples_keep_a_margin_since_real_pictures_differ_more(found: Checkpoint) -> None:
    if not packed.supported("int8"):
        pytest.skip("this processor has no fast int8")
    sample = sample_images(224)
    for error, passes in ((1.0, False), (0.7, True)):

        def build(number_format: NumberFormat, error: float = error) -> Side:
            return Side(number_format, error if number_format == "int8" else 0)

        answers = [np.concatenate(list(sample(build(n)))) for n in ("int8", "plain")]  # type: ignore[arg-type]
        assert 0.99 < cosine(*answers) < 0.999
        of = replace(found, revision=str(error))
        made = calibrated("images", "fast", CPU, build, sample, of)
        assert (made.number_format == "int8") == passes


@pytest.mark.usefixtures("no_times")
def test_int16_is_for_models_that_are_read_from_memory(
    found: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[NumberFormat] = []

    def build(number_format: NumberFormat) -> Side:
        built.append(number_format)
        return Side(number_format)

    calibrated("texts", "default", CPU, build, SMALL, found)
    assert "int16" not in built
    if packed.supported("bfloat16") or not packed.supported("int16"):
        return
    monkeypatch.setattr(calibration, "INT16_FROM", checkpoint.needed_bytes(found))
    of = replace(found, revision="other")
    made = calibrated("texts", "default", CPU, build, SMALL, of)
    assert made.number_format == "int16"


@pytest.mark.usefixtures("no_times")
def test_the_choice_is_remembered_for_machine_model_and_precision(
    found: Checkpoint, cache: Path
) -> None:
    built: list[NumberFormat] = []

    def build(number_format: NumberFormat | None) -> Side:
        built.append(number_format or "plain")
        return Side(number_format or "plain")

    def start(of: Checkpoint, precision: str = "fast") -> tuple[NumberFormat, list[NumberFormat]]:
        built.clear()
        made = calibrated("images", precision, CPU, build, SMALL, of)  # type: ignore[arg-type]
        return made.number_format, list(built)

    first, tried = start(found)
    assert "plain" in tried
    assert start(found) == (first, [first])
    assert len(start(replace(found, revision="other"))[1]) > 1
    assert len(start(found, "default")[1]) > 1
    assert all(file.stat().st_mode & 0o077 == 0 for file in (cache / "magpie").iterdir())
    for damaged in ("", "[]", '{"a": 1}', "\xff"):
        (cache / "magpie" / choices.FILE).write_text(damaged)
        assert start(found)[0] == first


@pytest.mark.usefixtures("no_times")
def test_a_choice_that_cannot_be_made_again_is_made_anew(found: Checkpoint) -> None:
    candidates = [one for one in ("int8", "bfloat16", "float32") if packed.supported(one)]  # type: ignore[arg-type]
    if len(candidates) < 2:
        pytest.skip("this processor has one format alone")
    broken: set[NumberFormat] = set()

    def build(number_format: NumberFormat) -> Side:
        if number_format in broken:
            raise RuntimeError("no such operator")
        return Side(number_format)

    def start() -> str:
        made = calibrated("images", "fast", CPU, build, SMALL, found)
        return str(made.number_format)

    first = start()
    assert first == candidates[0]
    broken.add(candidates[0])
    assert start() == candidates[1]
    broken.clear()
    assert start() == first  # what may have been a lack of memory is not remembered


@pytest.mark.usefixtures("no_times")
def test_without_a_place_to_remember_it_is_chosen_anew(
    found: Checkpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    formats = {
        calibrated("images", "fast", CPU, Side, SMALL, found).number_format for _ in range(2)
    }
    assert len(formats) == 1


OPERATORS = {
    "mkldnn": ("_reorder_linear_weight", "_linear_pointwise"),
    "onednn": ("qlinear_prepack", "qlinear_pointwise"),
}


def other_arguments() -> None:
    """What an operator is called that takes other arguments than before."""


@pytest.mark.parametrize("precision", ["default", "fast"])
@pytest.mark.parametrize("change", ["gone", "other arguments"])
def test_a_torch_whose_operators_have_changed_answers_the_same(
    change: str, precision: Precision, found: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operators are torch's own and no part of what it promises to keep."""
    frames, words = [Image.new("RGB", (90, 60), (200, 40, 10)), *soft_patches()], ["a dog", "snow"]
    exact = embedder.load(found, "cpu", "exact")
    expected = exact.images(frames), exact.texts(words)[0]
    for namespace, names in OPERATORS.items():
        kept = {} if change == "gone" else dict.fromkeys(names, other_arguments)
        monkeypatch.setattr(torch.ops, namespace, SimpleNamespace(**kept))
    changed = embedder.load(found, "cpu", precision)
    for got, wanted in zip(
        (changed.images(frames), changed.texts(words)[0]), expected, strict=True
    ):
        # Our own int8 products need none of them, so they are used as before.
        own = precision == "fast" and packed.own_bits("int8")
        assert cosine(got, wanted) > (0.999 if own else 0.99999)


VECTORS = np.eye(3, dtype=np.float32)
QUIET = Measured(VECTORS, (1.0, 1.1), (1.0, 1.1))


def test_a_format_whose_answers_differ_is_refused() -> None:
    for answers in (-VECTORS, VECTORS * np.nan):
        reason = reason_against(QUIET, replace(QUIET, answers=answers), 0.999)
        assert "its answers differ" in str(reason)


def test_a_slow_format_is_refused_only_where_the_machine_is_quiet() -> None:
    slow = Measured(VECTORS, (2.2, 2.4), (2.2, 2.4))
    assert "2.00 times as long" in str(reason_against(QUIET, slow, 0.999))
    busy = Measured(VECTORS, (1.0, 1.1), (0.6, 0.7))  # it waited for the processor
    busy_and_slow = replace(slow, worked=(1.5, 2.4))
    assert reason_against(QUIET, busy_and_slow, 0.999) is None
    assert reason_against(busy, slow, 0.999) is None
    mixed = Measured(VECTORS, (1.05, 2.4), (1.05, 2.4))  # once as fast as the slowest plain run
    assert reason_against(QUIET, mixed, 0.999) is None


def test_the_first_run_is_not_timed() -> None:
    runs: list[Floats] = [VECTORS, VECTORS, VECTORS]
    sampled: Callable[[object], list[Floats]] = lambda _: runs  # noqa: E731
    taken = measured(sampled, None)
    assert taken.answers.shape == (9, 3)
    assert len(taken.seconds) == len(taken.worked) == 2
