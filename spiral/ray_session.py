"""Ray for the time of a run: on this machine or a cluster, and quiet."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import psutil

from spiral import usage
from spiral.config import RunConfig
from spiral.errors import InputError, ProcessError, reason

ANSWER_S = 10.0  # longest wait for a cluster to answer
EXIT_S = 10.0  # and for the processes of a Ray that has ended
OBJECT_STORE_BYTES = 10**9  # of a local Ray; rollouts are a few megabytes
# Of a local Ray, too. It would keep a record of each call, a megabyte a minute, with nobody to look at them; and
# rollouts that were learned from for a second, fifty megabytes of every process's memory.
SYSTEM = {"task_events_report_interval_ms": 0, "free_objects_period_milliseconds": 50}


def quiet_ray() -> None:
    """Have Ray, which this imports, log errors only."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray.rllib  # noqa: F401  sets its own log level when it is imported

    for name in ("ray", "ray.rllib", "ray.tune"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # It reports a runner's death, which is mended and counted, as an error with a traceback.
    logging.getLogger("ray.rllib.utils.actor_manager").setLevel(logging.CRITICAL)


@contextlib.contextmanager
def ray_session(run: RunConfig, address: str | None, cpus: int | None = None) -> Iterator[None]:
    """Ray, on this machine or a cluster, and quiet: what a user must know is said by the report.

    Args:
        run: what is trained.
        address: of a cluster; None starts Ray on this machine.
        cpus: that a Ray on this machine takes itself to have; as many as there are, and no fewer than the run needs,
            if None.
    """
    quiet_ray()
    import ray

    from spiral.agents.algorithm import resources_of

    asked = resources_of(run).required_resources
    options: dict[str, Any] = {}
    if address is not None:
        _check_answers(address)
    else:
        options = {
            # On two cores more processes are wanted than Ray would admit: they take turns.
            "num_cpus": cpus or max(os.cpu_count() or 1, int(asked["CPU"] + 1)),
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            "_system_config": SYSTEM,
        }
    try:
        ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR, **options)
    except Exception as error:  # Ray's own are of that type where its processes do not start in time
        if address is None:
            raise ProcessError(
                f"Ray did not start on this machine: {reason(error)}; give it less other work and try again"
            ) from error
        raise InputError(f"cannot reach Ray at {address!r}: {error}; {_remedy(error)}") from None
    try:
        if address is None:
            check_gpus(asked.get("GPU", 0), ray.cluster_resources().get("GPU", 0))
        yield
    finally:
        processes = usage.tree()[1:] if address is None else []
        ray.shutdown()
        end_those_of_ray(processes)


def end_those_of_ray(processes: list[psutil.Process]) -> None:
    """See that no process of an ended Ray is left: now and then one hangs in its very last step, for ever."""
    of_ray = [process for process in processes if "ray::" in usage.title(process)]
    for process in psutil.wait_procs(of_ray, timeout=EXIT_S)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def check_gpus(asked: float, there: float) -> None:
    """A cluster may have to get a machine that has them first; this one will not get any."""
    if asked > there:
        gpus = f"{asked:g} GPU{'' if asked == 1 else 's'}"
        raise InputError(
            f"the run asks for {gpus}, and Ray finds {there:g} on this machine; lower num_gpus_per_learner or "
            "discriminator.num_gpus (0 learns on CPUs), or give --address of a cluster that has them"
        )


def _remedy(error: Exception) -> str:
    if "InvalidAuthToken" in str(error.__cause__):
        return "it asks for a token: set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH"
    return "start a cluster, or leave --address out"


def _check_answers(address: str) -> None:
    """See that somebody listens at HOST:PORT, which Ray would try for many minutes; other words are Ray's to read."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"nobody answers at {address} ({error}); start a cluster there, or leave --address out"
        ) from None


@contextlib.contextmanager
def native_errors_held_back() -> Iterator[None]:
    """Show what native code writes to stderr only if the block fails: Ray's core reports errors there that are none."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
