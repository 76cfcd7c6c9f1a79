"""Vectors compared with those of transformers' own pipeline."""

from __future__ import annotations

import gc
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image, ImageCms, ImageOps

from index.embed import calibration, checkpoint, embedder, packed, preprocessing
from index.embed.embedder import ClipEmbedder
from index.images import decode as images
from index.types.records import Floats
from tests.index import checkpoints

ROOT = Path(__file__).parents[3]
POCKET = ROOT / "pocket" / "model"
PARITY = 0.9999
TEXTS = ["a Dog in the snow", "rocket", "the cat, ein naïver Hund 犬"]
# Checkpoints whose towers both are computed here. Texts of "siglip2_b16" are, too.
FAST = (
    *("tiny_clip", "clip_b32", "siglip_b16", "siglip2_b32", "metaclip2_b32", "tips2_b14"),
    "pocket",
)


def cosines(a: Floats, b: Floats) -> Floats:
    return np.asarray((a * b).sum(axis=1))


class Pipeline:
    """The reference: transformers on the full picture and padded text."""

    def __init__(self, folder: Path) -> None:
        self.model: Any = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
        # Whatever class its files name, which would read another vocabulary than one of words.
        self.tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
        auto: Any = transformers.AutoImageProcessor
        self.processor = (
            preprocessing.processor(checkpoint.find(str(folder)))  # transformers has none by Pillow
            if self.model.config.model_type == "tipsv2"
            else auto.from_pretrained(folder, backend="pil")
        )
        masked = self.model.config.model_type in ("clip", "metaclip_2", "tipsv2")
        self.given = ("input_ids", "attention_mask") if masked else ("input_ids",)

    def images(self, pictures: Sequence[Image.Image]) -> Floats:
        with torch.inference_mode():
            inputs = self.processor(images=list(pictures), return_tensors="pt")
            return self._unit(self.model.get_image_features(**inputs))

    def texts(self, texts: Sequence[str]) -> Floats:
        context = self.model.config.text_config.max_position_embeddings
        with torch.inference_mode():
            inputs = self.tokenizer(
                [text.lower() for text in texts],
                padding="max_length",
                max_length=context,
                truncation=True,
                return_attention_mask=True,
                return_tensors="pt",
            )
            kept = {name: inputs[name] for name in self.given if name in inputs}
            return self._unit(self.model.get_text_features(**kept))

    def _unit(self, output: Any) -> Floats:
        features = output.pooler_output.numpy()
        return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True))


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose number formats by few samples: the tests look at the answers themselves."""
    monkeypatch.setattr(calibration, "SCENES", 3)
    monkeypatch.setattr(calibration, "PATCHES", 1)


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Path]]:
    """Makes a checkpoint by its name. All are deleted afterwards, because some are large."""
    root = tmp_path_factory.mktemp("checkpoints")

    def make(name: str) -> Path:
        if name == "pocket":
            return POCKET
        folder: Path = getattr(checkpoints, name)(root / name)
        return folder

    yield make
    shutil.rmtree(root)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FAST, "siglip2_b16"])
def test_same_vectors_as_transformers_own_pipeline(
    name: str, folder_of: Callable[[str], Path], photographs: dict[str, bytes]
) -> None:
    """Ours are scaled down while they are decoded, and texts are trimmed where that is exact."""
    transformers.utils.logging.disable_progress_bar()
    folder = folder_of(name)
    model = embedder.load(checkpoint.find(str(folder)))
    reference = Pipeline(folder)
    data = [photographs["astronaut.png"], photographs["rocket.jpg"], _phone_photo(photographs)]
    frames = [
        images.decode(one, model.side, model.shape, resample=model.resample).frames[0]
        for one in data
    ]
    ours = model.images(frames)
    assert isinstance(model._texts, embedder._TextSide)
    assert isinstance(model._images, embedder._ImageSide) == (name in FAST)
    full = [_in_srgb(Image.open(io.BytesIO(one))) for one in data]
    assert ours.shape == (len(data), model.dimension)
    assert ours.dtype == np.float32
    assert (cosines(ours, reference.images(full)) >= [_parity(one) for one in data]).all()
    text_vectors, read = model.texts(TEXTS)
    assert cosines(text_vectors, reference.texts(TEXTS)).min() >= PARITY
    assert read == [None] * len(TEXTS)
    assert np.allclose(np.linalg.norm(np.vstack([ours, text_vectors]), axis=1), 1, atol=1e-5)
    for precision, least in (("default", 0.999), ("fast", 0.99)):
        model = embedder.load(checkpoint.find(str(folder)), "cpu", precision)
        assert cosines(ours, model.images(frames)).min() >= least
        assert cosines(text_vectors, model.texts(TEXTS)[0]).min() >= PARITY
    formats: list[packed.NumberFormat | None] = [None]  # whatever was chosen on this machine
    formats += ["int16"] if packed.supported("int16") else []
    for number_format in formats:
        features, _ = model._text_side(number_format)(TEXTS)
        assert cosines(text_vectors, calibration.unit(features)).min() >= PARITY
        features = model._image_side(number_format)(frames)
        assert cosines(ours, calibration.unit(features)).min() >= PARITY
    del model, reference
    gc.collect()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_resize_in_one_step_equals_the_processor(
    orientation: int, tiny_clip: Path, photographs: dict[str, bytes]
) -> None:
    """Decoding smaller, Exif rotation, crop and resize in one step differ by rounding only."""
    found = checkpoint.find(str(tiny_clip))
    model, processor = embedder.load(found), preprocessing.processor(found)
    photo = Image.open(io.BytesIO(photographs["chelsea.png"])).resize((1803, 1201))
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    photo.save(buffer, "JPEG", quality=92, exif=exif)
    (frame,) = images.decode(
        buffer.getvalue(), model.side, model.shape, resample=model.resample
    ).frames
    assert frame.size == (model.side, model.side)
    full = ImageOps.exif_transpose(Image.open(buffer))
    ours, theirs = (
        np.asarray(processor(images=[one], return_tensors="np")["pixel_values"])
        for one in (frame, full)
    )
    assert np.abs(ours - theirs).mean() < 0.02  # of a deviation of 1


def _phone_photo(photographs: dict[str, bytes]) -> bytes:
    """A JPEG large enough for the decoder to leave out detail."""
    photo = Image.open(io.BytesIO(photographs["chelsea.png"])).resize((1800, 1200))
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def tiny(tiny_clip: Path) -> ClipEmbedder:
    return embedder.load(checkpoint.find(str(tiny_clip)))


def test_trimmed_text_equals_padded_text(tiny: ClipEmbedder, tiny_clip: Path) -> None:
    reference = Pipeline(tiny_clip)
    texts = ["a", "dog", "a dog in snow", "x" * 29]
    for text in texts:
        assert np.abs(tiny.texts([text])[0] - reference.texts([text])).max() < 1e-6
    assert np.abs(tiny.texts(texts)[0] - reference.texts(texts)).max() < 1e-6


def test_long_text_says_which_words_were_read(tiny: ClipEmbedder) -> None:
    vectors, read = tiny.texts(["short", "Many words, more than the model can read at once"])
    assert read[0] is None
    assert read[1] == "Many words, more than the model can"
    again, _ = tiny.texts([read[1] + " read something quite different"])
    assert cosines(vectors[1:], again)[0] > PARITY


def test_vector_does_not_depend_on_its_batch(
    tiny: ClipEmbedder, photographs: dict[str, bytes]
) -> None:
    frames = [images.decode(data, tiny.side, tiny.shape).frames[0] for data in photographs.values()]
    together = tiny.images(frames)
    alone = np.vstack([tiny.images([frame]) for frame in frames])
    assert cosines(together, alone).min() > 1 - 1e-6


def test_question_during_a_picture_changes_neither_vector(
    tiny: ClipEmbedder, photographs: dict[str, bytes]
) -> None:
    frames = [images.decode(data, tiny.side, tiny.shape).frames[0] for data in photographs.values()]
    apart, (words, _) = tiny.images(frames), tiny.texts(["a red bicycle"])
    asked: list[Floats] = []
    inside = tiny.images(frames, lambda: asked.append(tiny.texts(["a red bicycle"])[0]))
    assert asked
    assert (inside == apart).all()
    assert all((one == words).all() for one in asked)


def test_free_resolution_keeps_the_shape_of_a_picture(folder_of: Callable[[str], Path]) -> None:
    processor = transformers.models.siglip2.image_processing_pil_siglip2.Siglip2ImageProcessorPil()
    wide = Image.linear_gradient("L").convert("RGB").resize((900, 300))
    seen = preprocessing.seen(processor, wide)
    assert seen.width > 2 * seen.height
    difference = np.abs(
        np.asarray(seen, np.float64) - np.asarray(wide.resize(seen.size), np.float64)
    )
    assert difference.mean() < 2


def test_model_sees_the_middle_square(tiny: ClipEmbedder, photographs: dict[str, bytes]) -> None:
    photo = Image.open(io.BytesIO(photographs["rocket.jpg"]))
    seen = tiny.seen(photo)
    edge = min(photo.size)
    left = (photo.width - edge) // 2
    middle = photo.crop((left, 0, left + edge, edge)).resize(seen.size, Image.Resampling.BICUBIC)
    difference = np.abs(np.asarray(seen, np.float64) - np.asarray(middle, np.float64))
    assert difference.mean() < 6


@pytest.mark.parametrize("preparation", ["crop_size", "size"])
def test_size_given_as_one_number_is_understood(
    preparation: str, tiny_clip: Path, tmp_path: Path, photographs: dict[str, bytes]
) -> None:
    """Like the files of the first CLIPs: the number is the short edge."""
    folder = shutil.copytree(tiny_clip, tmp_path / "old")
    settings = folder / "processor_config.json"
    if not settings.is_file():
        settings = folder / "preprocessor_config.json"
    settings_json = json.loads(settings.read_text())
    settings_json.get("image_processor", settings_json)[preparation] = 32
    settings.write_text(json.dumps(settings_json))
    old = embedder.load(checkpoint.find(str(folder)))
    new = embedder.load(checkpoint.find(str(tiny_clip)))
    assert (old.side, old.shape, old.resample) == (new.side, new.shape, new.resample)
    rocket = Image.open(io.BytesIO(photographs["rocket.jpg"]))
    assert cosines(old.images([rocket]), Pipeline(folder).images([rocket])).min() >= PARITY


def test_unknown_architecture_is_computed_by_transformers(
    tiny_clip: Path, tmp_path: Path, photographs: dict[str, bytes]
) -> None:
    """With an activation that isn't known here, transformers gives the same answers."""
    folder = shutil.copytree(tiny_clip, tmp_path / "other")
    settings_json = json.loads((folder / "config.json").read_text())
    for side in ("text_config", "vision_config"):
        settings_json[side]["hidden_act"] = "silu"
    (folder / "config.json").write_text(json.dumps(settings_json))
    for precision in ("exact", "default"):
        model, reference = (
            embedder.load(checkpoint.find(str(folder)), "cpu", precision),
            Pipeline(folder),
        )
        assert not isinstance(model._texts, embedder._TextSide)
        frames = [Image.open(io.BytesIO(photographs["rocket.jpg"]))]
        assert cosines(model.texts(TEXTS)[0], reference.texts(TEXTS)).min() >= PARITY
        assert cosines(model.images(frames), reference.images(frames)).min() >= 0.999


def _parity(data: bytes) -> float:
    """The least cosine with the reference. Ours brings colours to sRGB after it made the picture
    small, which is less exact."""
    return 0.999 if "icc_profile" in Image.open(io.BytesIO(data)).info else PARITY


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture with the colours that its profile means."""
    if (profile := image.info.get("icc_profile")) is None:
        return image.convert("RGB")
    shown = ImageCms.profileToProfile(
        image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert shown is not None
    return shown


def test_altclip_is_read_and_seen_as_its_own_processor_does(
    tmp_path: Path, photographs: dict[str, bytes]
) -> None:
    """It crops, although its files don't say so, and has two positions that no token can take."""
    folder = checkpoints.tiny_altclip(tmp_path / "altclip")
    model, reference = embedder.load(checkpoint.find(str(folder))), Pipeline(folder)
    frames = [
        images.decode(one, model.side, model.shape, resample=model.resample).frames[0]
        for one in photographs.values()
    ]
    full = [_in_srgb(Image.open(io.BytesIO(one))) for one in photographs.values()]
    least = [_parity(one) for one in photographs.values()]
    assert (cosines(model.images(frames), reference.images(full)) >= least).all()
    for words in (510, 511, 512, 513, 600):
        _, (read,) = model.texts(["dog " * words])
        assert len((read or "dog " * words).split()) == min(words, 511)


def test_weights_by_torch_are_the_same_as_safetensors(tiny_clip: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_clip, tmp_path / "torch")
    (folder / "model.safetensors").unlink()
    model = transformers.CLIPModel.from_pretrained(tiny_clip)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    assert (
        embedder.load(checkpoint.find(str(folder))).texts(TEXTS)[0]
        == embedder.load(checkpoint.find(str(tiny_clip))).texts(TEXTS)[0]
    ).all()


def test_pictures_in_integers_import_no_torch(tiny_clip: Path, tmp_path: Path) -> None:
    """Torch takes more than a hundred megabytes, and a second of each start."""
    code = f"""
import sys
from PIL import Image
from index.embed import calibration, checkpoint, embedder, packed
flags = packed.processor.flags() - packed.BFLOAT16
packed.processor.flags = lambda: flags
packed.metadata.version = lambda name, version=packed.metadata.version: (
    "2.13.0+cpu" if name == "torch" else version(name)
)
calibration.INT16_FROM, calibration.QUIET_RATIO = 0, 0  # small ones too; and times don't count
model = embedder.load(checkpoint.find({str(tiny_clip)!r}), "auto", "default")
vectors = model.images([Image.new("RGB", (model.side, model.side), "orange")])
print(*({{"torch", "transformers"}} & set(sys.modules)), model.device, vectors.shape)
"""
    if not packed.supported("int16"):
        pytest.skip("this processor has no fast int16")
    own = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}  # what was chosen before doesn't count
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=own, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("(")[0].strip() == "cpu"


def test_question_in_words_imports_neither_torch_nor_transformers(tiny_clip: Path) -> None:
    code = f"""
import sys
from index.embed import checkpoint, embedder
model = embedder.load(checkpoint.find({str(tiny_clip)!r}), whole=False)
vectors, _ = model.texts(["dog"])
print(*({{"torch", "transformers"}} & set(sys.modules)), vectors.shape)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("(")[0].strip() == ""
