"""The heap of hot pairs while merges are learned: the most frequent pair comes first."""

from tokkit.kernels import merge_state as at
from tokkit.kernels._jit import Counts, kernel


@kernel
def comes_first(heap: Counts, one: int, other: int) -> bool:
    """Tell which pair is first: larger count, then lower left id, then lower right id."""
    if heap[one, at.HEAP_COUNT] != heap[other, at.HEAP_COUNT]:
        return bool(heap[one, at.HEAP_COUNT] > heap[other, at.HEAP_COUNT])
    return bool(heap[one, at.HEAP_KEY] < heap[other, at.HEAP_KEY])


@kernel
def swap(heap: Counts, one: int, other: int) -> None:
    """Exchange two entries of the heap."""
    for column in range(2):
        kept = heap[one, column]
        heap[one, column] = heap[other, column]
        heap[other, column] = kept


@kernel
def push(heap: Counts, numbers: Counts, count: int, key: int) -> None:
    """Add a pair to the heap."""
    place = numbers[at.HEAPED]
    heap[place, at.HEAP_COUNT], heap[place, at.HEAP_KEY] = count, key
    while place > 0 and comes_first(heap, place, (place - 1) // 2):
        swap(heap, place, (place - 1) // 2)
        place = (place - 1) // 2
    numbers[at.HEAPED] += 1


@kernel
def settle_top(heap: Counts, used: int) -> None:
    """Move the first entry of the heap down to where it belongs."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= used:
            return
        if child + 1 < used and comes_first(heap, child + 1, child):
            child += 1
        if not comes_first(heap, child, place):
            return
        swap(heap, child, place)
        place = child
