"""A limit to how long a block may take, whatever it waits for."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterator

from spiral import usage
from spiral.errors import ProcessError

logger = logging.getLogger(__name__)

QUIET_S = 20.0  # a wait that is longer is worth a word


@contextlib.contextmanager
def at_most(seconds: float, message: Callable[[], str], waiting_for: str = "") -> Iterator[None]:
    """End a block that waits too long for another process.

    Counted are seconds in which this process itself can go on: none pass for one that was stopped (Ctrl-Z), and the
    clock on the wall does not matter. Signals reach the main thread alone; in others there is no limit.

    Args:
        seconds: of them, after which the block is ended.
        message: says what was waited for.
        waiting_for: named in a warning when ``QUIET_S`` have passed; none where it is empty.

    Raises:
        ProcessError: with the message, and which processes are stopped.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    passed = 0

    def tick(number, frame):
        nonlocal passed
        passed += 1
        if passed == QUIET_S and waiting_for:
            logger.warning("Waiting for %s, %.0f s at most.", waiting_for, seconds)
        if passed >= seconds:
            raise KeyboardInterrupt  # the one exception that ends Ray's waiting; again and again, lest one be lost

    before = signal.signal(signal.SIGALRM, tick)
    timer = signal.setitimer(signal.ITIMER_REAL, 1.0, 1.0)
    try:
        yield
    except KeyboardInterrupt:
        if passed < seconds:  # it is the user's
            raise
        signal.setitimer(signal.ITIMER_REAL, 0)
        stopped = usage.stopped()
        raise ProcessError(message() + (f" (stopped: {', '.join(stopped)})" if stopped else "")) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)
