import os
import pty
import subprocess
import sys

import pytest

from spiral.progress import bar, unwatched

PROGRAM = "import sys; from spiral.progress import bar; print(sum(bar(iter(range(50)), 50)))"


def on_terminal(code):
    """What a Python program prints on stdout, and on stderr, which is a terminal."""
    ours, theirs = pty.openpty()
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs, text=True, check=True)
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    os.close(ours)
    return done.stdout, shown.decode()


def _read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux's way to say that nobody writes any more
        return b""


def test_on_a_terminal_there_is_a_bar_on_stderr():
    printed, shown = on_terminal(PROGRAM)
    assert printed == "1225\n"
    assert "100%" in shown


def test_elsewhere_there_is_none():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("1225\n", "")


@pytest.mark.parametrize("watch", [bar, unwatched])
def test_items_are_asked_for_one_by_one(watch):
    asked = []
    items = iter(watch((asked.append(i) or i for i in range(3)), 3))
    assert [next(items), next(items)] == asked == [0, 1]
