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

# A block of rows and a tile of outputs are summed in registers: of its sums, AVX-512 keeps 16 in
# each of 32 registers, AVX2 keeps 8 in each of 16.
LANES = 16 if "avx512f" in processor.flags() else 8
ROWS = 8 if LANES == 16 else 4
TILE = 2 * LANES
ALIGNED = 64  # bytes, a line of the caches


def _sums(typing: Any, packed: Any, tile: Any, blocks: Any, block: Any, out: Any) -> Any:
    """Write the product of a block of rows and a tile of weights, (ROWS, TILE), to `out`.

    packed   (tiles, inputs, TILE), the bits of float16
    blocks   (blocks, inputs, ROWS) float32
    """
    bits, real, place = ir.HalfType(), ir.FloatType(), ir.IntType(64)
    narrow, wide = ir.VectorType(bits, LANES), ir.VectorType(real, LANES)
    vectors = TILE // LANES
    everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    nothing = ir.Constant(wide, ir.Undefined)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def array(number: int) -> Any:
            return context.make_array(signature.args[number])(context, builder, args[number])

        def number(value: int) -> Any:
            return ir.Constant(place, value)

        of_weights, of_rows, of_sums = array(0), array(2), array(4)
        inputs = builder.extract_value(of_rows.shape, 1)
        weights = builder.gep(
            builder.bitcast(of_weights.data, bits.as_pointer()),
            [builder.mul(args[1], builder.mul(inputs, number(TILE)))],
        )
        rows = builder.gep(of_rows.data, [builder.mul(args[3], builder.mul(inputs, number(ROWS)))])
        sums = [[cgutils.alloca_once(builder, wide) for _ in range(vectors)] for _ in range(ROWS)]
        for row in range(ROWS):
            for vector in range(vectors):
                builder.store(ir.Constant(wide, [0.0] * LANES), sums[row][vector])
        kind = ir.FunctionType(wide, [wide, wide, wide])
        fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f32")
        with cgutils.for_range(builder, inputs) as loop:
            weight = []
            for vector in range(vectors):
                at = builder.add(builder.mul(loop.index, number(TILE)), number(vector * LANES))
                pointer = builder.bitcast(builder.gep(weights, [at]), narrow.as_pointer())
                weight.append(builder.fpext(builder.load(pointer, align=2 * LANES), wide))
            for row in range(ROWS):
                at = builder.add(builder.mul(loop.index, number(ROWS)), number(row))
                one = builder.load(builder.gep(rows, [at]))
                first = builder.insert_element(nothing, one, ir.Constant(ir.IntType(32), 0))
                all_ = builder.shuffle_vector(first, nothing, everywhere)
                for vector in range(vectors):
                    sum_ = builder.load(sums[row][vector])
                    builder.store(
                        builder.call(fma, [weight[vector], all_, sum_]), sums[row][vector]
                    )
        for row in range(ROWS):
            for vector in range(vectors):
                at = number(row * TILE + vector * LANES)
                pointer = builder.bitcast(builder.gep(of_sums.data, [at]), wide.as_pointer())
                builder.store(builder.load(sums[row][vector]), pointer, align=4)
        return context.get_dummy_value()

    return types.void(packed, tile, blocks, block, out), generate


sums: Any = intrinsic(_sums)


@compiled
def multiply(x: Any, packed: Any, bias: Any, y: Any) -> None:
    """Write x @ weight.T + bias, (n, out), to `y`.

    x        (n, inputs) float32, contiguous
    packed   what `pack` made of the weight
    bias     (out,) float32
    """
    n, inputs = x.shape
    blocks = np.empty((-(-n // ROWS), inputs, ROWS), np.float32)
    for block in range(blocks.shape[0]):
        for i in range(inputs):
            for row in range(ROWS):  # the last row fills its block
                blocks[block, i, row] = x[min(block * ROWS + row, n - 1), i]
    of_tile = np.empty((ROWS, TILE), np.float32)
    for tile in range(packed.shape[0]):
        outputs = min(TILE, y.shape[1] - tile * TILE)
        for block in range(blocks.shape[0]):
            sums(packed, tile, blocks, block, of_tile)
            for row in range(min(ROWS, n - block * ROWS)):
                for i in range(outputs):
                    output = tile * TILE + i
                    y[block * ROWS + row, output] = of_tile[row, i] + bias[output]


def pack(weight: Floats) -> Any:
    """A weight (out, inputs) in the order in which `multiply` reads it: (tiles, inputs, TILE), the
    bits of float16, with zeros for the outputs that fill the last tile."""
    out, inputs = weight.shape
    tiles = -(-out // TILE)
    room = np.empty(tiles * inputs * TILE + ALIGNED // 2, np.uint16)
    start = -room.ctypes.data % ALIGNED // 2
    packed = room[start : start + tiles * inputs * TILE].reshape(tiles, inputs, TILE)
    for tile in range(tiles):
        with np.errstate(over="ignore"):  # what is infinite then is noticed when it is compared
            rows = weight[tile * TILE : (tile + 1) * TILE].astype(np.float16)
        packed[tile, :, : len(rows)] = rows.view(np.uint16).T
        packed[tile, :, len(rows) :] = 0
    return packed
