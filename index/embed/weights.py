"""A checkpoint's tensors by name, each read when it is used.

The files are mapped into memory. So a tower that isn't used is never read from disk, and of the
table of token embeddings only the rows that a question needs are read.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from index.embed.checkpoint import Checkpoint, header
from index.types.records import Floats

# The types that weights are stored in: their names in safetensors, and in numpy.
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


class Weights(Mapping[str, Floats]):
    """float32 arrays by name. Some are views of the file, so never write to them."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """raises   OSError, ValueError, and what torch.load raises for files of its own kind"""
        self._read: dict[str, Any] = {}
        self._maps: list[Any] = []
        for file in checkpoint.weights:
            if file.suffix == ".safetensors":
                # Copy-on-write, because torch refuses arrays that can't be written.
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

    def names_under(self, *prefixes: str) -> set[str]:
        """The names that begin with a prefix, without the buffers that old checkpoints contain."""
        return {n for n in self if n.startswith(prefixes) and not n.endswith(".position_ids")}

    def renamed(self, read: Mapping[str, Callable[[], Floats]]) -> Weights:
        """These files under other names: each is read by the function that is given for it."""
        other = Weights.__new__(Weights)
        other._read, other._maps = dict(read), self._maps
        return other

    def release_memory(self) -> None:
        """Give back the memory of the pages that were read, and of temporary copies.

        It is a quarter of a gigabyte for ViT-B/32. Pages that are used again are read again.
        """
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
