"""The committed weights: a plain transformers folder that needs nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

from pocket import MODEL
from pocket.evaluate import Loaded

SENTENCES = {
    "en": "a dog in the snow",
    "de": "ein grüner vogel über größeren bäumen",
    "fr": "un chien à l'intérieur, où ça",
    "es": "el año pasado, un pájaro",
    "pt": "cão na areia, coração",
    "ru": "жёлтая собака в снегу",
    "ja": "雪の中の犬とネコ",
    "zh": "雪地里的一只狗",
}


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return Loaded()


@pytest.mark.slow
def test_weights_load_offline_with_nothing_but_transformers(tmp_path: Path) -> None:
    program = (
        "import sys; from PIL import Image\n"
        "from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer\n"
        "folder = sys.argv[1]\n"
        "model = CLIPModel.from_pretrained(folder)\n"
        "words = CLIPTokenizer.from_pretrained(folder)(['dog in snow'], return_tensors='pt')\n"
        "pixels = CLIPImageProcessor.from_pretrained(folder)(\n"
        "    Image.new('RGB', (300, 200)), return_tensors='pt')\n"
        "out = model(**words, pixel_values=pixels['pixel_values'].to(model.dtype))\n"
        "print(tuple(out.logits_per_image.shape))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(MODEL)],
        cwd=tmp_path,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == "(1, 1)", done.stderr


def test_model_is_half_precision_and_small() -> None:
    assert sum(file.stat().st_size for file in MODEL.iterdir()) <= 12_000_000
    with safe_open(MODEL / "model.safetensors", "pt") as weights:
        assert {weights.get_tensor(name).dtype for name in weights.keys()} == {  # noqa: SIM118
            torch.float16
        }


def test_texts_end_and_pad_with_the_same_known_token(loaded: Loaded) -> None:
    text = loaded.model.config.text_config
    assert text.eos_token_id == text.pad_token_id == loaded.words.eos_token_id
    assert text.bos_token_id == loaded.words.bos_token_id
    assert loaded.words.pad_token_id == loaded.words.eos_token_id
    assert text.max_position_embeddings == loaded.words.model_max_length


def test_padding_changes_nothing(loaded: Loaded) -> None:
    alone = loaded.texts(["dog"])
    beside = loaded.texts(["dog", "a much longer sentence about a cat on a beach at sunset"])
    assert float(alone[0] @ beside[0]) > 0.99999


@pytest.mark.parametrize("language", SENTENCES)
def test_tokenizer_round_trips_every_language(loaded: Loaded, language: str) -> None:
    sentence = SENTENCES[language]
    numbers = loaded.words(sentence).input_ids
    back = loaded.words.decode(numbers, skip_special_tokens=True)
    assert "".join(back.split()) == "".join(sentence.split())


def test_tokenizer_knows_every_byte(loaded: Loaded) -> None:
    numbers = loaded.words("ß€😀 한국어 ﷽").input_ids
    assert loaded.words.unk_token_id not in numbers[1:-1]


def test_picture_of_any_shape_becomes_one_unit_vector(loaded: Loaded) -> None:
    shapes = [(640, 480), (90, 400), (96, 96), (31, 17)]
    vectors = loaded.pictures([Image.new("RGB", shape, "orange") for shape in shapes])
    assert vectors.shape == (4, loaded.model.config.projection_dim)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_both_kinds_of_processor_see_the_same_picture(loaded: Loaded) -> None:
    picture = Image.radial_gradient("L").convert("RGB").resize((200, 150))
    usual = CLIPImageProcessor.from_pretrained(MODEL)(picture, return_tensors="pt")
    plain = loaded.processor(picture, return_tensors="pt")
    assert torch.allclose(usual["pixel_values"], plain["pixel_values"], atol=0.1)


def test_float16_weights_answer_as_the_float32_ones(loaded: Loaded) -> None:
    half = CLIPModel.from_pretrained(MODEL, dtype=torch.float16)
    words = CLIPTokenizer.from_pretrained(MODEL)
    with torch.inference_mode():
        features = half.get_text_features(**words(["dog in snow"], return_tensors="pt"))
    vector = torch.nn.functional.normalize(features.pooler_output.float(), dim=-1).numpy()
    assert float(vector[0] @ loaded.texts(["dog in snow"])[0]) > 0.999
