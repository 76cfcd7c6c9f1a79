"""A checkpoint's tensors by name, each read when it is asked for.

The files are mapped into memory: a tower that isn't used is never read from disk, and of a table
of words only the rows that a question touches.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from index.embed.checkpoint import Checkpoint, header
from index.types.records import Floats

# Safetensors' names of the types that weights come in.
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


class Weights(Mapping[str, Floats]):
    """float32 arrays by name; those stored as float32 are views of the file, not to be written."""

    def __init__(self, found: Checkpoint) -> None:
        """raises   OSError, ValueError, and what torch.load raises for files of its own kind"""
        self._read: dict[str, Any] = {}
        self._maps: list[Any] = []
        for file in found.weights:
            if file.suffix == ".safetensors":
                # Private, since torch refuses arrays that can't be written.
                self._maps.append(np.memmap(file, np.uint8, mode="c"))
                self._read |= _safetensors(file, self._maps[-1])
            else:
                self._read |= _torch_file(file)

    def __getitem__(self, name: str) -> Floats:
        array: Floats = self._read[name]()
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)

    def below(self, *prefixes: str) -> set[str]:
        """The names that begin so, without the buffers that old checkpoints carry along."""
        return {n for n in self if n.startswith(prefixes) and not n.endswith(".position_ids")}

    def rest(self) -> None:
        """Let the system have the memory of what was read, and of what was made of it on the way
        (a quarter of a gigabyte for ViT-B/32); what is read again comes again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for mapped in self._maps:
                mapped._mmap.madvise(mmap.MADV_DONTNEED)
        if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
            libc.malloc_trim(0)


def _safetensors(file: Path, mapped: Any) -> dict[str, Any]:
    tensors, start = header(file)

    def reader(kind: str, shape: list[int], begin: int, end: int) -> Any:
        def read() -> Floats:
            raw = mapped[start + begin : start + end].view(TYPES[kind]).reshape(shape)
            if kind == "BF16":  # the upper half of a float32
                raw = (raw.astype(np.uint32) << 16).view(np.float32)
            array: Floats = np.asarray(raw).astype(np.float32, copy=False)
            return array

        return read

    return {
        name: reader(tensor["dtype"], tensor["shape"], *tensor["data_offsets"])
        for name, tensor in tensors.items()
        if tensor["dtype"] in TYPES
    }


def _torch_file(file: Path) -> dict[str, Any]:
    import torch

    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError:  # a file from before torch 1.6 can't be mapped
        tensors = torch.load(file, map_location="cpu", weights_only=True)
    return {
        name: lambda tensor=tensor: tensor.detach().float().numpy()
        for name, tensor in tensors.items()
        if tensor.is_floating_point()
    }
