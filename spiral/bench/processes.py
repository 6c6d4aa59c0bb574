"""What each process of a run takes: CPU seconds and resident memory, by what the process is for."""

from __future__ import annotations

from typing import Any, NamedTuple

import psutil

from spiral import usage

MAIN, RUNNER, DISCRIMINATOR, RAY = "main", "runner", "discriminator", "Ray"
STORE = "plasma"  # in the name of the memory Ray's processes share


class Process(NamedTuple):
    """One process.

    Attributes:
        role: main, runner, discriminator, or Ray: its daemons and helpers.
        name: what it calls itself.
        memory_mb: resident; pages shared with n processes count as 1/n of them where the system tells (PSS).
        store_mb: how much of that is Ray's object store.
    """

    role: str
    name: str
    memory_mb: float
    store_mb: float


def role_of(process: psutil.Process) -> tuple[str, str]:
    """What a process of this tree is for, and its name."""
    if process.pid == psutil.Process().pid:
        return MAIN, "main"
    words = process.cmdline()
    title = words[0] if words else process.name()
    name = title.removeprefix("ray::").partition(".")[0] if title.startswith("ray::") else _daemon(words, process)
    if name.endswith("EnvRunner"):
        return RUNNER, name
    if name == "DiscriminatorLearner":
        return DISCRIMINATOR, name
    return RAY, name


def _daemon(words: list[str], process: psutil.Process) -> str:
    """The name of a program, or of the script that Python runs."""
    scripts = [word for word in words if word.endswith(".py")]
    return (scripts[0] if scripts else process.name()).rpartition("/")[2]


def cpu_seconds() -> dict[str, float]:
    """CPU seconds of this process and all it started by role; those of ended processes are with who started them."""
    seconds = dict.fromkeys((MAIN, RUNNER, DISCRIMINATOR, RAY), 0.0)
    for process in usage.tree():
        try:
            times, (role, _) = process.cpu_times(), role_of(process)
        except psutil.Error:
            continue
        seconds[role] += times.user + times.system + times.children_user + times.children_system
    return seconds


def memory() -> list[Process]:
    """Every process of this tree, the largest first."""
    found = []
    for process in usage.tree():
        try:
            maps = process.memory_maps(grouped=True)
            role, name = role_of(process)
        except psutil.Error:
            continue
        store = [one for one in maps if STORE in one.path]
        found.append(Process(role, name, _megabytes(maps), _megabytes(store)))
    return sorted(found, key=lambda one: -one.memory_mb)


def memory_kind() -> str:
    """Which kind of resident memory this system tells."""
    return "PSS" if hasattr(psutil.Process().memory_maps(grouped=True)[0], "pss") else "RSS"


def _megabytes(maps: list[Any]) -> float:
    return sum(getattr(one, "pss", one.rss) for one in maps) / 1e6
