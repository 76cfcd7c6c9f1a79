"""Peers of the towers: ONNX Runtime and OpenVINO, each with one thread, on the same weights.

transformers' towers are exported to ONNX once, under build/, and both read these files. They are
given pixels that are normalised already, and ids of tokens, of which they pad none. ONNX Runtime's
int8 quantises as ours does: weights beforehand, and inputs in each call. OpenVINO computes int8
only with weights that another package of it has compressed, so it is measured without.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench import BUILD
from index.types.records import Floats

Tower = Callable[[Any], Floats]  # inputs, (n, …), to features, (n, d)
TOWERS = ("images", "text")
# What exports a tower needs, beside the packages that compute it.
EXPORTING = ("onnx", "onnxscript")


@dataclass(frozen=True, slots=True)
class Runtime:
    """One way to compute both towers.

    images   of pixels, (n, 3, 224, 224) float32
    text     of ids, (1, tokens) int64
    """

    name: str
    images: Tower
    text: Tower


def missing() -> list[str]:
    """The packages that are not installed, of those that are needed here."""
    return [name for name in (*EXPORTING, "onnxruntime", "openvino") if not _installed(name)]


def _installed(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def runtimes(checkpoint: Path, *, bfloat16: bool) -> list[Runtime]:
    """The peers that can be measured here; none without what exports a tower.

    bfloat16   also in bfloat16, which OpenVINO can where the processor can
    """
    if not all(_installed(name) for name in EXPORTING):
        return []
    files = _exported(checkpoint)
    made = []
    if _installed("onnxruntime"):
        made.append(Runtime("onnxruntime float32", *(_by_onnxruntime(file) for file in files)))
        quantised = [_quantised(file) for file in files]
        made.append(Runtime("onnxruntime int8", *(_by_onnxruntime(file) for file in quantised)))
    if _installed("openvino"):
        for precision in ("f32", "bf16") if bfloat16 else ("f32",):
            name = {"f32": "float32", "bf16": "bfloat16"}[precision]
            towers = (_by_openvino(file, precision) for file in files)
            made.append(Runtime(f"openvino {name}", *towers))
    return made


def _by_onnxruntime(file: Path) -> Tower:
    import onnxruntime

    library: Any = onnxruntime  # without types
    settings = library.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = library.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    return lambda inputs: np.asarray(session.run(None, {given.name: inputs})[0])


def _by_openvino(file: Path, precision: str) -> Tower:
    import openvino

    library: Any = openvino
    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
    }
    request = library.Core().compile_model(file, "CPU", settings).create_infer_request()
    return lambda inputs: np.array(request.infer([inputs])[0])


# ---- the files


def _exported(checkpoint: Path) -> list[Path]:
    """The towers of a checkpoint as ONNX files, made once."""
    folder = BUILD / f"{checkpoint.name}-onnx"
    files = [folder / f"{tower}.onnx" for tower in TOWERS]
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _export(checkpoint, files)
        (folder / "ready").touch()
    return files


def _export(checkpoint: Path, files: Sequence[Path]) -> None:
    import torch
    import transformers

    library: Any = transformers
    model = library.CLIPModel.from_pretrained(checkpoint).eval()

    class Images(torch.nn.Module):
        def forward(self, pixels: Any) -> Any:
            return model.get_image_features(pixel_values=pixels).pooler_output

    class Text(torch.nn.Module):
        def forward(self, ids: Any) -> Any:
            return model.get_text_features(input_ids=ids).pooler_output

    edge = model.config.vision_config.image_size
    last = model.config.text_config.eos_token_id
    dynamic = torch.export.Dim.DYNAMIC
    for file, tower, example, axis in (
        (files[0], Images(), torch.zeros(2, 3, edge, edge), 0),
        (files[1], Text(), torch.tensor([[last - 1, 7, 8, 9, last]]), 1),
    ):
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _quiet():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                tower.eval(),
                (example,),
                str(file),
                dynamo=True,
                dynamic_shapes=({axis: dynamic},),
                external_data=True,
            )


def _quantised(file: Path) -> Path:
    """The same with weights of int8, made once."""
    made = file.with_name(f"{file.stem}-int8.onnx")
    if not made.exists():
        from onnxruntime import quantization

        library: Any = quantization
        with _quiet():
            library.quantize_dynamic(
                file, made, weight_type=library.QuantType.QInt8, per_channel=True
            )
    return made


@contextlib.contextmanager
def _quiet() -> Any:
    """Without the messages of these packages."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
