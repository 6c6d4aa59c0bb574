"""scripts/setup on machines that lack something, and that it does nothing twice.

Each test gives it a PATH of its own: real tools by link, and programs that stand for what a machine may have.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = ("cat", "dirname", "env", "grep", "sha256sum")

# A Python that has the venv module and headers; in the environments it makes it only notes what it is told.
PYTHON = r"""#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
    *version_info*) echo {version} ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    *"{lacks}"*) exit 1 ;;
esac
"""
NOTHING_LACKS = "something that no call names"


class Machine:
    """A checkout in a folder with a space in its name, and a PATH."""

    def __init__(self, folder):
        self.checkout = folder / "a checkout"
        self.bin = folder / "bin"
        self.log = folder / "calls"
        self.bin.mkdir()
        (self.checkout / "scripts").mkdir(parents=True)
        for name in ("scripts/setup", "requirements.lock", "setup.cfg"):
            shutil.copy(ROOT / name, self.checkout / name)
        for tool in (*TOOLS, "cp", "mkdir"):
            (self.bin / tool).symlink_to(shutil.which(tool))

    def add(self, name, script="#!/bin/sh\n"):
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def add_python(self, version="3.12", lacks=NOTHING_LACKS, name="python3"):
        self.add(name, PYTHON.format(version=version, lacks=lacks))

    def add_user(self, number):
        self.add("id", f"#!/bin/sh\necho {number}\n")

    def setup(self):
        """What scripts/setup printed, and its exit code."""
        done = subprocess.run(
            [self.checkout / "scripts" / "setup"],
            env={"PATH": str(self.bin), "CALLS": str(self.log)},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
        )
        return done.stdout, done.returncode

    def pip_calls(self):
        return [call for call in self.log.read_text().splitlines() if call.startswith("-m pip ")]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def ready(machine):
    """A machine that lacks nothing."""
    machine.add_python()
    machine.add_user(1000)
    machine.add("cc")
    machine.add("pkg-config")
    return machine


def test_no_python_is_said(machine):
    said, code = machine.setup()
    assert code == 1
    assert said == (
        "scripts/setup: Python 3.11, 3.12 or 3.13 is needed; no python3 found; "
        "install one, such as: apt-get install python3.11\n"
    )


def test_an_old_python_is_named(machine):
    machine.add_python("3.9")
    said, code = machine.setup()
    assert code == 1
    assert "3.13 is needed; python3 is 3.9; install one" in said


def test_a_python_too_new_for_the_pinned_packages_is_named(machine):
    machine.add_python("3.14")
    said, code = machine.setup()
    assert code == 1
    assert "3.13 is needed; python3 is 3.14; install one" in said


def test_a_python_beside_an_old_one_is_found(ready):
    ready.add_python("3.9")
    ready.add_python("3.11", name="python3.11")
    said, code = ready.setup()
    assert (code, said.splitlines()[0]) == (0, "Making .venv with Python 3.11")


def test_this_python_is_one_it_takes():
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in (ROOT / "scripts" / "setup").read_text()


@pytest.mark.parametrize("reason", ["no apt-get", "not root"])
def test_missing_system_packages_are_named_where_they_cannot_be_installed(machine, reason):
    machine.add_python("3.12", lacks="Python.h")
    machine.add_user(0 if reason == "no apt-get" else 1000)
    if reason == "not root":
        machine.add("apt-get")
    said, code = machine.setup()
    assert code == 1
    assert said == (
        "scripts/setup: system packages are missing; install them, such as by: "
        "sudo apt-get install python3.12-dev gcc libc6-dev pkg-config libcairo2-dev\n"
    )


def test_a_python_without_venv_is_said(ready):
    ready.add_python("3.12", lacks="ensurepip")
    said, code = ready.setup()
    assert code == 1
    assert said.endswith("sudo apt-get install python3.12-venv\n")


@pytest.mark.parametrize("user", ["root", "sudo"])
def test_only_what_is_missing_is_installed(ready, user):
    ready.add_user(0 if user == "root" else 1000)
    if user == "sudo":
        ready.add("sudo", '#!/bin/sh\necho sudo "$@" >>"$CALLS"\nshift\n"$@"\n')
    ready.add("apt-get", '#!/bin/sh\necho apt-get "$@" >>"$CALLS"\n')
    (ready.bin / "cc").unlink()
    said, code = ready.setup()
    assert code == 0
    assert said.splitlines()[0] == "Installing system packages: gcc libc6-dev"
    calls = ready.log.read_text()
    assert "apt-get -qq update\n" in calls
    assert "apt-get -qq install --no-install-recommends gcc libc6-dev\n" in calls
    assert calls.count("sudo -n env ") == (2 if user == "sudo" else 0)


def test_torch_is_installed_first_then_the_lock_then_this_package(ready):
    said, code = ready.setup()
    assert code == 0, said
    torch, lock, package = ready.pip_calls()
    assert "install --constraint requirements.lock torch==" in torch
    assert lock.endswith("install --requirement requirements.lock")
    assert package.endswith("install --no-deps --no-build-isolation --editable .")


def test_a_second_call_says_and_runs_nothing(ready):
    ready.setup()
    ready.log.unlink()
    assert ready.setup() == ("", 0)
    assert not ready.log.exists()


@pytest.mark.parametrize("name", ["requirements.lock", "setup.cfg"])
def test_it_installs_again_when_the_requirements_change(ready, name):
    ready.setup()
    ready.log.unlink()
    with (ready.checkout / name).open("a") as file:
        file.write("# changed\n")
    ready.setup()
    assert len(ready.pip_calls()) == 3


def test_it_installs_again_where_the_checkout_was_moved(ready):
    ready.setup()
    ready.log.unlink()
    ready.checkout = ready.checkout.rename(ready.checkout.with_name("moved"))
    ready.setup()
    assert len(ready.pip_calls()) == 3


def test_a_failed_install_is_tried_again(ready):
    ready.add_python("3.12", lacks="requirements.lock")
    assert ready.setup()[1] == 1
    ready.add_python()
    os.remove(ready.checkout / ".venv" / "bin" / "python")
    said, code = ready.setup()
    assert code == 0 and "Installing" in said
