"""What the run costs this machine."""

from __future__ import annotations

import contextlib

import psutil


def tree() -> list[psutil.Process]:
    """This process and all it started."""
    me = psutil.Process()
    return [me, *me.children(recursive=True)]


def title(process: psutil.Process) -> str:
    """What a process calls itself, "ray::CanvasEnvRunner" say; "" where it has ended."""
    with contextlib.suppress(psutil.Error):
        return "".join(process.cmdline()[:1])
    return ""


def stopped() -> list[str]:
    """Those that are stopped, as by Ctrl-Z or SIGSTOP: "4242 (ray::CanvasEnvRunner)"."""
    found = []
    for process in tree():
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() == psutil.STATUS_STOPPED:
                found.append(f"{process.pid} ({process.name()})")
    return found


def cpu_seconds() -> float:
    """User and system seconds of this process and all it started, those that have ended included."""
    total = 0.0
    for process in tree():
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
