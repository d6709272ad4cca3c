"""The built package: its files, and its imports inside a project with folders of the same names."""

import importlib.util
import json
import os
import stat
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.builder.material import photo_folder

ROOT = Path(__file__).parents[1]
LINKED = {
    "providers": "providers",
    "scenarios": "scenarios",
    "tools": "tools",
    "published_data": "results/published",
}
"""Parts of `proactive_agent` that are links in the repository, and the folders they lead to."""

PACKAGES = ("providers", "scenarios", "tools")

OURS = """
import importlib
import proactive_agent
for name in (
    "__main__", "tools.phrases", "scenarios.builder.build", "providers.registry", "runs.runner",
    "play.conditions.registry", "reports.tables", "views.html.document", "exports", "cli.app",
):
    importlib.import_module(f"proactive_agent.{name}")
"""
THEIRS = """
import tools, providers, scenarios
from tools.hammer import NAME
assert (NAME, tools.NAME, providers.NAME, scenarios.NAME) == (
    "hammer", "their tools", "their providers", "their scenarios")
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Runs a program without this session's import path. Returns its standard output."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False,
        env={**environment, "NO_COLOR": "1", "COLUMNS": "100"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(source: Path, target: str, out: Path) -> Path:
    """Builds a wheel or an sdist of a source tree."""
    run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", out, cwd=source)
    (file,) = out.iterdir()
    return file


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of this checkout."""
    return built(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


class Environment:
    """A fresh virtual environment that sees this session's dependencies."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder)
        self.programs = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.programs / "python"
        base = {"base": str(folder), "platbase": str(folder)}
        self.packages = Path(sysconfig.get_path("purelib", vars=base))
        # A .pth file inside the added folder is not read, so this session's own installation of
        # the package cannot be imported there.
        self.add_path(Path(sysconfig.get_path("purelib")))

    def add_path(self, folder: Path) -> None:
        """Puts a folder at the end of the import path, as an editable installation does."""
        (self.packages / f"{folder.name}.pth").write_text(f"{folder}\n", encoding="utf-8")


@pytest.fixture(scope="session")
def from_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment(tmp_path_factory.mktemp("from-wheel"))
    run(
        sys.executable, "-m", "pip", "--python", environment.python, "install", "--quiet",
        "--no-deps", "--no-index", "--force-reinstall", wheel, cwd=wheel.parent,
    )  # fmt: skip
    return environment


@pytest.fixture(scope="session")
def from_checkout(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment(tmp_path_factory.mktemp("from-checkout"))
    environment.add_path(ROOT)
    return environment


@pytest.fixture(params=["from_wheel", "from_checkout"])
def installed(request: pytest.FixtureRequest) -> Environment:
    """The package installed from the wheel, and as a developer's checkout."""
    environment: Environment = request.getfixturevalue(request.param)
    return environment


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's project that has packages `tools`, `providers` and `scenarios`."""
    folder = tmp_path / "project"
    for name in PACKAGES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"NAME = 'their {name}'\n")
    (folder / "tools" / "hammer.py").write_text("NAME = 'hammer'\n")
    return folder


def files_of(wheel: Path) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(wheel) as content:
        return {entry.filename: entry for entry in content.infolist()}


def source_files() -> Iterator[str]:
    """The files that belong in the wheel, by their path in it."""
    folders = {"proactive_agent": "proactive_agent"}
    folders |= {f"proactive_agent/{link}": folder for link, folder in LINKED.items()}
    for top, folder in folders.items():
        for file in (ROOT / folder).rglob("*"):
            place = file.relative_to(ROOT / folder).as_posix()
            if file.is_file() and "__pycache__" not in place and "suite_build/" not in place:
                yield f"{top}/{place}"


def test_the_wheel_holds_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    packed = {name for name in files_of(wheel) if ".dist-info/" not in name}
    assert packed == set(source_files())


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 20_000_000


def test_linked_packages_are_ordinary_files_in_the_wheel(wheel: Path) -> None:
    packed = files_of(wheel)
    assert all((ROOT / "proactive_agent" / name).is_symlink() for name in LINKED)
    assert not [name for name, entry in packed.items() if stat.S_ISLNK(entry.external_attr >> 16)]


def test_an_installation_adds_one_import_name(from_wheel: Environment) -> None:
    names = {entry.name for entry in from_wheel.packages.iterdir()}
    added = {name for name in names if not name.endswith((".dist-info", ".pth"))}
    assert added == {"proactive_agent"}


def test_the_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = built(ROOT, "sdist", tmp_path / "sdist")
    with tarfile.open(sdist) as content:
        assert not [entry.name for entry in content if entry.issym() or entry.islnk()]
        content.extractall(tmp_path, filter="data")
    again = built(tmp_path / sdist.name.removesuffix(".tar.gz"), "wheel", tmp_path / "wheel")
    contents = [
        {name: entry.CRC for name, entry in files_of(file).items() if "/RECORD" not in name}
        for file in (wheel, again)
    ]
    assert contents[0] == contents[1]


@pytest.mark.parametrize("code", [OURS + THEIRS, THEIRS + OURS])
def test_a_project_keeps_its_own_packages(installed: Environment, project: Path, code: str) -> None:
    run(installed.python, "-c", code, cwd=project)


def test_the_program_runs_in_such_a_project(installed: Environment, project: Path) -> None:
    arguments = ("run", "--provider", "baseline:oracle", "--limit", "1", "--scenario", "rod")
    run(installed.python, "-m", "proactive_agent", *arguments, cwd=project)
    (folder,) = (project / "results").iterdir()
    assert len((folder / "episodes.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_the_console_script_runs_in_such_a_project(from_wheel: Environment, project: Path) -> None:
    printed = run(from_wheel.programs / "proactive-agent", "data", "--help", cwd=project)
    assert "Usage: proactive-agent data" in printed


def test_worker_processes_run_in_such_a_project(installed: Environment, project: Path) -> None:
    photos = photo_folder(project / "photos", each=1)
    run(
        installed.python, "-m", "proactive_agent", "build", photos, "--scenario", "rod",
        "--out", "scenes", "--workers", "2", cwd=project,
    )  # fmt: skip
    manifest = json.loads((project / "scenes" / "build.json").read_text(encoding="utf-8"))
    assert manifest["scenarios"]["rod"]["samples"] == 5


def test_objects_are_pickled_in_such_a_project(installed: Environment, project: Path) -> None:
    write = """
import pickle, tools, providers, scenarios
from proactive_agent.providers import Reply, Request
from proactive_agent.scenarios import DataFolder
from proactive_agent.tools import Answer
data = DataFolder()
sample = next(data.samples("rod"))
state = data.environment("rod", sample)
things = [Request, Reply("A cup."), Answer("A cup."), sample, state, state.observe()]
print(pickle.dumps(things).hex())
"""
    written = run(installed.python, "-c", write, cwd=project).strip()
    read = (
        "import pickle; "
        f"things = pickle.loads(bytes.fromhex('{written}')); "
        "print(*(type(thing).__name__ for thing in things))"
    )
    assert run(installed.python, "-c", read, cwd=project).split() == [
        "type", "Reply", "Answer", "Sample", "Rod", "Observation",
    ]  # fmt: skip


@pytest.mark.skipif(
    importlib.util.find_spec("inspect_ai") is None, reason="needs the extra `inspect`"
)
def test_inspect_finds_the_tasks_in_such_a_project(from_wheel: Environment, project: Path) -> None:
    # Without a usage in the output, Inspect would download a vocabulary to count its tokens.
    code = """
from inspect_ai import eval
from inspect_ai.model import ModelOutput, ModelUsage, get_model
output = ModelOutput.from_content("mockllm/model", "I do not know.")
output.usage = ModelUsage()
model = get_model("mockllm/model", custom_outputs=[output])
(log,) = eval("proactive_agent/rod", model=model, limit=1, display="none")
print(log.status, log.results.completed_samples)
"""
    assert run(from_wheel.python, "-c", code, cwd=project).split()[-2:] == ["success", "1"]
