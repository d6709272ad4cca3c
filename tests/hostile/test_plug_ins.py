"""Broken packages that declare a provider: commands name the package, the error and go on."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from tests.hostile.attacking import named, no_stall, refusal

BROKEN: list[tuple[str, str, str]] = [
    # name, source of the module `broken_module`, message
    ("no module", "", "ModuleNotFoundError"),
    ("no attribute", "pass", "AttributeError"),
    ("another library is missing", "import no_such_library", "No module named 'no_such_library'"),
    ("syntax", "def", "SyntaxError: "),
    ("null bytes", "x = '\0'", "SyntaxError: "),
    ("fails on import", "raise RuntimeError('no licence')", "RuntimeError: no licence"),
    ("fails with a key", "{}['x']", "KeyError: 'x'"),
    ("exits on import", "raise SystemExit(7)", "SystemExit: 7"),
    ("fails without words", "raise AssertionError", "AssertionError"),
    ("recursion", "def f(): f()\nf()", "RecursionError: "),
    ("no factory", "Broken = 3", "TypeError: "),
    ("wrong signature", "def Broken(): pass", "TypeError: "),
    ("factory fails", "def Broken(model, options): 1 / 0", "ZeroDivisionError: division by zero"),
    ("factory exits", "def Broken(model, options): raise SystemExit(0)", "SystemExit: 0"),
    ("no provider", "def Broken(model, options): return 3", "returned a int; expected a Provider"),
    (
        "library is missing late",
        "def Broken(model, options): import no_such_library",
        "No module named 'no_such_library'",
    ),
    (
        "cannot be looked at",
        "class Meta(type):\n"
        " def __getattr__(cls, name): raise RuntimeError('closed')\n"
        "class Broken(metaclass=Meta): pass",
        "RuntimeError: closed",
    ),
    (
        "escapes",
        "raise RuntimeError('\\x1b[2J\\x1b]0;title\\x07')",
        "RuntimeError: ",
    ),
    ("long", "raise RuntimeError('x' * 10**6)", "RuntimeError: xxx"),
]


def install(folder: Path, source: str, provider: str = "broken") -> None:
    """Makes an installed package of a module; without a source, the module is missing."""
    info = folder / "broken_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[proactive_agent.providers]\n{provider} = broken_module:Broken\n"
    )
    if source:
        (folder / "broken_module.py").write_text(source)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(__import__("sys").modules, "broken_module", raising=False)
    return folder


@pytest.mark.parametrize(("source", "told"), named(BROKEN))
def test_run_names_the_package_and_the_error(
    tmp_path: Path, packages: Path, source: str, told: str
) -> None:
    install(packages, source)
    results = tmp_path / "results"
    message = refusal("run", "--provider", "broken:x", "--scenario", "rod", "--out", results)
    assert "provider 'broken'" in message
    assert "broken-package 1.0" in message
    assert told in message
    assert "\x1b" not in message
    assert not results.exists()


@pytest.mark.parametrize(("source", "told"), named(BROKEN))
def test_the_list_of_providers_shows_the_others(packages: Path, source: str, told: str) -> None:
    install(packages, source)
    with no_stall():
        done = CliRunner().invoke(cli, ["providers"])
    assert done.exit_code == 0, done.exception
    assert "baseline" in done.stdout


def test_a_package_cannot_take_a_name_of_ours(tmp_path: Path, packages: Path) -> None:
    install(packages, "raise RuntimeError", provider="baseline")
    arguments = ["run", "--provider", "baseline:oracle", "--scenario", "rod", "--limit", "1"]
    done = CliRunner().invoke(cli, [*arguments, "--out", str(tmp_path / "results")])
    assert done.exit_code == 0, done.output
