"""scripts/memory on a program, and its growths on numbers."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "memory"
GROWING = 'import time\nheld = []\nfor _ in range(8): held.append(5_000_000 * b"x"); time.sleep(0.25)'


@pytest.fixture(scope="module")
def memory():
    return runpy.run_path(str(SCRIPT))


def rows(minutes, **megabytes):
    """Two rows a minute of each process: its memory at the beginning and what it grows by each minute."""
    return [
        {"seconds": 30.0 * half, "pid": 7, "name": name, "memory_mb": begin + half / 2 * a_minute}
        for name, (begin, a_minute) in megabytes.items()
        for half in range(2 * minutes + 1)
    ]


def memory_process(*arguments):
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


def report(tmp_path, lines):
    file = tmp_path / "memory.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return memory_process(str(file))


def test_growth_is_from_minute_5_to_the_middle_of_the_last_5_minutes(memory):
    spiral, raylet = memory["growths"](rows(60, raylet=(20.0, 0.0), spiral=(95.0, 1.0)))
    assert (spiral.name, spiral.early_mb, spiral.last_mb) == ("spiral", 100.0, 152.5)
    assert spiral.share == pytest.approx(0.525)
    assert raylet.share == 0.0


def test_a_process_that_came_later_is_left_out(memory):
    late = {"seconds": 3590.0, "pid": 8, "name": "CanvasEnvRunner", "memory_mb": 300.0}
    assert [each.name for each in memory["growths"]([*rows(60, spiral=(95.0, 1.0)), late])] == ["spiral"]


def test_a_process_that_has_grown_by_more_than_a_twentieth_is_reported(tmp_path):
    done = report(tmp_path, rows(60, spiral=(100.0, 0.1), runner=(50.0, 0.01)))
    assert done.returncode == 1, done.stderr
    head, spiral, runner = done.stdout.splitlines()
    assert "minutes 4 to 6   last 5 minutes" in head
    assert spiral.split() == ["spiral", "7", "100.5", "105.8", "+5.2%"]
    assert runner.split() == ["runner", "7", "50.0", "50.6", "+1.0%"]


def test_no_growth_is_no_failure(tmp_path):
    assert report(tmp_path, rows(60, spiral=(100.0, 0.09))).returncode == 0


def test_a_program_is_watched_until_it_ends(tmp_path):
    file = tmp_path / "memory.jsonl"
    done = memory_process("--every", "0.2", str(file), sys.executable, "-c", GROWING)
    assert done.returncode == 1
    assert done.stderr.endswith(" minutes were measured, and more than 11 are needed\n")
    taken = [json.loads(line) for line in file.read_text().splitlines()]
    assert len({row["pid"] for row in taken}) == 1
    assert max(row["memory_mb"] for row in taken) - min(row["memory_mb"] for row in taken) > 5


def test_the_exit_code_of_a_program_that_failed_is_passed_on(tmp_path):
    assert memory_process(str(tmp_path / "memory.jsonl"), sys.executable, "-c", "raise SystemExit(3)").returncode == 3
