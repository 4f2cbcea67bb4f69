"""Studies on clusters of real processes: killed, partitioned, interrupted, and to the same bits."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dask
import pytest
import torch
from distributed import Client, LocalCluster, Scheduler
from small_study import path_of_plan, same_bits, small_plan

from counterfeit.errors import CounterfeitError, UsageError
from counterfeit.study import slurm
from counterfeit.study import worker as worker_module
from counterfeit.study.cluster import connected, lacking
from counterfeit.study.conduct import conduct
from counterfeit.study.folder import Study, Task
from counterfeit.study.worker import Answer, Terms, perform

PLAN = small_plan(epochs=12, seeds=3)

PATIENCE = 600.0
"""Seconds after which a test gives up on other processes."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the study's runs are when nothing happens to them."""
    study = Study.make(tmp_path_factory.mktemp("undisturbed") / "s", PLAN)
    for task in study.tasks:
        assert perform(task, Terms.of(study.plan)).state == "finished"
    return same_bits(study)


def until(true: Callable[[], object], what: str) -> None:
    """Wait until something is so."""
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends, f"never: {what}"
        time.sleep(0.02)


def in_training(study: Study) -> list[Task]:
    """Tasks whose runs have begun to train and go on."""
    return [
        task
        for task in study.tasks
        if (task.run / "log.jsonl").exists() and task.state == "training"
    ]


def frozen(watch: Client, study: Study, among: Mapping[str, int]) -> str:
    """Stop one of these workers amid a training; its address."""
    while True:
        until(lambda: in_training(study), "a run in training")
        for address, keys in watch.processing().items():
            busy = {task.id: task for task in in_training(study)}
            task = next((busy[key[-1]] for key in keys if key[-1] in busy), None)
            if address in among and task is not None:
                os.kill(among[address], signal.SIGSTOP)
                if task.state == "training":
                    return str(address)
                os.kill(among[address], signal.SIGCONT)  # it had just ended


def give_up(watch: Client, address: str) -> None:
    """Have the scheduler do what it does with a worker of which it hears nothing for long."""

    async def remove(dask_scheduler: Scheduler) -> None:
        await dask_scheduler.remove_worker(address, stimulus_id="not heard of")

    watch.run_on_scheduler(remove)


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A command of Python's in a process group of its own, ended with the block at the latest."""
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def study_command(plan: Path, out: Path, *options: str) -> list[str]:
    return ["counterfeit", "study", str(plan), "--out", str(out), *options]


def test_killed_and_partitioned_workers_and_a_killed_client_change_no_bit(
    tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    """A scheduler and four workers: two are killed, one is out of reach until it is given up, and
    the client is killed and started again."""
    file = tmp_path / "scheduler.json"
    place = ["--scheduler-file", str(file), "--no-dashboard"]
    worker = ["distributed.cli.dask_worker", *place, "--nthreads", "1"]
    plan = path_of_plan(tmp_path, PLAN)
    study = Study.make(tmp_path / "studies" / "small", PLAN)
    with (
        running("distributed.cli.dask_scheduler", "--port", "0", *place),
        running(*worker, "--no-nanny") as first,
        running(*worker, "--no-nanny") as second,
        running(*worker, "--no-nanny") as third,
        running(*worker),
    ):
        until(file.exists, "a scheduler")
        with Client(scheduler_file=str(file), timeout=PATIENCE, set_as_default=False) as watch:
            watch.wait_for_workers(4, timeout=PATIENCE)
            mortal = {process.pid for process in (first, second, third)}
            pids = watch.run(os.getpid)
            victims = {address: pid for address, pid in pids.items() if pid in mortal}
            command = study_command(
                plan, tmp_path / "studies", "--scheduler", watch.scheduler.address
            )
            with running(*command):
                for _ in range(2):
                    os.kill(victims.pop(frozen(watch, study, victims)), signal.SIGKILL)
                away = frozen(watch, study, victims)
            # The client is dead as well. The worker that is out of reach is given up meanwhile.
            with running(*command) as again:
                give_up(watch, away)
                until(
                    lambda: sum(task.state == "finished" for task in study.tasks) == 5,
                    "all done but what that worker holds",
                )
                os.kill(victims[away], signal.SIGCONT)
                out, err = again.communicate(timeout=PATIENCE)
                assert again.returncode == 0, err
    assert out.splitlines()[-1] == str(study.folder)
    assert {task.state for task in study.tasks} == {"finished"}
    assert same_bits(study) == undisturbed


def test_ctrl_c_saves_and_the_same_command_goes_on(
    tmp_path: Path, undisturbed: dict[str, object]
) -> None:
    """On this machine's own cluster, whose workers are in the terminal's process group as well."""
    plan = PLAN.with_values({"seeds": 1})
    command = study_command(path_of_plan(tmp_path, plan), tmp_path, "--workers", "2")
    study = Study.make(tmp_path / "small", plan)
    with running(*command) as begun:
        while True:
            until(lambda: bool(in_training(study)), "a run in training")
            os.killpg(begun.pid, signal.SIGSTOP)
            if in_training(study):
                break
            os.killpg(begun.pid, signal.SIGCONT)  # it had just ended
        os.killpg(begun.pid, signal.SIGINT)
        os.killpg(begun.pid, signal.SIGCONT)
        _, err = begun.communicate(timeout=PATIENCE)
    assert begun.returncode == 130
    said = err.splitlines()[-1]
    assert said == f"counterfeit: stopped and saved; `counterfeit study {study.folder}` goes on."
    assert "training" not in [task.state for task in study.tasks]
    with running("counterfeit", "study", str(study.folder), "--workers", "2") as again:
        _, err = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, err
    found = same_bits(study)
    assert found == {name: undisturbed[name] for name in found}


@pytest.mark.parametrize(("device", "why"), [("auto", "has no worker"), ("cuda", "offers a GPU")])
def test_it_is_said_that_nothing_is_done_until_a_worker_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, why: str
) -> None:
    monkeypatch.setattr("counterfeit.study.conduct.LACK_SECONDS", 0.1)
    monkeypatch.setattr("counterfeit.study.conduct.prepare", lambda section, data_dir: None)
    study = Study.make(tmp_path / "s", small_plan())
    said: list[str] = []
    with (
        LocalCluster(
            n_workers=int(device == "cuda"),
            threads_per_worker=1,
            processes=False,
            dashboard_address=None,
        ) as cluster,
        connected(scheduler=cluster.scheduler_address) as client,
    ):

        def on_lack(lack: str) -> None:
            said.append(lack)
            cluster.new_spec["options"] |= {"resources": {"GPU": 1}}
            cluster.scale(2)

        answers = conduct(
            study,
            client,
            device=device,
            work=lambda task, terms: Answer("finished"),
            on_lack=on_lack,
        )
    assert len(answers) == 2
    assert [lack for lack in said if why in lack] == said[:1]
    assert f"`dask worker {cluster.scheduler_address} --nthreads 1" in said[0]


def test_a_worker_that_does_not_see_the_folder_is_one_line_not_one_for_each_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = Study.make(tmp_path / "s", small_plan(seeds=5))
    assert len(study.tasks) == 10
    away = tmp_path / "elsewhere"
    monkeypatch.setattr(
        "counterfeit.study.conduct.prepare", lambda section, data_dir: study.folder.rename(away)
    )
    answered: list[Task] = []
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        connected(scheduler=cluster.scheduler_address) as client,
        pytest.raises(CounterfeitError, match=r"the worker on .* sees no .*/s; .* all workers sha"),
    ):
        conduct(study, client, on_answer=lambda task, answer: answered.append(task))
    assert answered == []


def test_workers_with_several_threads_are_refused(tmp_path: Path) -> None:
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        pytest.raises(UsageError, match=r"2 threads each; .*--nthreads 1"),
        connected(scheduler=cluster.scheduler_address),
    ):
        pass


def test_a_second_command_on_a_cluster_halts_nothing_of_the_first_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "_halted", set())
    monkeypatch.setattr(worker_module, "_at_work", ["the first one's"])
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        connected(scheduler=cluster.scheduler_address),
        connected(scheduler=cluster.scheduler_address),
    ):
        assert worker_module._halted == set()


def test_a_scheduler_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfeit.study.cluster.SCHEDULER_SECONDS", 0.5)
    with (
        pytest.raises(CounterfeitError, match=r"no scheduler answers at tcp://127.0.0.1:1\b"),
        connected(scheduler="tcp://127.0.0.1:1"),
    ):
        pass


def test_a_cluster_that_ends_late_takes_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late:
        def __init__(self, *given: object, **named: object) -> None:
            pass

        def nthreads(self) -> dict[str, int]:
            return {"here": 1}

        def register_plugin(self, plugin: object) -> None:
            pass

        def close(self, timeout: float) -> None:
            closed.append(timeout)
            raise TimeoutError

    closed: list[float] = []
    monkeypatch.setattr("counterfeit.study.cluster.Client", Late)
    monkeypatch.setattr("counterfeit.study.cluster._local", Late)
    with connected(workers=1, device="cpu") as client:
        assert isinstance(client, Late)
    assert len(closed) == 2


def test_a_scheduler_has_workers_of_its_own() -> None:
    with (
        pytest.raises(UsageError, match="a cluster with its own workers"),
        connected(scheduler="tcp://127.0.0.1:1", workers=3),
    ):
        pass


def test_each_gpu_has_workers_that_see_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfeit.study.cluster.pick_device", lambda name: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with connected(workers=3) as client:
        client.wait_for_workers(3, timeout=PATIENCE)
        seen = client.run(os.getenv, "CUDA_VISIBLE_DEVICES")
        held = [each["resources"] for each in client.scheduler_info()["workers"].values()]
    assert sorted(seen.values()) == ["0", "0", "1"]
    assert held == [{"GPU": 1}] * 3


def sbatch_that(does: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An sbatch on the path that does this, and a scancel that counts for nothing."""
    for name, script in (("sbatch", does), ("scancel", "exit 0")):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_jobs_of_slurm_have_workers_of_one_thread(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sbatch_that(f"cp $1 {tmp_path}/$$.job; echo Submitted batch job 7", tmp_path, monkeypatch)
    settings = {"jobqueue.slurm.cores": 4, "jobqueue.slurm.queue": "batch"}
    with dask.config.set(settings), connected(slurm=True, workers=5):
        scripts = [path.read_text() for path in tmp_path.glob("*.job")]
    assert len(scripts) == 5
    for asked in (
        "#SBATCH --cpus-per-task=4",
        "#SBATCH -p batch",
        "--nthreads 1 ",
        "--nworkers 4 ",
    ):
        assert all(asked in script for script in scripts)


@pytest.mark.parametrize(
    ("does", "why", "seconds"),
    [
        ("echo 'sbatch: error: Invalid account' >&2; exit 1", "sbatch: error: Invalid account;", 0),
        ("echo 'Welcome to the cluster!'", "Welcome to the cluster!;", 0),
        ("sleep 100000", "it has not answered for 1 s;", 1),
    ],
)
def test_jobs_that_slurm_does_not_take_are_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str, why: str, seconds: float
) -> None:
    monkeypatch.setattr(slurm, "SBATCH_SECONDS", seconds or slurm.SBATCH_SECONDS)
    held = tmp_path / "held"
    os.mkfifo(held)
    left = os.open(held, os.O_RDONLY | os.O_NONBLOCK)
    sbatch_that(f"exec 3> {held}; {does}", tmp_path, monkeypatch)
    with (
        pytest.raises(CounterfeitError, match=f"sbatch takes no job: {why}.*jobqueue.yaml"),
        connected(slurm=True, workers=3),
    ):
        pass
    assert select.select([left], [], [], PATIENCE)[0], "an sbatch goes on"
    os.close(left)


def test_of_jobs_that_slurm_takes_in_part_the_others_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[str] = []
    monkeypatch.setattr(slurm.logger, "warning", said.append)
    once = f"mkdir {tmp_path}/taken && echo Submitted batch job 7"
    sbatch_that(f"{once} || {{ echo QOSMaxSubmitJob >&2; exit 1; }}", tmp_path, monkeypatch)
    with connected(slurm=True, workers=3) as client:
        why = lacking(client, "auto")
    assert why == "no job of SLURM runs; `squeue --me` says what they wait for"
    assert said == ["sbatch took 1 of 3 jobs: QOSMaxSubmitJob"]
