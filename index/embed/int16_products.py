"""Products of rows with weights, both as integers of 16 bits, compiled by numba.

A processor multiplies such integers and adds two products in one instruction, so it does twice as
many as in float32; and the weights are half as many bytes to read. Each row of inputs and each row
of weights has a step of its own, and its numbers are rounded to whole steps. Sums are integers of
32 bits, which become float32 after SUMMED inputs. The steps are chosen so that no sum can be
greater than such an integer: the weights of an output that are summed have MOST_WEIGHTS steps in
all at most, and an input has MOST steps.

Import this module late, because numba takes a third of a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import cgutils, compiled, intrinsic, ir, types
from index.embed import processor
from index.types.records import Floats

# The sums of a block of rows and a tile of outputs stay in registers: AVX-512 has 32 for 16 sums
# each, AVX2 has 16 for 8. With VNNI, the compiler makes one instruction of this one and the sum.
WIDE = {"avx512f", "avx512bw"} <= processor.flags()
PAIRS_MULTIPLIED = "llvm.x86.avx512.pmaddw.d.512" if WIDE else "llvm.x86.avx2.pmadd.wd"
LANES = 16 if WIDE else 8  # sums in a register
BLOCKS = (4, 8) if WIDE else (2, 4)  # rows
TILE = (3 if WIDE else 2) * LANES  # outputs
LINE = 32  # weights in a line of the caches, which is 64 bytes
# Weights are asked of memory this long before they are used. On its own, the processor reads less
# far ahead, and then it waits for half of the time.
AHEAD = 8192  # weights
PIECE = 2**24  # weights
SUMMED = 512  # inputs
MOST = 11585  # 2 ** 13.5
# What rounding adds is at most half a step for each weight; and a step is itself a rounded number.
MOST_WEIGHTS = (2**31 - 1) // MOST - SUMMED // 2 - 8
MOST_WEIGHT = 2**15 - 1
TINY = np.finfo(np.float32).tiny  # the least step, which serves where all weights are zero
LEAST = np.float32(MOST) * TINY  # a row of inputs without a greater number is taken for zeros
MAGNITUDE = np.uint32(2**31 - 1)  # the bits of a float32 without its sign


def _sums_of(rows: int) -> Any:
    """A function of packed, tile, begin, count, x, first and out. It multiplies `count` pairs of
    inputs from the pair `begin` on: one tile of weights with `rows` rows of x from `first` on. The
    sums are added to the first rows of `out`, which is (rows, TILE) float32. Where x ends before,
    its last row is repeated.

    packed   (tiles, pairs, TILE, 2) int16
    x        (n, 2 · pairs) int16
    """
    short, whole, place = ir.IntType(16), ir.IntType(32), ir.IntType(64)
    real, bytes_ = ir.FloatType(), ir.IntType(8).as_pointer()
    pairs_of_all = ir.VectorType(short, 2 * LANES)
    ints, reals = ir.VectorType(whole, LANES), ir.VectorType(real, LANES)
    zeros, nothing = ir.Constant(ints, [0] * LANES), ir.Constant(ints, ir.Undefined)
    sums = [(row, output) for row in range(rows) for output in range(0, TILE, LANES)]

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

        _, tile, begin, count, _, first, _ = args
        pairs = builder.extract_value(array(0).shape, 1)
        of_tile = builder.add(builder.mul(tile, pairs), begin)
        weights = at(builder.bitcast(array(0).data, short.as_pointer()), of_tile, 2 * TILE, 0)
        all_x = builder.bitcast(array(4).data, whole.as_pointer())  # pair by pair
        last = builder.sub(builder.extract_value(array(4).shape, 0), ir.Constant(place, 1))
        x = []
        for number in range(rows):
            row = builder.add(first, ir.Constant(place, number))
            row = builder.select(builder.icmp_signed("<", row, last), row, last)
            x.append(builder.gep(all_x, [builder.add(builder.mul(row, pairs), begin)]))
        registers = {sum_: cgutils.alloca_once_value(builder, zeros) for sum_ in sums}
        for sum_ in sums:
            builder.store(zeros, registers[sum_])
        multiplied = function(PAIRS_MULTIPLIED, ints, [pairs_of_all] * 2)
        prefetch = function("llvm.prefetch.p0", ir.VoidType(), [bytes_, whole, whole, whole])
        # 0: to be read. 3: to be kept in all caches. 1: data, not instructions.
        how = [ir.Constant(whole, value) for value in (0, 3, 1)]
        with cgutils.for_range(builder, count) as loop:
            for line in range(0, 2 * TILE, LINE):
                ahead = at(weights, loop.index, 2 * TILE, AHEAD + line)
                builder.call(prefetch, [builder.bitcast(ahead, bytes_), *how])
            weight = {}
            for output in range(0, TILE, LANES):
                pointer = at(weights, loop.index, 2 * TILE, 2 * output)
                pointer = builder.bitcast(pointer, pairs_of_all.as_pointer())
                weight[output] = builder.load(pointer, align=4 * LANES)
            for row in range(rows):
                pair = builder.load(builder.gep(x[row], [loop.index]), align=4)
                inserted = builder.insert_element(nothing, pair, ir.Constant(whole, 0))
                everywhere = builder.shuffle_vector(inserted, nothing, zeros)
                everywhere = builder.bitcast(everywhere, pairs_of_all)
                for output in weight:
                    register = registers[row, output]
                    products = builder.call(multiplied, [weight[output], everywhere])
                    builder.store(builder.add(builder.load(register), products), register)
        out = array(6).data
        for row, output in sums:
            pointer = at(out, ir.Constant(place, row), TILE, output)
            pointer = builder.bitcast(pointer, reals.as_pointer())
            sum_ = builder.sitofp(builder.load(registers[row, output]), reals)
            sum_ = builder.fadd(builder.load(pointer, align=4), sum_)
            builder.store(sum_, pointer, align=4)
        return context.get_dummy_value()

    def typed(
        typing: Any, packed: Any, tile: Any, begin: Any, count: Any, x: Any, first: Any, out: Any
    ) -> Any:
        return types.void(packed, tile, begin, count, x, first, out), generate

    return intrinsic(typed)


sums_of_few, sums_of_many = (_sums_of(rows) for rows in BLOCKS)


@compiled
def in_steps(x: Any, rounded: Any, steps: Any) -> None:
    """Round each row of x, (n, inputs) float32, to whole steps of its own.

    rounded   (n, inputs or one more) int16, for the steps; the one more is left as it is
    steps     (n,) float32, for how long a step is
    """
    bits, greatest = x.view(np.uint32), np.empty(1, np.uint32)
    for row in range(x.shape[0]):
        most = np.uint32(0)
        for i in range(x.shape[1]):  # numbers without their sign are in the order of their bits
            most = max(most, bits[row, i] & MAGNITUDE)
        greatest[0] = most
        length = greatest.view(np.float32)[0]
        steps[row] = length / np.float32(MOST)
        factor = np.float32(MOST) / length if length > LEAST else np.float32(0)
        for i in range(x.shape[1]):
            rounded[row, i] = np.int16(np.int32(np.rint(x[row, i] * factor)))


@compiled
def write(sums: Any, step: Any, steps: Any, bias: Any, y: Any) -> None:
    """Write one row of sums as numbers, with the biases, to `y`, which may be less than a tile."""
    for i in range(len(y)):
        y[i] = sums[i] * (step * steps[i]) + bias[i]


@compiled
def multiply(x: Any, steps_of_x: Any, packed: Any, steps: Any, bias: Any, y: Any) -> None:
    """Write x @ weight.T + bias, (n, out), to `y`.

    x, steps_of_x   the inputs as `in_steps` rounded them, contiguous, 2 · pairs of each row
    packed, steps   what `pack` made of the weight
    bias            (out,) float32
    """
    few, many = BLOCKS
    n, pairs = len(x), packed.shape[1]
    sums = np.empty((many, TILE), np.float32)
    for tile in range(packed.shape[0]):
        outputs = slice(tile * TILE, min((tile + 1) * TILE, y.shape[1]))
        for first in range(0, n, many):
            rows = min(many, n - first)
            sums[:] = 0
            for begin in range(0, pairs, SUMMED // 2):
                count = min(SUMMED // 2, pairs - begin)
                if rows <= few:
                    sums_of_few(packed, tile, begin, count, x, first, sums)
                else:
                    sums_of_many(packed, tile, begin, count, x, first, sums)
            for row in range(rows):
                step, out = steps_of_x[first + row], y[first + row, outputs]
                write(sums[row], step, steps[outputs], bias[outputs], out)


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
        self._left = np.empty(0, np.int16)

    def take(self, count: int) -> Any:
        """Memory for `count` weights, (count,) int16. It begins at a line of the caches."""
        if len(self._left) < count:
            piece = np.empty(max(PIECE, count) + LINE, np.int16)
            self._left = piece[-piece.ctypes.data % (2 * LINE) // 2 :]
        taken, self._left = self._left[:count], self._left[-(-count // LINE) * LINE :]
        return taken


def pack(weight: Floats, room: Room) -> tuple[Any, Floats]:
    """A weight (out, inputs) in the order in which `multiply` reads it, and the steps of its rows.

    They are (tiles, pairs, TILE, 2) int16, with zeros for the outputs that fill the last tile and
    the input that fills the last pair; and (out,) float32.
    """
    out, inputs = weight.shape
    tiles, pairs = -(-out // TILE), -(-inputs // 2)
    packed = room.take(tiles * pairs * TILE * 2).reshape(tiles, pairs, TILE, 2)
    steps, parts = np.empty(out, np.float32), np.arange(0, inputs, SUMMED)
    for tile in range(tiles):
        rows = weight[tile * TILE : (tile + 1) * TILE]
        magnitudes = np.abs(rows)
        summed = np.add.reduceat(magnitudes, parts, axis=1, dtype=np.float64).max(axis=1)
        step = np.maximum(summed / MOST_WEIGHTS, magnitudes.max(axis=1) / MOST_WEIGHT).clip(TINY)
        steps[tile * TILE : (tile + 1) * TILE] = step
        rounded = np.zeros((TILE, 2 * pairs), np.int16)
        with np.errstate(invalid="ignore"):  # what isn't finite is noticed when it is compared
            rounded[: len(rows), :inputs] = np.rint(rows / step[:, None])
        packed[tile] = rounded.reshape(TILE, pairs, 2).transpose(1, 0, 2)
    return packed, steps
