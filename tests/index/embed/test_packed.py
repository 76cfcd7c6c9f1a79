"""Packed products give the same answers as plain ones; a format that doesn't is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from index.embed import by_transformers, checkpoint, packed, quantization
from index.embed.calibration import sample_images, unit
from index.types.records import Floats

LEAST = {
    "plain": 1 - 1e-6,
    "float32": 1 - 1e-6,
    "int16": 1 - 1e-6,
    "bfloat16": 0.9999,
    "int8": 0.999,
}


def cosine(a: Floats, b: Floats) -> float:
    return float((a * b).sum(axis=1).min() / np.linalg.norm(a) / np.linalg.norm(b) * len(a))


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("number_format", LEAST)
@pytest.mark.parametrize("activation", ["quick_gelu", "gelu", "gelu_pytorch_tanh"])
@pytest.mark.parametrize("rows", [1, 7, 200])
def test_products_are_those_of_float64(
    number_format: packed.NumberFormat, activation: str, rows: int, random: np.random.Generator
) -> None:
    if not packed.supported(number_format):
        pytest.skip(f"this processor has no fast {number_format}")
    x, up, down = (
        random.standard_normal(shape, np.float32) for shape in ((rows, 64), (256, 64), (48, 256))
    )
    bias = random.standard_normal(256, np.float32)
    known: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "quick_gelu": lambda y: y * torch.sigmoid(1.702 * y),
        "gelu": torch.nn.functional.gelu,
        "gelu_pytorch_tanh": lambda y: torch.nn.functional.gelu(y, approximate="tanh"),
    }
    exact = torch.from_numpy(x).double() @ torch.from_numpy(up).double().T + torch.from_numpy(bias)
    exact = known[activation](exact) @ torch.from_numpy(down).double().T
    products = packed.Products(number_format, "cpu")
    with torch.inference_mode():
        mlp = products.mlp((up / 8, bias), (down, None), activation)  # type: ignore[arg-type]
        mine = mlp(torch.from_numpy(x * 8)).float().numpy()
    a, b = mine.reshape(1, -1), exact.numpy().astype(np.float32).reshape(1, -1)
    assert cosine(a, b) >= LEAST[number_format]


def test_bytes_are_the_nearest_steps(random: np.random.Generator) -> None:
    for low, high in ((-3.0, 5.0), (0.0, 1.0), (-2.0, 0.0), (-0.17, 40.0), (0.0, 0.0), (7.0, 9.0)):
        x = torch.from_numpy(random.uniform(low, high, (50, 40)).astype(np.float32))
        quantised, size, zero = packed._quantised(x)
        assert quantised.dtype == torch.uint8
        again = (quantised.float() - zero) * size
        assert float((again - x).abs().max()) <= size * 0.501


@pytest.mark.parametrize("narrow", [False, True])
def test_the_greatest_bytes_and_weights_do_not_overflow(narrow: bool) -> None:
    """Processors without VNNI sum two products in 16 bits."""
    if not packed.supported("int8"):
        pytest.skip("this processor has no fast int8")
    products = packed.Products("int8", "cpu")
    product = products.linear([(np.ones((8, 64), np.float32), None)], narrow=narrow)
    x = torch.ones((3, 64))
    x[0, 0] = 0.0
    made = product(x).float().numpy()
    assert np.allclose(made, x.numpy() @ np.ones((64, 8)), rtol=0.01)


def test_quantised_swish_is_within_a_step_of_its_bytes(random: np.random.Generator) -> None:
    for most in (-20.0, -0.5, 0.01, 1.0, 7.0, 90.0):
        x = torch.from_numpy(random.uniform(-100.0, most, (50, 96)).astype(np.float32))
        quantised, size, zero = packed._quantised_swish(x)
        exact = torch.nn.functional.silu(x)
        off = (quantised.float() - zero) * size - exact
        assert (
            float(off.abs().max()) <= 0.51 * size + quantization.SWISH_ERROR + max(most, 0) / 5000
        )
        assert 0 < int(quantised.max()) <= 255
        assert zero <= 255


@pytest.mark.parametrize("number_format", ["float32", "bfloat16", "int16"])
def test_packed_model_of_transformers_has_no_plain_layer_left_and_answers_the_same(
    number_format: packed.NumberFormat, tiny_clip: Path
) -> None:
    if not packed.supported(number_format):
        pytest.skip(f"this processor has no fast {number_format}")
    found, device = checkpoint.find(str(tiny_clip)), "cpu"
    plain, made = (by_transformers.Images(found, n, device) for n in ("plain", number_format))  # type: ignore[arg-type]
    kinds = {type(module) for module in made._model.vision_model.modules()}
    assert torch.nn.Linear not in kinds
    assert made._model.text_model is None
    sample = sample_images(32)
    before, after = (unit(np.concatenate(list(sample(side)))) for side in (plain, made))
    assert (before * after).sum(axis=1).min() >= 0.999
