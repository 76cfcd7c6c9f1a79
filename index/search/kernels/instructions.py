"""Single machine instructions that numpy and numba have no name for."""

from __future__ import annotations

from typing import Any

from index.compiled import cgutils, compiled, intrinsic, ir, types


def _count_ones(typing: Any, word: Any) -> Any:
    """How many bits of a 64-bit word are set, as one instruction where the machine has it."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


count_ones: Any = intrinsic(_count_ones)


def _count_zeros(typing: Any, word: Any) -> Any:
    """How many bits of a 32-bit word lie below the lowest that is set."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))
        return builder.zext(found, ir.IntType(64))

    return types.int64(types.uint32), generate


count_zeros: Any = intrinsic(_count_zeros)


def _prefetch(typing: Any, array: Any, row: Any, column: Any) -> Any:
    """Have the memory of this place loaded into the caches, without waiting for it."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        of = context.make_array(signature.args[0])(context, builder, args[0])
        place = cgutils.get_item_pointer(
            context, builder, signature.args[0], of, list(args[1:]), wraparound=False
        )
        bytes_, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [bytes_, number, number, number])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        # 0: to be read. 3: to be kept in all caches. 1: data, not instructions.
        how = [ir.Constant(number, value) for value in (0, 3, 1)]
        builder.call(prefetch, [builder.bitcast(place, bytes_), *how])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp), generate


prefetch: Any = intrinsic(_prefetch)


@compiled
def prefetch_row(vectors: Any, row: int) -> None:
    """`prefetch` of a whole row."""
    for column in range(0, vectors.shape[1], 16):  # 64 bytes, a line of the caches
        prefetch(vectors, row, column)
