"""Products of rows with weights, both as integers of 16 or 8 bits, compiled by numba.

A processor multiplies two integers of 16 bits, or four of 8, where it multiplies one float32, and
adds them up in the same instruction; and the weights are fewer bytes to read. Each row of inputs
and each row of weights has a step of its own, and its numbers are rounded to whole steps. A group
is what one instruction multiplies for an output: 32 bits of a row.

    16 bits  Sums are integers of 32 bits, which become float32 after SUMMED inputs. The steps are
             chosen so that no sum can be greater than such an integer: the weights of an output
             that are summed have MOST_WEIGHTS steps in all at most, and an input has MOST steps.
    8 bits   Inputs are bytes from 0 to BYTE_STEPS, of which one stands for zero. So many bytes that
             their sum were too great, no model has.

Import this module late, because numba takes a third of a second.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from index.compiled import cgutils, compiled, intrinsic, ir, types
from index.embed import processor
from index.embed.float_loops import activate, of_bits, ordered
from index.types.records import Floats

Bits: TypeAlias = Literal[8, 16]

# The sums of a block of rows and a tile of outputs stay in registers: AVX-512 has 32 for 16 sums
# each, AVX2 has 16 for 8. With VNNI, the compiler makes one instruction of PAIRS and the sum.
WIDE = {"avx512f", "avx512bw"} <= processor.flags()
VNNI = WIDE and "avx512_vnni" in processor.flags()
PAIRS = "llvm.x86.avx512.pmaddw.d.512" if WIDE else "llvm.x86.avx2.pmadd.wd"
PAIRS_OF_BYTES = "llvm.x86.avx512.pmaddubs.w.512" if WIDE else "llvm.x86.avx2.pmadd.ub.sw"
FOURS = "llvm.x86.avx512.vpdpbusd.512"
LANES = 16 if WIDE else 8  # sums in a register
BLOCKS = (4, 8) if WIDE else (2, 4)  # rows
TILE = (3 if WIDE else 2) * LANES  # outputs
LINE = 16  # groups, or float32, in a line of the caches, which is 64 bytes
# Weights are asked of memory this long before they are used. On its own, the processor reads less
# far ahead, and then it waits for half of the time.
AHEAD = 1024  # groups
PIECE = 2**23  # groups
SUMMED = 768  # inputs
MOST = 11585  # 2 ** 13.5
# What rounding adds is at most half a step for each weight; and a step is itself a rounded number.
MOST_WEIGHTS = (2**31 - 1) // MOST - SUMMED // 2 - 8
MOST_WEIGHT = 2**15 - 1
BYTE_STEPS = 254
# Without VNNI, the products of two neighbours are summed in 16 bits, of which the greatest is
# 32,767. Twice 255 · 64 is still below it.
MOST_WEIGHT_IN_BYTES = 127 if VNNI else 64
TINY = np.finfo(np.float32).tiny  # the least step, which serves where all weights are zero
LEAST = np.float32(MOST) * TINY  # a row of inputs without a greater number is taken for zeros
MAGNITUDE = np.int32(2**31 - 1)  # the bits of a float32 without its sign


def _sums_of(rows: int, bits: Bits) -> Any:
    """A function of packed, tile, begin, count, x, first and out. It multiplies `count` groups of
    inputs from the group `begin` on: one tile of weights with `rows` rows of x from `first` on. The
    sums are added to the first rows of `out`, which is (rows, TILE) float32. Where x ends before,
    its last row is repeated.

    packed   (tiles, groups, TILE) int32
    x        (n, groups) int32
    """
    whole, place = ir.IntType(32), ir.IntType(64)
    real, bytes_ = ir.FloatType(), ir.IntType(8).as_pointer()
    ints, reals = ir.VectorType(whole, LANES), ir.VectorType(real, LANES)
    pairs, fours = (ir.VectorType(ir.IntType(32 // n), n * LANES) for n in (2, 4))
    zeros, nothing = ir.Constant(ints, [0] * LANES), ir.Constant(ints, ir.Undefined)
    sums = [(row, output) for row in range(rows) for output in range(0, TILE, LANES)]

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def array(number: int) -> Any:
            return context.make_array(signature.args[number])(context, builder, args[number])

        def at(start: Any, index: Any, step: int, offset: int) -> Any:
            """The place of start[index * step + offset]."""
            steps = builder.mul(index, ir.Constant(place, step))
            return builder.gep(start, [builder.add(steps, ir.Constant(place, offset))])

        def call(name: str, result: Any, *given: Any) -> Any:
            kind = ir.FunctionType(result, [one.type for one in given])
            return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), given)

        def added(sum_: Any, inputs: Any, weights: Any) -> Any:
            """The sums with the products of groups, each (LANES,) int32."""
            if bits == 8 and VNNI:
                return call(FOURS, ints, sum_, inputs, weights)
            if bits == 8:
                given = builder.bitcast(inputs, fours), builder.bitcast(weights, fours)
                ones = ir.Constant(pairs, [1] * 2 * LANES)
                of_two = call(PAIRS_OF_BYTES, pairs, *given)
                return builder.add(sum_, call(PAIRS, ints, of_two, ones))
            given = builder.bitcast(inputs, pairs), builder.bitcast(weights, pairs)
            return builder.add(sum_, call(PAIRS, ints, *given))

        _, tile, begin, count, _, first, _ = args
        groups = builder.extract_value(array(0).shape, 1)
        of_tile = builder.add(builder.mul(tile, groups), begin)
        weights = at(array(0).data, of_tile, TILE, 0)
        last = builder.sub(builder.extract_value(array(4).shape, 0), ir.Constant(place, 1))
        x = []
        for number in range(rows):
            row = builder.add(first, ir.Constant(place, number))
            row = builder.select(builder.icmp_signed("<", row, last), row, last)
            x.append(builder.gep(array(4).data, [builder.add(builder.mul(row, groups), begin)]))
        registers = {sum_: cgutils.alloca_once_value(builder, zeros) for sum_ in sums}
        for sum_ in sums:
            builder.store(zeros, registers[sum_])
        # 0: to be read. 3: to be kept in all caches. 1: data, not instructions.
        how = [ir.Constant(whole, value) for value in (0, 3, 1)]
        with cgutils.for_range(builder, count) as loop:
            for line in range(0, TILE, LINE):
                ahead = builder.bitcast(at(weights, loop.index, TILE, AHEAD + line), bytes_)
                call("llvm.prefetch.p0", ir.VoidType(), ahead, *how)
            weight = {}
            for output in range(0, TILE, LANES):
                pointer = at(weights, loop.index, TILE, output)
                pointer = builder.bitcast(pointer, ints.as_pointer())
                weight[output] = builder.load(pointer, align=4 * LANES)
            for row in range(rows):
                group = builder.load(builder.gep(x[row], [loop.index]), align=4)
                inserted = builder.insert_element(nothing, group, ir.Constant(whole, 0))
                everywhere = builder.shuffle_vector(inserted, nothing, zeros)
                for output in weight:
                    register = registers[row, output]
                    sum_ = added(builder.load(register), everywhere, weight[output])
                    builder.store(sum_, register)
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


few_by_pairs, many_by_pairs = (_sums_of(rows, 16) for rows in BLOCKS)
few_by_fours, many_by_fours = (_sums_of(rows, 8) for rows in BLOCKS)


@intrinsic
def will_write(typing: Any, y: Any, row: Any, output: Any) -> Any:
    """Ask for the line of the caches in which y[row, output] is, (n, out) float32, to write it.

    Without that, each block of rows waits for memory when it is written.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        whole, bytes_ = ir.IntType(32), ir.IntType(8).as_pointer()
        array = context.make_array(signature.args[0])(context, builder, args[0])
        width = builder.extract_value(array.shape, 1)
        place = builder.gep(array.data, [builder.add(builder.mul(args[1], width), args[2])])
        kind = ir.FunctionType(ir.VoidType(), [bytes_, whole, whole, whole])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        # 1: to be written. 3: to be kept in all caches. 1: data, not instructions.
        how = [ir.Constant(whole, value) for value in (1, 3, 1)]
        builder.call(prefetch, [builder.bitcast(place, bytes_), *how])
        return context.get_dummy_value()

    return types.void(y, types.int64, types.int64), generate


@compiled
def in_steps(x: Any, activation: Any, rounded: Any, steps: Any) -> None:
    """Round each row of x, (n, inputs) float32, to whole steps of its own.

    activation   is applied first, in place: a number of `float_loops.ACTIVATIONS`
    rounded      (n, inputs or more) int16, for the steps; those beyond are left as they are
    steps        (n,) float32, for how long a step is
    """
    bits = x.view(np.int32)
    for row in range(x.shape[0]):
        activate(x[row], activation)
        most = np.int32(0)
        for i in range(x.shape[1]):  # numbers without their sign are in the order of their bits
            most = max(most, np.int32(bits[row, i] & MAGNITUDE))
        length = of_bits(most)
        steps[row] = length / np.float32(MOST)
        factor = np.float32(MOST) / length if length > LEAST else np.float32(0)
        for i in range(x.shape[1]):
            rounded[row, i] = np.int16(np.int32(np.rint(x[row, i] * factor)))


@compiled
def in_bytes(x: Any, activation: Any, rounded: Any, steps: Any, zeros: Any) -> None:
    """Round each row of x, (n, inputs) float32, to whole steps between its least and its greatest
    number: x ≈ (rounded - zeros) · steps.

    activation   as in `in_steps`
    rounded      (n, inputs or more) uint8; those beyond are left as they are
    steps        (n,) float32, for how long a step is
    zeros        (n,) float32, for the byte of zero
    """
    bits = x.view(np.int32)
    for row in range(x.shape[0]):
        activate(x[row], activation)
        least, most = np.int32(0), np.int32(0)  # zero is always among the steps
        for i in range(x.shape[1]):
            number = ordered(bits[row, i])
            least, most = min(least, number), max(most, number)
        lowest = of_bits(ordered(least))
        length = of_bits(ordered(most)) - lowest
        steps[row] = length / np.float32(BYTE_STEPS)
        factor = np.float32(BYTE_STEPS) / length if length > LEAST else np.float32(0)
        zeros[row] = np.ceil(-lowest * factor)
        for i in range(x.shape[1]):
            rounded[row, i] = np.uint8(np.int32(x[row, i] * factor + zeros[row] + np.float32(0.5)))


@intrinsic
def write(
    typing: Any,
    sums: Any,
    rows: Any,
    first: Any,
    zeros: Any,
    steps_of_x: Any,
    tile: Any,
    totals: Any,
    steps: Any,
    bias: Any,
    y: Any,
    row: Any,
    column: Any,
) -> Any:
    """Write a tile of sums as numbers, with the biases, to `y` from this row and column on. The
    rows of inputs begin with `first`. All arrays are float32.
    """
    place, whole, real = ir.IntType(64), ir.IntType(32), ir.FloatType()
    reals = ir.VectorType(real, LANES)
    nothing = ir.Constant(reals, ir.Undefined)
    everywhere = ir.Constant(ir.VectorType(whole, LANES), [0] * LANES)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def array(number: int) -> Any:
            return context.make_array(signature.args[number])(context, builder, args[number])

        def at(start: Any, index: Any, offset: int) -> Any:
            start = builder.gep(start, [builder.add(index, ir.Constant(place, offset))])
            return builder.bitcast(start, reals.as_pointer())

        def repeated(start: Any, index: Any) -> Any:
            number = builder.load(builder.gep(start, [index]))
            one = builder.insert_element(nothing, number, ir.Constant(whole, 0))
            return builder.shuffle_vector(one, nothing, everywhere)

        outputs = range(0, TILE, LANES)
        _, rows, first, _, _, tile, *_, row, column = args
        begin = builder.mul(tile, ir.Constant(place, TILE))
        totals, steps, bias = (
            [builder.load(at(array(number).data, begin, output), align=4) for output in outputs]
            for number in (6, 7, 8)
        )
        y = array(9)
        width = builder.extract_value(y.shape, 1)
        with cgutils.for_range(builder, rows) as loop:
            of_x = builder.add(first, loop.index)
            zero, step = (repeated(array(number).data, of_x) for number in (3, 4))
            of_sums = builder.mul(loop.index, ir.Constant(place, TILE))
            of_y = builder.add(builder.mul(builder.add(row, loop.index), width), column)
            for number, output in enumerate(outputs):
                sum_ = builder.load(at(array(0).data, of_sums, output), align=4)
                sum_ = builder.fsub(sum_, builder.fmul(zero, totals[number]))
                sum_ = builder.fmul(sum_, builder.fmul(step, steps[number]))
                sum_ = builder.fadd(sum_, bias[number])
                builder.store(sum_, at(y.data, of_y, output), align=4)
        return context.get_dummy_value()

    n = types.int64
    kinds = sums, n, n, zeros, steps_of_x, n, totals, steps, bias, y, n, n
    return types.void(*kinds), generate


@compiled
def multiply(
    bits_of_x: Any,
    x: Any,
    steps_of_x: Any,
    zeros: Any,
    packed: Any,
    steps: Any,
    totals: Any,
    bias: Any,
    y: Any,
) -> None:
    """Write x @ weight.T + bias, (n, out), to `y`.

    bits_of_x                8 or 16
    x, steps_of_x, zeros     the inputs as `in_bytes` rounded them, or `in_steps` with zeros of 0;
                             x is (n, groups) int32 and contiguous
    packed, steps, totals    what `pack` made of the weight
    bias                     as long as `steps`, float32
    """
    few, many = BLOCKS
    n, groups = len(x), packed.shape[1]
    most = SUMMED // 2 if bits_of_x == 16 else groups
    sums, out = np.empty((many, TILE), np.float32), np.empty((many, TILE), np.float32)
    for tile in range(packed.shape[0]):
        column = tile * TILE
        for first in range(0, n, many):
            rows = min(many, n - first)
            for row in range(first, first + rows):
                for output in range(column, column + TILE, LINE):
                    will_write(y, row, output)
            sums[:] = 0
            for begin in range(0, groups, most):
                count = min(most, groups - begin)
                if bits_of_x == 16 and rows <= few:
                    few_by_pairs(packed, tile, begin, count, x, first, sums)
                elif bits_of_x == 16:
                    many_by_pairs(packed, tile, begin, count, x, first, sums)
                elif rows <= few:
                    few_by_fours(packed, tile, begin, count, x, first, sums)
                else:
                    many_by_fours(packed, tile, begin, count, x, first, sums)
            of_tile = zeros, steps_of_x, tile, totals, steps, bias
            if column + TILE <= y.shape[1]:
                write(sums, rows, first, *of_tile, y, first, column)
            else:  # the last tile has outputs that y doesn't have
                write(sums, rows, first, *of_tile, out, 0, 0)
                for row in range(rows):
                    for output in range(column, y.shape[1]):
                        y[first + row, output] = out[row, output - column]


class Room:
    """Memory for weights that are read one after another.

    They lie in large pieces, in which the processor reads ahead from one to the next, and for which
    the system has large pages.
    """

    def __init__(self) -> None:
        self._left = np.empty(0, np.int32)

    def take(self, count: int) -> Any:
        """Memory for `count` groups, (count,) int32. It begins at a line of the caches."""
        if len(self._left) < count:
            piece = np.empty(max(PIECE, count) + LINE, np.int32)
            self._left = piece[-piece.ctypes.data % (4 * LINE) // 4 :]
        taken, self._left = self._left[:count], self._left[-(-count // LINE) * LINE :]
        return taken


def pack(weight: Floats, bits: Bits, room: Room) -> tuple[Any, Floats, Floats]:
    """A weight (out, inputs) in the order in which `multiply` reads it, the steps of its rows, and
    how many steps the weights of a row are in total.

    The first is (tiles, groups, TILE) int32, with zeros for the outputs that fill the last tile and
    the inputs that fill the last group; the others are (tiles · TILE,) float32. Of 16 bits, the
    totals are not needed, so they are zeros.
    """
    out, inputs = weight.shape
    in_group = 32 // bits
    tiles, groups = -(-out // TILE), -(-inputs // in_group)
    packed = room.take(tiles * groups * TILE).reshape(tiles, groups, TILE)
    steps, totals = np.zeros((2, tiles * TILE), np.float32)
    parts = np.arange(0, inputs, SUMMED)
    for tile in range(tiles):
        rows = weight[tile * TILE : (tile + 1) * TILE]
        outputs = slice(tile * TILE, tile * TILE + len(rows))
        magnitudes = np.abs(rows)
        if bits == 16:
            summed = np.add.reduceat(magnitudes, parts, axis=1, dtype=np.float64).max(axis=1)
            step = np.maximum(summed / MOST_WEIGHTS, magnitudes.max(axis=1) / MOST_WEIGHT)
        else:
            step = magnitudes.max(axis=1) / np.float32(MOST_WEIGHT_IN_BYTES)
        steps[outputs] = step = step.clip(TINY)
        rounded = np.zeros((TILE, groups * in_group), np.int16 if bits == 16 else np.int8)
        with np.errstate(invalid="ignore"):  # what isn't finite is noticed when it is compared
            rounded[: len(rows), :inputs] = np.rint(rows / step[:, None])
        packed[tile] = rounded.view(np.int32).T
        if bits == 8:
            totals[outputs] = rounded[: len(rows)].sum(axis=1, dtype=np.int32)
    return packed, steps, totals
