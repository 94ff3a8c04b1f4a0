"""Where independent parts of a job run: in this process, in others, or on a Dask cluster."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from typing import Any, ParamSpec, TypeVar

from tokkit.corpus.streams import import_extra
from tokkit.errors import JobError, UsageError
from tokkit.words.processes import LocalExecutor

P = ParamSpec("P")
Item = TypeVar("Item")
Result = TypeVar("Result")

LOSSES = 4
"""How often a part may be lost with its worker, while no other part is finished."""


def run_parts(
    task: Callable[[Item], Result], items: Sequence[Item], executor: Executor | None
) -> Iterator[tuple[int, Result]]:
    """Apply `task` to every item, yielding index and result as they are ready.

    A part whose worker died is given to another one.

    Raises:
        JobError: If a part is lost `LOSSES` times, or the executor takes no more parts.
    """
    if executor is None:
        yield from ((index, task(item)) for index, item in enumerate(items))
        return
    waiting = {_submit(executor, task, item): index for index, item in enumerate(items)}
    losses: dict[int, int] = {}
    # In some executors a worker takes others with it when it dies, so that all of them seem
    # to be at fault. What was lost more than once is run alone, until it is clear which it is.
    suspects: deque[int] = deque()
    try:
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                index = waiting.pop(future)
                try:
                    result = future.result()
                except (Exception, CancelledError) as error:
                    losses[index] = losses.get(index, 0) + 1
                    _raise_unless_lost(error, losses[index])
                    if losses[index] > 1:
                        suspects.append(index)
                    else:
                        waiting[_submit(executor, task, items[index])] = index
                else:
                    losses.clear()
                    yield index, result
            if suspects and not waiting:
                index = suspects.popleft()
                waiting[_submit(executor, task, items[index])] = index
    finally:
        for future in waiting:
            future.cancel()


def _submit(executor: Executor, task: Callable[[Item], Result], item: Item) -> "Future[Result]":
    try:
        return executor.submit(task, item)
    except (BrokenExecutor, RuntimeError, OSError) as error:
        raise JobError(f"the workers take no more work ({error}); start them again") from error


def _raise_unless_lost(error: BaseException, losses: int) -> None:
    """Raise the error of a part, unless it only says that its worker is gone."""
    is_lost = isinstance(error, BrokenExecutor | CancelledError)
    if isinstance(error, MemoryError):
        raise JobError("a worker ran out of memory; use fewer workers") from error
    if not is_lost and type(error).__module__.partition(".")[0] != "distributed":
        raise error
    if losses >= LOSSES:
        raise JobError(
            f"a worker died {losses} times at the same part of the corpus, "
            "perhaps for want of memory; use fewer workers"
        ) from error


def local_executor(workers: int) -> Executor:
    """Worker processes on this machine; to be used in a ``with`` statement.

    Raises:
        UsageError: If `workers` is not positive.
    """
    if workers < 1:
        raise UsageError(f"{workers} workers cannot do anything; give 1 or more")
    return LocalExecutor(workers)


class DaskExecutor(Executor):
    """The workers of a Dask cluster, which survives it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._executor: Executor = client.get_executor(pure=False)

    def submit(
        self, fn: Callable[P, Result], /, *args: P.args, **kwargs: P.kwargs
    ) -> "Future[Result]":
        """Run a function on the cluster."""
        return self._executor.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster."""
        self._executor.shutdown(wait and not cancel_futures)
        self._client.close()


def dask_executor(address: str, timeout: float = 10.0) -> Executor:
    """The workers of the Dask cluster with this scheduler; to be used in a ``with`` statement.

    Args:
        address: Of its scheduler, such as ``tcp://10.0.0.1:8786``.
        timeout: Seconds to wait for it.

    Raises:
        MissingExtraError: If Dask is not installed.
        UsageError: If no scheduler answers.
    """
    distributed = import_extra("distributed", "cluster")
    try:
        return DaskExecutor(distributed.Client(address, timeout=timeout))
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {address}; start one with `dask scheduler`"
        ) from error
