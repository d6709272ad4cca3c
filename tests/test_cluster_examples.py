"""examples/cluster: the Slurm script plays what is missing; the plans and the job are valid."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.plan import planned_runs
from proactive_agent.settings import ApiAccess

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "cluster"
MODELS = (FOLDER / "models.txt").read_text(encoding="utf-8").splitlines()


class Study:
    """A study on a machine whose `python` and `scontrol` are replaced."""

    def __init__(self, path: Path, models: str, plan: str) -> None:
        self.path = path / "study"
        self.path.mkdir()
        (self.path / "models.txt").write_text(models)
        (self.path / "study.yaml").write_text(plan)
        self.programs = path / "bin"
        self.programs.mkdir()
        self.requeued = path / "requeued"
        self._program("scontrol", f'echo "$@" >> "{self.requeued}"')
        self.use_program("proactive_agent")

    def use_program(self, module: str) -> None:
        """Makes `python -m proactive_agent` run a module of the same command line."""
        self._program("python", f'shift 2; exec "{sys.executable}" -m {module} "$@"')

    def task(self, number: int) -> "subprocess.Popen[str]":
        """Starts a task of the array as Slurm does."""
        environment = {
            **os.environ,
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SLURM_ARRAY_JOB_ID": "7",
            "SLURM_ARRAY_TASK_ID": str(number),
        }
        command = ["bash", str(FOLDER / "slurm.sh"), str(self.path)]
        return subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def runs(self) -> dict[str, RunFolder]:
        """The runs by name."""
        folders = (self.path / "results" / "paper").glob("*")
        return {folder.name: RunFolder(folder) for folder in folders}

    def _program(self, name: str, line: str) -> None:
        file = self.programs / name
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)


PLAN = "name: paper\nprotocols: [mcqa]\nscenarios: [rod]\nlimit: 3\n"

needs_bash = pytest.mark.skipif(sys.platform == "win32", reason="needs bash")


@needs_bash
def test_a_task_plays_its_model_and_again_only_what_is_missing(tmp_path: Path) -> None:
    study = Study(tmp_path, "baseline:oracle\nbaseline:random\n", PLAN)
    for _ in range(2):
        task = study.task(2)
        output, _ = task.communicate()
        assert task.returncode == 0, output
    (run,) = study.runs().values()
    assert run.read_manifest().settings.provider == "baseline:random"
    assert len(run.episodes_file.read_text().splitlines()) == 3


@needs_bash
def test_a_task_that_is_out_of_time_is_queued_again_and_goes_on(tmp_path: Path) -> None:
    study = Study(tmp_path, "slow:random\n", PLAN.replace("limit: 3", "repeats: 20"))
    study.use_program("tests.proactive_agent.slow_program")
    task = study.task(1)
    while not any(run.episodes_file.exists() and run.outlines() for run in study.runs().values()):
        assert task.poll() is None, task.communicate()
        time.sleep(0.05)
    task.send_signal(signal.SIGUSR1)
    output, _ = task.communicate()
    assert task.returncode == 0, output
    assert study.requeued.read_text() == "requeue 7_1\n"
    (run,) = study.runs().values()
    before = run.read_manifest()
    assert before.status == "interrupted"
    output, _ = study.task(1).communicate()
    assert run.read_manifest().status == "finished", output


@needs_bash
def test_a_task_without_a_model_is_an_error(tmp_path: Path) -> None:
    study = Study(tmp_path, "baseline:oracle\n", PLAN)
    task = study.task(2)
    output, _ = task.communicate()
    assert task.returncode == 2
    assert "no line 2" in output


def test_the_models_are_the_open_ones_of_the_paper() -> None:
    assert len(MODELS) == 19


@pytest.mark.parametrize("model", MODELS)
def test_every_model_makes_a_plan(model: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    shared = yaml.safe_load((FOLDER / "study.yaml").read_text(encoding="utf-8"))
    conditions = shared["conditions"]
    del shared["data"]  # The official data are not here.
    plan.write_text(f"models:\n- {model}\n{yaml.safe_dump(shared)}")
    runs = planned_runs(plan, tmp_path / "results", ApiAccess())
    assert [run.settings.condition for run in runs] == conditions


def test_the_job_of_kubernetes_uses_one_image_one_volume_and_the_version_of_ray() -> None:
    job = yaml.safe_load((FOLDER / "rayjob.yaml").read_text(encoding="utf-8"))
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    head, (workers,) = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    pods = [group["template"]["spec"] for group in (head, workers)]
    (one,), (other,) = (pod["containers"] for pod in pods)
    for shared in ("image", "env", "volumeMounts"):
        assert one[shared] == other[shared]
    assert pods[0]["volumes"] == pods[1]["volumes"]
    assert other["resources"]["limits"]["nvidia.com/gpu"] == 8
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    assert f"FROM rayproject/ray:{cluster['rayVersion']}-" in page
    (mount,) = one["volumeMounts"]
    words = job["spec"]["entrypoint"].split()
    for option in ("--plan", "--out"):
        assert words[words.index(option) + 1].startswith(f"{mount['mountPath']}/")
