"""Workers that are jobs of SLURM, by dask-jobqueue.

Queue, account, time and the rest stand in its own settings, `~/.config/dask/jobqueue.yaml`.
"""

import asyncio
import logging
import os
import shlex
import signal
from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from subprocess import PIPE, Popen, TimeoutExpired
from typing import Any

import dask
from dask_jobqueue.slurm import SLURMCluster, SLURMJob
from distributed.core import Status

from counterfeit.errors import CounterfeitError
from counterfeit.language import tr

logger = logging.getLogger(__name__)

SBATCH_SECONDS = 60.0
"""How long sbatch may take to answer."""


def jobs_of_slurm(jobs: int, scheduler_options: Mapping[str, Any]) -> SLURMCluster:
    """A cluster whose workers are so many jobs; fewer, where SLURM takes no more.

    Raises:
        CounterfeitError: it takes none.
    """
    answers: SimpleQueue[str | None] = SimpleQueue()

    class Job(SLURMJob):
        """A job that says why it was refused, and is empty then: an error here would be Dask's,
        which prints it and waits for workers that never come."""

        async def start(self) -> None:
            try:
                await super().start()  # type: ignore[no-untyped-call]
            except TimeoutExpired:
                answers.put(f"it has not answered for {SBATCH_SECONDS:.0f} s")
            except (OSError, RuntimeError, ValueError) as error:
                answers.put(str(error).strip().splitlines()[-1])
            else:
                answers.put(None)
            self.status = Status.running

        async def _submit_job(self, script_filename: str) -> str:
            asked = [*shlex.split(self.submit_command), script_filename]
            return await asyncio.to_thread(_said, asked)

        async def close(self) -> None:
            await super().close()  # type: ignore[no-untyped-call]
            self.status = Status.closed

    cores = dask.config.get("jobqueue.slurm.cores", None) or 1
    cluster = SLURMCluster(
        job_cls=Job,  # type: ignore[arg-type]  # dask-jobqueue wants one, where it means a kind
        cores=cores,
        processes=cores,
        memory=dask.config.get("jobqueue.slurm.memory", None) or "4GB",
        scheduler_options=scheduler_options,
    )
    cluster.scale(jobs=jobs)
    refused = [why for _ in range(jobs) if (why := answers.get()) is not None]
    if len(refused) == jobs:
        cluster.close(timeout=30)
        raise CounterfeitError(
            f"sbatch takes no job: {refused[0]}; account, partition and time stand in"
            " ~/.config/dask/jobqueue.yaml, and `sinfo` says whether SLURM is up."
        )
    if refused:
        logger.warning(
            tr(
                "sbatch took {taken} of {jobs} jobs: {why}",
                taken=str(jobs - len(refused)),
                jobs=str(jobs),
                why=refused[0],
            )
        )
    return cluster


def _said(command: Sequence[str]) -> str:
    """What sbatch says; where it does not answer, neither it nor what it has started stays.

    Raises:
        RuntimeError: it refuses; the last line says why.
        TimeoutExpired: it has not answered in time.
        OSError: it cannot be started.
    """
    with Popen(command, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True) as sbatch:
        try:
            out, err = sbatch.communicate(timeout=SBATCH_SECONDS)
        except TimeoutExpired:
            os.killpg(sbatch.pid, signal.SIGKILL)
            raise
    if sbatch.returncode != 0:
        raise RuntimeError(f"sbatch ends with {sbatch.returncode}\n{out}\n{err}")
    return out
