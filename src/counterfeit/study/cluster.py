"""Where a study's tasks are done: on this machine, on SLURM, or wherever a scheduler is.

One process does one task at a time, with one thread: trainings of small networks are done sooner
side by side than one after the other with all threads (docs/performance.md), and what a process has
one of, such as torch's global generator, is one training's.
"""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import dask
from distributed import Client, LocalCluster, Nanny, Scheduler, SpecCluster

from counterfeit import cores
from counterfeit.environment import pick_device
from counterfeit.errors import CounterfeitError, UsageError, command
from counterfeit.language import tr
from counterfeit.study.worker import SavesAtItsEnd

SCHEDULER_SECONDS = 30.0
"""How long a scheduler may take to answer."""

GPU = "GPU"
"""The resource that workers with a GPU offer: `dask worker --resources GPU=1`."""

UNSEEN = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""Of a scheduler of ours: any port will do, so that two studies may go on at once."""


@contextmanager
def connected(
    *,
    scheduler: str | None = None,
    slurm: bool = False,
    workers: int | None = None,
    device: str = "auto",
) -> Iterator[Client]:
    """A cluster while the block runs.

    Args:
        scheduler: the address of one that is there.
        slurm: start one, whose workers are jobs.
        workers: how many; as many as cores or GPUs here, or 8 jobs, when absent.
        device: of the trainings.

    Raises:
        UsageError: an impossible combination, or the scheduler's workers have several threads.
        CounterfeitError: no scheduler answers, or none can be started.
    """
    if scheduler is not None and (slurm or workers is not None):
        raise UsageError("--scheduler names a cluster with its own workers: leave the rest out.")
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers}: one at the least trains the runs.")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is said by us
    own = scheduler is None and not slurm
    settings: dict[str, Any] = {
        "distributed.scheduler.worker-saturation": 1.0,  # none waits behind a task of minutes
        "distributed.comm.timeouts.connect": SCHEDULER_SECONDS,
    }
    if own:  # a nanny sees its worker end; and a laptop that sleeps is no lost worker
        settings["distributed.scheduler.worker-ttl"] = None
    with dask.config.set(settings):
        cluster = None
        try:
            if scheduler is None:
                cluster = _slurm(workers or 8) if slurm else _local(workers, device)
            client = Client(cluster or scheduler, timeout=SCHEDULER_SECONDS, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise CounterfeitError(
                f"no scheduler answers at {scheduler or 'this machine'}: {error};"
                " `dask scheduler` starts one and says its address."
            ) from None
        try:
            _require_single_threads(client)
            with suppress(OSError):  # a worker that is out of reach goes without
                client.register_plugin(SavesAtItsEnd(own=own))
            yield client
        finally:  # all is done: what ends late ends with this process
            with suppress(TimeoutError):
                client.close(timeout=1)
            if cluster is not None:
                with suppress(TimeoutError):
                    cluster.close(timeout=30)


def _local(workers: int | None, device: str) -> Any:
    """Processes on this machine."""
    options = {"nthreads": 1, "memory_limit": 0, "silence_logs": logging.CRITICAL}
    if pick_device(device).type != "cuda":
        return LocalCluster(
            n_workers=workers or cores.count(),
            threads_per_worker=1,
            memory_limit=0,  # the system's own limits hold; none of our processes is its share
            scheduler_kwargs=UNSEEN,
            silence_logs=logging.CRITICAL,
        )
    import torch

    gpus = [int(device.partition(":")[2])] if ":" in device else range(torch.cuda.device_count())
    return SpecCluster(
        workers={
            number: {
                "cls": Nanny,
                "options": options
                | {
                    "resources": {GPU: 1},
                    "env": {"CUDA_VISIBLE_DEVICES": str(gpus[number % len(gpus)])},
                },
            }
            for number in range(workers or len(gpus))
        },
        scheduler={"cls": Scheduler, "options": {"host": "127.0.0.1"} | UNSEEN},
        silence_logs=logging.CRITICAL,
    )


def _slurm(jobs: int) -> Any:
    """Jobs of SLURM."""
    try:
        from counterfeit.study.slurm import jobs_of_slurm
    except ImportError:
        raise UsageError(
            "--slurm needs dask-jobqueue: `pip install dask-jobqueue` brings it."
        ) from None
    if shutil.which("sbatch") is None:
        raise UsageError("--slurm asks for jobs by sbatch, which is not here: use a login node.")
    return jobs_of_slurm(jobs, UNSEEN)


def lacking(client: Client, device: str) -> str | None:
    """Why nothing is done: no worker is there, or none that has the device; None where one is."""
    gpu = device.startswith("cuda")
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if client.scheduler is None or any(not gpu or GPU in each["resources"] for each in workers):
        return None
    if hasattr(client.cluster, "job_script"):
        return tr("no job of SLURM runs; `squeue --me` says what they wait for")
    start = ["dask", "worker", client.scheduler.address, "--nthreads", 1]
    if not workers:
        return tr(
            "the scheduler has no worker; {command} starts one, on as many machines as you like",
            command=command(*start),
        )
    return tr(
        "no worker offers a GPU; {command} starts one that does",
        command=command(*start, "--resources", f"{GPU}=1"),
    )


def _require_single_threads(client: Client) -> None:
    if many := [count for count in client.nthreads().values() if count > 1]:
        raise UsageError(
            f"the cluster's workers have {many[0]} threads each; start them with `dask worker"
            " --nthreads 1`, as many as there are cores: a process trains one run at a time."
        )
