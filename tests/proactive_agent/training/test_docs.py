"""The commands and options in `docs/training.md` exist."""

import json
import re
import shlex
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="needs the extra `train`")

from accelerate.commands.launch import launch_command_parser

from proactive_agent.cli.app import cli
from proactive_agent.cli.train import settings_of
from proactive_agent.training.arguments import grpo_arguments, sft_arguments

TEXT = (Path(__file__).parents[3] / "docs" / "training.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"^```bash\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
TRAINED = re.findall(r"^(.*-m proactive_agent train .*)$", SHELL, re.MULTILINE)
CONFIGURATION = re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("line", TRAINED)
def test_every_training_command_in_the_docs_is_valid(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (text,) = CONFIGURATION
    assert json.loads(text)["zero_optimization"]["stage"] == 3
    Path("zero3.json").write_text(text)
    launch, _, options = line.partition("-m proactive_agent train ")
    processes = launched(launch)
    given = cli.commands["train"].make_context("train", shlex.split(options)).params
    if given.pop("resume"):
        return
    out = given.pop("out")
    given.pop("dry_run")
    settings = settings_of(**given)
    make = grpo_arguments if settings.method == "grpo" else sft_arguments
    assert make(settings, out, processes=processes, gpu=True, evaluates=False)


def launched(words: str) -> int:
    """Returns the number of processes that a launch command starts, by accelerate's parser."""
    given = [word for word in shlex.split(words) if not re.match(r"[A-Z_]+=", word)]
    if given == ["python"]:
        return 1
    assert given[:2] == ["accelerate", "launch"]
    parser = launch_command_parser()
    return int(parser.parse_args([*given[2:], "-m", "proactive_agent"]).num_processes)


def test_every_option_that_is_named_exists() -> None:
    known = {name for option in cli.commands["train"].params for name in option.opts}
    named = set(re.findall(r"`(--[a-z-]+)", TEXT))
    assert named
    assert not named - known
