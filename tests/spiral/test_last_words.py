import subprocess
import sys

import pytest

SCRIPT = """
import os, signal
from spiral.last_words import last_words

with last_words("go on with: spiral train --resume --out 'a run' $HOME"):
    {what}
"""
WORDS = "go on with: spiral train --resume --out 'a run' $HOME\n"


def said(what):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT.format(what=what)],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        start_new_session=True,
    ).stderr


CTRL_C = "signal.signal(signal.SIGINT, signal.SIG_IGN); os.killpg(0, signal.SIGINT)"


@pytest.mark.parametrize("what", ["os._exit(1)", "os.kill(os.getpid(), signal.SIGKILL)", f"{CTRL_C}; os._exit(1)"])
def test_a_process_that_is_ended_has_last_words(what):
    assert said(what) == WORDS


@pytest.mark.parametrize("what", ["pass", "raise SystemExit(1)"])
def test_one_that_ends_by_itself_has_none(what):
    assert WORDS not in said(what)
