from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from spiral import usage

BURN = "import time\nwhile time.process_time() < 0.5: pass\n"


def test_own_work_counts():
    before, began = usage.cpu_seconds(), time.process_time()
    while time.process_time() < began + 0.2:
        pass
    assert usage.cpu_seconds() - before >= 0.15  # the kernel counts in hundredths of a second


def test_a_child_counts_after_it_has_ended():
    before = usage.cpu_seconds()
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert usage.cpu_seconds() - before >= 0.45


def test_a_child_counts_while_it_runs():
    before = usage.cpu_seconds()
    with subprocess.Popen(
        [sys.executable, "-c", BURN + "print('burnt', flush=True)\ninput()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout.readline() == b"burnt\n"
        assert usage.cpu_seconds() - before >= 0.45
        assert child.pid in [process.pid for process in usage.tree()]
        child.communicate(b"\n")


def test_the_tree_begins_with_this_process():
    assert usage.tree()[0].pid == os.getpid()


def test_a_process_that_ends_meanwhile_is_left_out(monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", ""])
    gone = usage.psutil.Process(child.pid)
    child.wait()
    monkeypatch.setattr(usage, "tree", lambda: [gone])
    assert usage.cpu_seconds() == pytest.approx(0.0)


def test_processes_that_are_stopped():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        before = usage.stopped()
        os.kill(child.pid, signal.SIGSTOP)
        while not (found := [name for name in usage.stopped() if name not in before]):
            time.sleep(0.01)
        assert found == [f"{child.pid} ({usage.psutil.Process(child.pid).name()})"]
        os.kill(child.pid, signal.SIGCONT)
        child.communicate(b"\n")
    assert usage.stopped() == before
