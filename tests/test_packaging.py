"""What is installed where: the wheel, and replaying a program with it where there is no torch, ray or gymnasium."""

import configparser
import importlib.metadata
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from spiral import Brush, Program, Stroke, __version__
from spiral.canvas import CanvasSpec

ROOT = Path(__file__).parent.parent
NOT_PACKAGED = shutil.ignore_patterns(".*", "build", "dist", "runs", "*.egg-info", "__pycache__")


def settings():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def lines(text):
    return [line for line in text.splitlines() if line]


def requirements(text):
    return [Requirement(line) for line in lines(text)]


def run(*command, expect=0):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_package_folder_is_listed():
    options = settings()["options"]
    folders = dict(line.split(" = ") for line in lines(options["package_dir"]))
    found = {
        ".".join([name, *init.relative_to(ROOT / folder).parent.parts])
        for name, folder in folders.items()
        for init in (ROOT / folder).rglob("__init__.py")
    }
    assert found == set(lines(options["packages"]))


def test_every_requirement_is_pinned_in_the_lock():
    pins = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if not line.startswith("#"):
            name, version = re.fullmatch(r"([\w.-]+)==([\w.]+)", line).groups()
            pins[canonicalize_name(name)] = version
    config = settings()
    wanted = requirements(config["options"]["install_requires"])
    for extra in config["options.extras_require"].values():
        wanted += requirements(extra)
    for requirement in wanted:
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier, requirement


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    # Built from a copy, because setuptools packs whatever an earlier build left in the folder build/.
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=NOT_PACKAGED)
    pip = (sys.executable, "-m", "pip", "-qq", "wheel", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", folder, folder / "source")
    return next(folder.glob("spiral_painter-*.whl"))


def test_the_wheel_has_every_module_and_nothing_else(wheel):
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    modules = {
        f"spiral/{path.relative_to(ROOT)}" for room in ("envs", "agents") for path in (ROOT / room).rglob("*.py")
    }
    modules |= {str(path.relative_to(ROOT)) for path in (ROOT / "spiral").rglob("*.py")}
    data = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "spiral").rglob("*")
        if path.suffix in (".toml", ".html", ".npz")
    }
    assert data and packed == modules | data


def test_the_wheel_carries_the_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert any(re.fullmatch(r"spiral_painter-[^/]*\.dist-info/.*LICENSE", name) for name in names)


def test_pip_installs_what_a_job_on_a_cluster_names(wheel, tmp_path):
    job = tmp_path / "job"  # its working directory
    job.mkdir()
    shutil.copy(wheel, job)
    shutil.copy(ROOT / "requirements.lock", job)
    wanted = yaml.safe_load((ROOT / "scripts" / "cluster" / "runtime-env.yaml").read_text())["pip"]
    (tmp_path / "wanted.txt").write_text("\n".join(wanted))  # as Ray gives them to pip
    pip = (sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "-r", tmp_path / "wanted.txt")
    said = run("env", f"RAY_RUNTIME_ENV_CREATE_WORKING_DIR={job}", *pip)
    assert f"Would install spiral-painter-{__version__}\n" in said  # and all that it needs is here, at these versions
    assert "torch" in said and "does not provide the extra" not in said


def installed_with(names):
    """Names of the distributions that these need, themselves among them, without extras."""
    found = set()
    left = set(names)
    while left:
        name = left.pop()
        found.add(name)
        needed = map(Requirement, importlib.metadata.requires(name) or [])
        left |= {need.name for need in needed if need.marker is None or need.marker.evaluate({"extra": ""})} - found
    return found


@pytest.fixture(scope="module")
def light_bin(wheel, tmp_path_factory):
    """The programs of an environment that has the wheel and what setup.cfg's install_requires names, no more."""
    environment = tmp_path_factory.mktemp("light")
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    packages = environment / "packages"  # links to what is installed here, so that nothing is downloaded
    packages.mkdir()
    for name in installed_with(need.name for need in requirements(settings()["options"]["install_requires"])):
        tops = {file.parts[0] for file in importlib.metadata.files(name)} - {"..", "__pycache__"}
        for top in tops:
            (packages / top).symlink_to(importlib.metadata.distribution(name).locate_file(top))
    site = next(environment.glob("lib/python3*/site-packages"))
    (site / "packages.pth").write_text(f"{packages}\n")
    python = environment / "bin" / "python"
    run(sys.executable, "-m", "pip", "-qq", "--python", python, "install", "--no-deps", "--no-index", wheel)
    return environment / "bin"


@pytest.fixture
def painting(tmp_path):
    path = tmp_path / "program.json"
    stroke = Stroke((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), Brush(0.1))
    Program(CanvasSpec(64, 32, 1), [stroke, stroke]).save(path)
    return path


@pytest.mark.parametrize("module", ["gymnasium", "ray", "torch"])
def test_the_light_environment_has_no_training_library(light_bin, module):
    assert f"No module named '{module}'" in run(light_bin / "python", "-c", f"import {module}", expect=1)


def test_the_command_line_works_in_the_light_environment(light_bin):
    assert "replay" in run(light_bin / "spiral", "--help")
    assert __version__ in run(light_bin / "spiral", "--version")
    assert "cairo" in run(light_bin / "spiral", "list", "renderers")
    assert "digits" in run(light_bin / "spiral", "list", "presets")
    assert "digits" in run(light_bin / "spiral", "list", "datasets")
    assert "quickdraw" in run(light_bin / "spiral", "list", "formats")


def test_what_needs_an_extra_says_which_in_the_light_environment(light_bin):
    said = run(light_bin / "spiral", "list", "objectives", expect=1)
    assert re.search(r"this needs \w+; run: pip install 'spiral-painter\[train\]'", said)


@pytest.mark.parametrize("suffix", ["png", "gif", "apng"])
def test_replay_writes_pictures_in_the_light_environment(light_bin, painting, suffix):
    picture = painting.with_name(f"painting.{suffix}")
    run(light_bin / "spiral", "replay", painting, "-o", picture, "--size", "128")
    with Image.open(picture) as image:
        assert image.size == (128, 64)
        assert (image.n_frames > 1) == (suffix != "png")
        image.seek(image.n_frames - 1)
        assert image.convert("L").getextrema() == (0, 255)


def test_replay_writes_svg_in_the_light_environment(light_bin, painting):
    picture = painting.with_name("painting.svg")
    run(light_bin / "spiral", "replay", painting, "-o", picture)
    assert picture.read_text().lstrip().startswith(("<?xml", "<svg"))


def test_replay_writes_the_player_in_the_light_environment(light_bin, painting):
    page = painting.with_name("painting.html")
    run(light_bin / "spiral", "replay", painting, "-o", page)
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_a_film_that_needs_an_extra_says_which_in_the_light_environment(light_bin, painting):
    said = run(light_bin / "spiral", "replay", painting, "-o", painting.with_name("painting.mp4"), expect=1)
    assert said == "Error: this needs av; run: pip install 'spiral-painter[video]'\n"
    assert not painting.with_name("painting.mp4").exists()
