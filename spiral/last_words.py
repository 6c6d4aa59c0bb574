"""Words for the user of a process that is ended without a chance to say anything."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

WATCH = 'read -r line || echo "$0" >&2'  # a line comes only from who lives


@contextlib.contextmanager
def last_words(words: str) -> Iterator[None]:
    """Have ``words`` said on stderr if this process ends before the block does, killed or by native code of its own."""
    # A session of its own, so that Ctrl-C does not reach it.
    with subprocess.Popen(
        ["sh", "-c", WATCH, words], stdin=subprocess.PIPE, text=True, start_new_session=True
    ) as watcher:
        try:
            yield
        finally:
            watcher.communicate("over\n")
