"""What lies between the products of a tower, in float32, compiled by numba: the layer norm, the
activations and attention.

numpy goes through memory for each step of a formula; these go through it once. Import this module
late, because numba takes a third of a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import cgutils, compiled, intrinsic, ir, types
from index.embed import processor
from index.embed.geometry import Activation

# The sums of a block of rows and a tile of columns stay in registers: AVX-512 has 32 for 16 numbers
# each, AVX2 has 16 for 8.
WIDE = "avx512f" in processor.flags()
LANES = 16 if WIDE else 8  # numbers in a register
BLOCK = 5  # rows
TILE = (4 if WIDE else 2) * LANES  # columns

# The numbers of the activations in `activate`.
ACTIVATIONS: dict[Activation | None, int] = {
    None: 0,
    "quick_gelu": 1,
    "gelu_pytorch_tanh": 2,
    "gelu": 3,
    "relu": 4,
}
ONE, HALF = np.float32(1), np.float32(0.5)
# exp(x) = 2 ** n · 2 ** r with a whole n and |r| ≤ 1/2. Beyond ±REACH, float32 has no such number.
LOG2_E, REACH = np.float32(np.log2(np.e)), np.float32(87)
# 2 ** r from the highest power of r down: Chebyshev interpolation of degree 6 in ±1/2, with a
# relative error below 1e-7.
POWERS = np.polynomial.chebyshev.Chebyshev.interpolate(np.exp2, 6, [-0.5, 0.5])
P0, P1, P2, P3, P4, P5, P6 = (
    np.float32(one) for one in POWERS.convert(kind=np.polynomial.Polynomial).coef
)
QUICK, CUBIC = np.float32(-1.702), np.float32(0.044715)
TANH = np.float32(-2 * (2 / np.pi) ** 0.5)
# erf(x) = 1 - (A1 · t + … + A5 · t ** 5) · exp(-x²) with t = 1 / (1 + A · x), for x ≥ 0, with an
# error below 2e-7. Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
A, ROOT = np.float32(0.3275911), np.float32(0.5**0.5)
A1, A2, A3 = np.float32(0.254829592), np.float32(-0.284496736), np.float32(1.421413741)
A4, A5 = np.float32(-1.453152027), np.float32(1.061405429)
MAGNITUDE = np.int32(2**31 - 1)  # the bits of a float32 without its sign


@intrinsic
def of_bits(typing: Any, bits: Any) -> Any:
    """The float32 that has these bits, an int32."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), generate


@compiled
def exp(x: Any) -> Any:
    """exp(x) of a float32, with a relative error below 3e-7 · (1 + |x|)."""
    x = x if x < REACH else REACH
    x = x if x > -REACH else -REACH
    in_twos = x * LOG2_E
    whole = np.rint(in_twos)
    r = in_twos - whole
    power = P0 + r * (P1 + r * (P2 + r * (P3 + r * (P4 + r * (P5 + r * P6)))))
    return power * of_bits((np.int32(whole) + np.int32(127)) << np.int32(23))


@compiled
def activate(x: Any, activation: Any) -> None:
    """Write the activation of each number of x, (n,) float32, over it; see ACTIVATIONS."""
    if activation == 1:
        for i in range(len(x)):
            x[i] = x[i] / (ONE + exp(QUICK * x[i]))
    elif activation == 2:  # 1 + tanh(z) = 2 / (1 + exp(-2 · z))
        for i in range(len(x)):
            x[i] = x[i] / (ONE + exp(TANH * (x[i] + CUBIC * x[i] * x[i] * x[i])))
    elif activation == 3:
        for i in range(len(x)):
            z = abs(x[i]) * ROOT
            t = ONE / (ONE + A * z)
            rest = t * (A1 + t * (A2 + t * (A3 + t * (A4 + t * A5)))) * exp(-z * z)
            x[i] = x[i] * HALF * (rest if x[i] < 0 else np.float32(2) - rest)
    elif activation == 4:
        for i in range(len(x)):
            x[i] = x[i] if x[i] > 0 else np.float32(0)


@compiled
def ordered(bits: Any) -> Any:
    """The bits of a float32 as an int32, such that a greater number has a greater one; and back.

    The greatest of many such integers is found for many at once, that of many float32 is not.
    """
    return np.int32(bits ^ ((bits >> np.int32(31)) & MAGNITUDE))


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
        factor = ONE / np.sqrt(squares / np.float32(width) + epsilon)
        for i in range(width):
            y[row, i] = (x[row, i] - mean) * factor * scale[i] + shift[i]


@intrinsic
def multiply_block(
    typing: Any, x: Any, first: Any, weights: Any, count: Any, column: Any, y: Any
) -> Any:
    """Write BLOCK rows of x @ weights to y, from `first` on, and TILE columns from `column` on.

    Where x ends before, its last row is computed again. Each array is float32, and within a row its
    numbers are side by side.

    x        (n, at least count)
    weights  (count, at least column + TILE)
    y        (n, at least column + TILE)
    """
    place, real = ir.IntType(64), ir.FloatType()
    reals, bytes_ = ir.VectorType(real, LANES), ir.IntType(8).as_pointer()
    everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    nothing, zeros = ir.Constant(reals, ir.Undefined), ir.Constant(reals, [0.0] * LANES)
    sums = [(row, output) for row in range(BLOCK) for output in range(0, TILE, LANES)]

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def array(number: int) -> Any:
            return context.make_array(signature.args[number])(context, builder, args[number])

        def row_of(array: Any, row: Any) -> Any:
            step = builder.mul(builder.extract_value(array.strides, 0), row)
            start = builder.gep(builder.bitcast(array.data, bytes_), [step])
            return builder.bitcast(start, real.as_pointer())

        def vector(row: Any, column: Any, offset: int) -> Any:
            start = builder.gep(row, [builder.add(column, ir.Constant(place, offset))])
            return builder.bitcast(start, reals.as_pointer())

        _, first, _, count, column, _ = args
        x, weights, y = array(0), array(2), array(5)
        last = builder.sub(builder.extract_value(x.shape, 0), ir.Constant(place, 1))
        rows = [builder.add(first, ir.Constant(place, number)) for number in range(BLOCK)]
        rows = [builder.select(builder.icmp_signed("<", row, last), row, last) for row in rows]
        of_x = [row_of(x, row) for row in rows]
        registers = {sum_: cgutils.alloca_once_value(builder, zeros) for sum_ in sums}
        for sum_ in sums:
            builder.store(zeros, registers[sum_])
        multiplied = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(reals, [reals] * 3), f"llvm.fma.v{LANES}f32"
        )
        with cgutils.for_range(builder, count) as loop:
            of_weights = row_of(weights, loop.index)
            weight = {
                output: builder.load(vector(of_weights, column, output), align=4)
                for output in range(0, TILE, LANES)
            }
            for row in range(BLOCK):
                number = builder.load(builder.gep(of_x[row], [loop.index]), align=4)
                one = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
                numbers = builder.shuffle_vector(one, nothing, everywhere)
                for output in weight:
                    register = registers[row, output]
                    sum_ = builder.load(register)
                    builder.store(
                        builder.call(multiplied, [weight[output], numbers, sum_]), register
                    )
        for row, output in sums:
            pointer = vector(row_of(y, rows[row]), column, output)
            builder.store(builder.load(registers[row, output]), pointer, align=4)
        return context.get_dummy_value()

    kinds = x, types.int64, weights, types.int64, types.int64, y
    return types.void(*kinds), generate


@compiled
def soften(scores: Any, bits: Any, count: Any) -> None:
    """Write the softmax of the first `count` scores, (n,) float32, over them; the rest become 0.

    bits   the scores' own memory as int32
    """
    greatest = np.int32(-(2**31))
    for i in range(count):
        greatest = max(greatest, ordered(bits[i]))
    most, sum_ = of_bits(ordered(greatest)), np.float32(0)
    for i in range(count):
        scores[i] = exp(scores[i] - most)
        sum_ += scores[i]
    share = ONE / sum_
    for i in range(count):
        scores[i] *= share
    for i in range(count, len(scores)):
        scores[i] = 0


@compiled
def attend(q: Any, k: Any, v: Any, causal: Any, out: Any) -> None:
    """Write the attention of the rows of q to those of v.

    q        (n or 1, heads, rows, w) float32, scaled; 1: the same for all
    k, v     (n, heads, others, w)
    causal   each row attends to itself and to those before it, of as many others as rows
    out      (n, rows, heads, w)
    """
    n, heads, others, w = v.shape
    rows = q.shape[2]
    columns, width = -(-others // TILE) * TILE, -(-w // TILE) * TILE
    keys, values = np.zeros((w, columns), np.float32), np.zeros((others, width), np.float32)
    scores, wide = np.empty((rows, columns), np.float32), np.empty((rows, width), np.float32)
    bits = scores.view(np.int32)
    for picture in range(n):
        of_q = picture if len(q) > 1 else 0
        for head in range(heads):
            for other in range(others):
                for i in range(w):
                    keys[i, other] = k[picture, head, other, i]
            for first in range(0, rows, BLOCK):
                for column in range(0, columns, TILE):
                    multiply_block(q[of_q, head], first, keys, w, column, scores)
            for row in range(rows):
                soften(scores[row], bits[row], row + 1 if causal else others)
            if w == width:
                for first in range(0, rows, BLOCK):
                    for column in range(0, w, TILE):
                        multiply_block(
                            scores, first, v[picture, head], others, column, out[picture, :, head]
                        )
            else:
                values[:, :w] = v[picture, head]
                for first in range(0, rows, BLOCK):
                    for column in range(0, width, TILE):
                        multiply_block(scores, first, values, others, column, wide)
                out[picture, :, head] = wide[:, :w]
