"""Products of integers err by rounding only, and what lies between them is what numpy computes."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

from index.embed import packed
from index.embed.geometry import Activation
from index.embed.in_numpy import InNumpy, activated
from index.embed.on_integers import OnIntegers
from index.types.records import Floats

if TYPE_CHECKING:
    from index.embed.integer_products import Bits

pytestmark = pytest.mark.skipif(
    not packed.supported("int16"), reason="this processor multiplies no integers fast"
)
both = pytest.mark.parametrize("bits", [16, 8])


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def step_of(x: Floats, bits: Bits) -> Floats:
    """How long a step of each row of inputs is, (n, 1)."""
    from index.embed import integer_products

    if bits == 16:
        return np.abs(x).max(axis=1, keepdims=True) / integer_products.MOST
    length = x.max(axis=1, keepdims=True).clip(0) - x.min(axis=1, keepdims=True).clip(None, 0)
    return length / integer_products.BYTE_STEPS


@both
@pytest.mark.parametrize(
    ("rows", "inputs", "out"), [(1, 1, 1), (4, 5, 31), (7, 24, 48), (9, 513, 70), (26, 1030, 50)]
)
def test_products_err_by_rounding_only(
    bits: Bits, rows: int, inputs: int, out: int, random: np.random.Generator
) -> None:
    from index.embed import integer_products

    x, weight = (random.standard_normal((n, inputs), np.float32) for n in (rows, out))
    x[0], weight[0] = 0, 0
    x[-1] += 3  # none is below zero, so zero is the least step
    bias = random.standard_normal(out, np.float32)
    made = OnIntegers(bits).product((weight, bias))(x)
    assert made.shape == (rows, out)
    _, steps, _ = integer_products.pack(weight, bits, integer_products.Room())
    of_x, of_weights = step_of(x, bits) / 2, steps[:out, None] / 2
    most = np.abs(x) @ of_weights.repeat(inputs, 1).T
    most += (of_x * inputs) * of_weights.T + of_x * np.abs(weight).sum(axis=1)
    exact = x.astype(np.float64) @ weight.T.astype(np.float64) + bias
    assert (np.abs(made - exact) <= 1.01 * most + 1e-5).all()
    assert (made - exact).std() < (0.0015 if bits == 16 else 0.03) * inputs**0.5


@both
@pytest.mark.parametrize("inputs", [3, 512, 1024])
def test_the_greatest_sums_do_not_overflow(bits: Bits, inputs: int) -> None:
    weight, x = np.ones((3, inputs), np.float32), np.ones((2, inputs), np.float32)
    weight[1] = -7
    weight[2, ::2] = 1000
    made = OnIntegers(bits).product((weight, None))(x)
    assert np.allclose(made, x @ weight.T, rtol=2e-3 if bits == 16 else 2e-2)


@both
@pytest.mark.parametrize("rows", [1, 40])
@pytest.mark.parametrize("activation", get_args(Activation))
def test_the_activation_is_that_of_numpy(
    activation: Activation, rows: int, bits: Bits, random: np.random.Generator
) -> None:
    x = random.uniform(-30, 30, (rows, 200)).astype(np.float32)
    exact = activated(x, activation)
    made = OnIntegers(bits).product((np.eye(200, dtype=np.float32), None), activation)(x)
    assert (np.abs(made - exact) <= 0.51 * step_of(exact, bits) + 2e-5 * np.abs(exact) + 1e-5).all()


@both
def test_weights_in_one_piece_of_memory_are_each_their_own(
    bits: Bits, random: np.random.Generator
) -> None:
    arithmetic = OnIntegers(bits)
    shapes = [(33, 5), (1, 5), (64, 5), (70, 5), (3, 5)]
    weights = [random.integers(-9, 10, shape).astype(np.float32) for shape in shapes]
    products = [arithmetic.product((weight, None)) for weight in weights]
    x = random.integers(-9, 10, (3, 5)).astype(np.float32)
    for weight, product in zip(weights, products, strict=True):
        assert np.allclose(product(x), x @ weight.T, rtol=0, atol=0.05 if bits == 16 else 5)


@both
@pytest.mark.parametrize("number", [np.inf, np.nan])
def test_weights_that_are_not_finite_are_noticed(bits: Bits, number: float) -> None:
    made = OnIntegers(bits).product((np.full((1, 2), number, np.float32), None))
    assert not np.isfinite(made(np.ones((1, 2), np.float32))).any()


def test_the_layer_norm_is_that_of_numpy(random: np.random.Generator) -> None:
    x, (scale, shift) = random.standard_normal((3, 70), np.float32), random.standard_normal((2, 70))
    exact, made = (
        kind.norm(scale.astype(np.float32), shift.astype(np.float32), 1e-5)(x)
        for kind in (InNumpy(), OnIntegers(16))
    )
    assert np.allclose(made, exact, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 6, 50, 65, 130])
@pytest.mark.parametrize("width", [8, 64, 72])
def test_attention_is_that_of_numpy(rows: int, width: int, random: np.random.Generator) -> None:
    n, heads = 3, 2
    ours, plain = OnIntegers(16), InNumpy()
    joined = random.standard_normal((n * rows, 3 * heads * width), np.float32)
    all_, exact = (kind.by_head(joined, n, heads, heads * width) for kind in (ours, plain))
    assert np.allclose(ours.attention(*all_), plain.attention(*exact), atol=2e-5)
    probe = random.standard_normal((1, heads, 1, width), np.float32)  # of SigLIP, for all pictures
    made = ours.attention(probe, *all_[1:])
    assert made.shape == (n, heads * width)
    assert np.allclose(made, plain.attention(probe, *exact[1:]), atol=2e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_attention_of_texts_is_that_of_numpy(causal: bool, random: np.random.Generator) -> None:
    heads, width = 2, 64
    spans = [slice(0, 1), slice(1, 8), slice(8, 85)]
    qkv = random.standard_normal((85, 3 * heads * width), np.float32)
    exact = InNumpy().attended(qkv, spans, heads, causal=causal)
    made = OnIntegers(16).attended(qkv, spans, heads, causal=causal)
    assert np.allclose(made, exact, atol=1e-5)


def test_scores_of_any_size_have_shares() -> None:
    """Far apart, negative, and equal ones: each row's shares are those of the softmax."""
    from index.embed import float_loops

    for scores in ([0, -500, 500, 3], [-90, -91, -900, -90.5], [7, 7, 7, 7], [1e9, -1e9, 0, 1e9]):
        made = np.array([*scores, 5], np.float32)
        float_loops.soften(made, made.view(np.int32), 4)
        shares = np.exp(np.array(scores, np.float64) - max(scores))
        assert np.allclose(made, [*shares / shares.sum(), 0], atol=1e-6)


def test_exp_is_exact_to_a_few_bits() -> None:
    from index.embed import float_loops

    for x in np.linspace(-86, 86, 1733).astype(np.float32):
        error = float(float_loops.exp(x) / np.exp(np.float64(x)) - 1)
        assert abs(error) <= 3e-7 * (1 + abs(x))
