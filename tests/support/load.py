"""People who ask for something again and again while a test changes what answers them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def under_load(ask: Callable[[], object]) -> Iterator[list[object]]:
    """Asks one time after the other in a thread of its own; yields what was answered, and the error where one failed.

    A request that raises is an answer too: the thread goes on, so that none that fails can end the load unseen.
    """
    answers: list[object] = []
    over = threading.Event()

    def ask_on() -> None:
        while not over.is_set():
            try:
                answers.append(ask())
            except Exception as error:
                answers.append(error)

    thread = threading.Thread(target=ask_on)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()
