"""Packed towers answer as the plain ones; one that doesn't is turned down."""

from pathlib import Path

import pytest
import torch

from index import checkpoint, embedder, packed


@pytest.mark.parametrize("numbers", ["float32", "bfloat16"])
def test_packed_side_has_no_plain_layer_left_and_answers_the_same(
    numbers: packed.Precision, tiny_clip: Path
) -> None:
    if not packed.supported(numbers):
        pytest.skip(f"this processor has no fast {numbers}")
    model = embedder.load(checkpoint.find(str(tiny_clip)), "cpu")
    before, _ = model.sample("images")
    model.pack("images", numbers)
    after, _ = model.sample("images")
    kinds = {type(module) for module in model._model.vision_model.modules()}
    assert torch.nn.Linear not in kinds
    assert (before * after).sum(axis=1).min() >= 0.999


def test_packing_that_changes_the_answers_is_turned_down(tiny_clip: Path) -> None:
    if not packed.supported("float32"):
        pytest.skip("this processor has no fast float32")
    model = embedder.load(checkpoint.find(str(tiny_clip)), "cpu")
    before, seconds = model.sample("texts")
    objection = embedder._objection(model, "texts", "float32", (-before, seconds), 0.999)
    assert objection is not None
    assert "its answers differ" in objection
