"""The examples of clusters, read by Ray itself: what it accepts, and that what a run asks for finds its place.

No schema of Kubernetes or of its Ray operator is at hand: of the job for Kubernetes, what Ray's own autoscaler does
not read is compared with a list of fields kept here.
"""

import configparser
import re
import shlex
from pathlib import Path

import jsonschema
import pytest
import yaml
from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr
from ray.autoscaler._private.resource_demand_scheduler import get_bin_pack_residual
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.runtime_env import RuntimeEnv
from ray_commands import run_by_ray

from spiral import __version__
from spiral.agents.algorithm import Spiral, SpiralConfig
from spiral.cli import main
from spiral.run_folder import run_from_options

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "scripts" / "cluster"
RAY_UP, KUBERAY, RUNTIME_ENV = (FOLDER / f"{name}.yaml" for name in ("ray-up", "kuberay", "runtime-env"))
FILES = sorted(FOLDER.iterdir())
RUNNER = {"CPU": 1.0}


def read(path):
    return yaml.safe_load(path.read_text())


def typed(path):
    """The words of each command that the file's first lines tell people to type."""
    return [shlex.split(line) for line in re.findall(r"^#   (\S.*)$", path.read_text(), re.MULTILINE)]


def spiral_calls():
    """The calls of ``spiral`` in the examples, in commands of Ray and as the entrypoint of a job."""
    for path in FILES:
        for program, *arguments in typed(path):
            if program == "ray" and (words := run_by_ray(arguments)):
                yield pytest.param(path, words, id=path.name)
    yield pytest.param(KUBERAY, shlex.split(read(KUBERAY)["spec"]["entrypoint"]), id="kuberay.yaml, entrypoint")


def run_of(words):
    """The settings that a call of ``spiral train`` trains by."""
    program, command, *arguments = words
    assert (program, command) == ("spiral", "train")
    params = main.commands["train"].make_context("train", arguments).params
    assert params.pop("address") == "auto"
    run, _ = run_from_options(**params)
    return run


def ray_up():
    return prepare_config(read(RAY_UP))


def ray_cluster():
    """What Ray's autoscaler on Kubernetes makes of the job's cluster."""
    job = read(KUBERAY)
    metadata = {"namespace": "default", **job["metadata"]}
    return _derive_autoscaling_config_from_ray_cr({"metadata": metadata, "spec": job["spec"]["rayClusterSpec"]})


def nodes(config):
    """The resources of the head, and of each worker."""
    types = dict(config["available_node_types"])
    head = types.pop(config["head_node_type"])
    return head["resources"], [dict(each["resources"]) for each in types.values() for _ in range(each["max_workers"])]


CLUSTERS = {RAY_UP: ray_up, RUNTIME_ENV: ray_up, KUBERAY: ray_cluster}  # where the calls in each file run


# -- commands ---------------------------------------------------------------------------------------------------------


def test_each_way_to_a_cluster_trains():
    assert sorted({each.values[0] for each in spiral_calls()}) == sorted(CLUSTERS)


@pytest.mark.parametrize("path, words", list(spiral_calls()))
def test_what_a_run_asks_for_finds_its_place(path, words):
    head, workers = nodes(CLUSTERS[path]())
    request = Spiral.default_resource_request(SpiralConfig.from_run(run_of(words))).bundles
    assert get_bin_pack_residual([head, *workers], request)[0] == []
    on_gpus = [bundle for bundle in request if bundle.get("GPU")]
    assert len(on_gpus) == 2  # learner and discriminator
    assert get_bin_pack_residual([head], on_gpus)[0] == []
    assert get_bin_pack_residual([head], [RUNNER])[0] == [RUNNER]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_commands_name_files_that_are_there(path):
    for words in typed(path):
        for word in words:
            assert not word.startswith("scripts/") or (ROOT / word).is_file(), word


# -- files ------------------------------------------------------------------------------------------------------------


def test_the_file_for_ray_up_is_accepted_by_ray():
    validate_config(ray_up())


def test_workers_are_there_from_the_start_and_all_of_them():
    for config in (ray_up(), ray_cluster()):
        workers = {name: each for name, each in config["available_node_types"].items() if each["max_workers"]}
        assert config["head_node_type"] not in workers
        assert [each["min_workers"] for each in workers.values()] == [config["max_workers"]]


@pytest.mark.parametrize("path", (RAY_UP, FOLDER / "Dockerfile"), ids=lambda path: path.name)
def test_what_is_installed_was_copied(path):
    text = path.read_text()
    made = {f"spiral_painter-{__version__}-py3-none-any.whl[train]", "requirements.lock"}
    [there] = re.findall(r"^COPY dist (\S+)$|^  (\S+): dist$", text, re.MULTILINE)
    [install] = re.findall(r"^[^#\n]*(pip install .+)", text, re.MULTILINE)
    assert {word for word in shlex.split(install) if "/" in word} == {f"{''.join(there)}/{name}" for name in made}


def test_the_environment_of_a_job_is_accepted_by_ray():
    assert RuntimeEnv(**read(RUNTIME_ENV)).pip_config()["packages"] == read(RUNTIME_ENV)["pip"]


def of_fields(*required, **others):
    """The schema of a dict with these fields, and with no others than those given a schema."""
    return {
        "type": "object",
        "required": [*required],
        "properties": {name: {} for name in required} | others,
        "additionalProperties": False,
    }


def pod(**others):
    container = of_fields("name", "image", "resources", volumeMounts={"items": of_fields("name", "mountPath")})
    spec = of_fields("containers", containers={"type": "array", "minItems": 1, "items": container}, **others)
    return of_fields("spec", spec=spec)


PARAMETERS = {"type": "object", "additionalProperties": {"type": "string"}}
COUNT = {"type": "integer", "minimum": 0}
RAY_JOB = of_fields(
    *("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=of_fields("name"),
    spec=of_fields(
        *("entrypoint", "rayClusterSpec"),
        entrypoint={"type": "string", "pattern": r"^[^\n]+$"},
        shutdownAfterJobFinishes={"type": "boolean"},
        rayClusterSpec=of_fields(
            *("rayVersion", "headGroupSpec", "workerGroupSpecs"),
            rayVersion={"type": "string"},
            headGroupSpec=of_fields(
                *("rayStartParams", "template"),
                rayStartParams=PARAMETERS,
                template=pod(volumes={"items": of_fields("name", "persistentVolumeClaim")}),
            ),
            workerGroupSpecs={
                "type": "array",
                "minItems": 1,
                "items": of_fields(
                    *("groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"),
                    replicas=COUNT,
                    minReplicas=COUNT,
                    maxReplicas=COUNT,
                    rayStartParams=PARAMETERS,
                    template=pod(),
                ),
            },
        ),
    ),
)


def test_the_job_for_kubernetes_has_the_fields_of_one():
    job = read(KUBERAY)
    jsonschema.validate(job, RAY_JOB)
    head = job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    mounts = head["containers"][0]["volumeMounts"]
    assert {each["name"] for each in mounts} == {each["name"] for each in head["volumes"]}
    assert any(f"--out {each['mountPath']}/" in job["spec"]["entrypoint"] for each in mounts)


# -- versions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*FILES, ROOT / "README.md"], ids=lambda path: path.name)
def test_versions_are_ours(path):
    text = path.read_text()
    [ray] = re.findall(r"^ray==(.+)$", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert set(re.findall(r"rayproject/ray:([\d.]+)-py311", text)) <= {ray}
    assert text.count("rayproject/ray:") == text.count(f"rayproject/ray:{ray}-py311-")
    assert set(re.findall(r"ray\[default\]==([\d.]+)", text)) <= {ray}
    assert set(re.findall(r'rayVersion: "(.+)"', text)) <= {ray}
    assert set(re.findall(r"\bspiral:([\d.]+)", text)) <= {__version__}
    for version, extra in re.findall(r"spiral_painter-([\d.]+)-py3-none-any\.whl(?:\[(\w+)\])?", text):
        assert version == __version__
        assert not extra or extra in setup["options.extras_require"]
