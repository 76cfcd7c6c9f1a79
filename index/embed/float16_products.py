"""Products of float32 rows with weights that are kept in float16, compiled by numba.

A question has few rows, and then a product takes as long as its weights take to be read. In float16
these are half as many bytes. Each weight becomes float32 in the registers and is used for all rows
of a block. So the arithmetic is that of float32, and only the weights are rounded, to 11 bits of
mantissa.

Import this module late, because numba takes a third of a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils as _cgutils
from numba.core import types
from numba.extending import intrinsic

from index.compiled import compiled
from index.embed import processor
from index.types.records import Floats

cgutils: Any = _cgutils  # has no types

# The sums of a block of rows and a tile of outputs stay in registers: AVX-512 has 32 for 16 sums
# each, AVX2 has 16 for 8.
WIDE = "avx512f" in processor.flags()
LANES = 16 if WIDE else 8  # sums in a register
BLOCKS = (4, 8, 12) if WIDE else (2, 4, 6)  # rows
TILE = 2 * LANES
LINE = 32  # weights in a line of the caches, which is 64 bytes
# Weights are asked of memory this long before they are used. On its own, the processor reads less
# far ahead, and then it waits for half of the time.
AHEAD = 8192  # weights
PIECE = 2**24  # weights


def _sums_of(rows: int) -> Any:
    """A function of packed, tile, blocks, block and out. It multiplies one tile of weights with one
    block of `rows` rows, and writes the sums to the first rows of `out`, which is TILE wide.

    packed   (tiles, inputs, TILE), the bits of float16
    blocks   (blocks, inputs, rows) float32
    """
    half, real, place = ir.HalfType(), ir.FloatType(), ir.IntType(64)
    whole, bytes_ = ir.IntType(32), ir.IntType(8).as_pointer()
    narrow, wide = ir.VectorType(half, LANES), ir.VectorType(real, LANES)
    everywhere = ir.Constant(ir.VectorType(whole, LANES), [0] * LANES)
    nothing, zeros = ir.Constant(wide, ir.Undefined), ir.Constant(wide, [0.0] * LANES)
    sums = [(row, first) for row in range(rows) for first in range(0, TILE, LANES)]

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def array(number: int) -> Any:
            return context.make_array(signature.args[number])(context, builder, args[number])

        def at(start: Any, index: Any, step: int, offset: int) -> Any:
            """The place of start[index * step + offset]."""
            steps = builder.mul(index, ir.Constant(place, step))
            return builder.gep(start, [builder.add(steps, ir.Constant(place, offset))])

        def function(name: str, result: Any, takes: Any) -> Any:
            kind = ir.FunctionType(result, takes)
            return cgutils.get_or_insert_function(builder.module, kind, name)

        of_rows = array(2)
        inputs = builder.extract_value(of_rows.shape, 1)
        all_weights = builder.bitcast(array(0).data, half.as_pointer())
        weights = at(all_weights, builder.mul(args[1], inputs), TILE, 0)
        x = at(of_rows.data, builder.mul(args[3], inputs), rows, 0)
        registers = {sum_: cgutils.alloca_once_value(builder, zeros) for sum_ in sums}
        for sum_ in sums:
            builder.store(zeros, registers[sum_])
        fma = function(f"llvm.fma.v{LANES}f32", wide, [wide] * 3)
        prefetch = function("llvm.prefetch.p0", ir.VoidType(), [bytes_, whole, whole, whole])
        # 0: to be read. 3: to be kept in all caches. 1: data, not instructions.
        how = [ir.Constant(whole, value) for value in (0, 3, 1)]
        with cgutils.for_range(builder, inputs) as loop:
            for line in range(0, TILE, LINE):
                ahead = at(weights, loop.index, TILE, AHEAD + line)
                builder.call(prefetch, [builder.bitcast(ahead, bytes_), *how])
            weight = {}
            for first in range(0, TILE, LANES):
                pointer = builder.bitcast(at(weights, loop.index, TILE, first), narrow.as_pointer())
                weight[first] = builder.fpext(builder.load(pointer, align=2 * LANES), wide)
            for row in range(rows):
                one = builder.load(at(x, loop.index, rows, row))
                inserted = builder.insert_element(nothing, one, ir.Constant(whole, 0))
                all_ = builder.shuffle_vector(inserted, nothing, everywhere)
                for first in weight:
                    register = registers[row, first]
                    added = builder.call(fma, [weight[first], all_, builder.load(register)])
                    builder.store(added, register)
        out = array(4).data
        for row, first in sums:
            pointer = at(out, ir.Constant(place, row), TILE, first)
            pointer = builder.bitcast(pointer, wide.as_pointer())
            builder.store(builder.load(registers[row, first]), pointer, align=4)
        return context.get_dummy_value()

    def typed(typing: Any, packed: Any, tile: Any, blocks: Any, block: Any, out: Any) -> Any:
        return types.void(packed, tile, blocks, block, out), generate

    return intrinsic(typed)


sums_of_few, sums_of_some, sums_of_many = (_sums_of(rows) for rows in BLOCKS)


@compiled
def by_input(x: Any, first: int, count: int, rows: int) -> Any:
    """The rows of x from `first` on, in `count` blocks of `rows` rows: (count, inputs, rows). Where
    x ends within a block, its last row is repeated."""
    blocks = np.empty((count, x.shape[1], rows), np.float32)
    for block in range(count):
        for i in range(x.shape[1]):
            for row in range(rows):
                blocks[block, i, row] = x[min(first + block * rows + row, len(x) - 1), i]
    return blocks


@compiled
def write(sums: Any, bias: Any, y: Any) -> None:
    """Write sums and biases to `y`, (rows, outputs), which may be less than a tile."""
    for row in range(y.shape[0]):
        for i in range(y.shape[1]):
            y[row, i] = sums[row, i] + bias[i]


@compiled
def multiply(x: Any, packed: Any, bias: Any, y: Any) -> None:
    """Write x @ weight.T + bias, (n, out), to `y`.

    x        (n, inputs) float32, contiguous
    packed   what `pack` made of the weight
    bias     (out,) float32
    """
    few, some, many = BLOCKS
    full = len(x) // many
    left = len(x) - full * many
    rows = few if left <= few else some if left <= some else many
    blocks, rest = by_input(x, 0, full, many), by_input(x, full * many, min(left, 1), rows)
    sums = np.empty((many, TILE), np.float32)
    for tile in range(packed.shape[0]):
        outputs = slice(tile * TILE, min((tile + 1) * TILE, y.shape[1]))
        for block in range(full):
            sums_of_many(packed, tile, blocks, block, sums)
            write(sums, bias[outputs], y[block * many : (block + 1) * many, outputs])
        if left:
            if rows == few:
                sums_of_few(packed, tile, rest, 0, sums)
            elif rows == some:
                sums_of_some(packed, tile, rest, 0, sums)
            else:
                sums_of_many(packed, tile, rest, 0, sums)
            write(sums, bias[outputs], y[full * many :, outputs])


@compiled
def normalise(x: Any, scale: Any, shift: Any, epsilon: Any, y: Any) -> None:
    """Write the layer norm of each row of x, (n, width) float32, to `y`."""
    width = x.shape[1]
    for row in range(x.shape[0]):
        sum_ = np.float32(0)
        for i in range(width):
            sum_ += x[row, i]
        mean, squares = sum_ / np.float32(width), np.float32(0)
        for i in range(width):
            squares += (x[row, i] - mean) * (x[row, i] - mean)
        factor = np.float32(1) / np.sqrt(squares / np.float32(width) + epsilon)
        for i in range(width):
            y[row, i] = (x[row, i] - mean) * factor * scale[i] + shift[i]


class Room:
    """Memory for weights that are read one after another.

    They lie in large pieces, in which the processor reads ahead from one to the next, and for which
    the system has large pages.
    """

    def __init__(self) -> None:
        self._left = np.empty(0, np.uint16)

    def take(self, count: int) -> Any:
        """Memory for `count` weights, (count,) uint16. It begins at a line of the caches."""
        if len(self._left) < count:
            piece = np.empty(max(PIECE, count) + LINE, np.uint16)
            self._left = piece[-piece.ctypes.data % (2 * LINE) // 2 :]
        taken, self._left = self._left[:count], self._left[-(-count // LINE) * LINE :]
        return taken


def pack(weight: Floats, room: Room) -> Any:
    """A weight (out, inputs) in the order in which `multiply` reads it: (tiles, inputs, TILE), the
    bits of float16, with zeros for the outputs that fill the last tile."""
    out, inputs = weight.shape
    tiles = -(-out // TILE)
    packed = room.take(tiles * inputs * TILE).reshape(tiles, inputs, TILE)
    for tile in range(tiles):
        with np.errstate(over="ignore"):  # what is infinite then is noticed when it is compared
            rows = weight[tile * TILE : (tile + 1) * TILE].astype(np.float16)
        packed[tile, :, : len(rows)] = rows.view(np.uint16).T
        packed[tile, :, len(rows) :] = 0
    return packed
