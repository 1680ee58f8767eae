"""Work that threads do ahead of the one who wants the results."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int, ahead: int
) -> Iterator[Result]:
    """Give `work(item)` of each item, in order; threads work ahead of the caller.

    At most `ahead` results are held, and as many items taken in advance. What `work` raises is
    raised when the item's turn comes. It can be interrupted at any time: a `ThreadPoolExecutor`
    takes locks in Python, which stay locked when a signal's handler raises inside, and then its
    threads wait for ever. `SimpleQueue` is made to be interrupted.

    >>> list(in_order(abs, [-3, 2, -1], threads=2, ahead=2))
    [3, 2, 1]
    """
    tasks: SimpleQueue[Any] = SimpleQueue()
    waiting: deque[SimpleQueue[Any]] = deque()
    pool = [Thread(target=_serve, args=(work, tasks), daemon=True) for _ in range(threads)]
    try:
        for thread in pool:
            thread.start()
        for item in items:
            outcome: SimpleQueue[Any] = SimpleQueue()
            tasks.put((item, outcome))
            waiting.append(outcome)
            if len(waiting) == ahead:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())
    finally:
        with suppress(Empty):
            while True:
                tasks.get_nowait()
        started = [thread for thread in pool if thread.ident]
        for _ in started:
            tasks.put(None)
        for thread in started:
            thread.join()


def _serve(work: Callable[[Any], Any], tasks: "SimpleQueue[Any]") -> None:
    while task := tasks.get():
        item, outcome = task
        try:
            outcome.put((work(item), None))
        except BaseException as fault:
            outcome.put((None, fault))


def _result(outcome: "SimpleQueue[Any]") -> Any:
    result, fault = outcome.get()
    if fault:
        raise fault
    return result
