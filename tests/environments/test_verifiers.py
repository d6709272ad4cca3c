"""environments/proactive: its evaluation command plays with pictures in every turn.

The environment has its own virtual environment, because verifiers needs other versions of libraries
than the extras of this program.
"""

import json
import os
import subprocess
import tomllib
from pathlib import Path

from tests.environments.fake_chat import fake_chat
from tests.providers.peers import environment_for, pip_install

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "environments" / "proactive"


def needed() -> list[str]:
    """The requirements of the environment and those of this program."""
    own, program = (
        tomllib.loads((folder / "pyproject.toml").read_text())["project"]["dependencies"]
        for folder in (PACKAGE, ROOT)
    )
    return [*(one for one in own if not one.startswith("proactive-agent")), *program]


def test_the_evaluation_command_plays_with_pictures_in_every_turn(tmp_path: Path) -> None:
    packages = needed()
    environment = environment_for(
        "verifiers", " ".join(packages), lambda folder: pip_install(folder, *packages)
    )
    evaluate = "import sys; from verifiers.v1.cli.eval.main import main; sys.exit(main())"
    for number in range(3):  # On a busy machine, verifiers can give up before its server answers.
        with fake_chat() as (url, pictures):
            done = subprocess.run(
                [str(environment / "bin" / "python"), "-c", evaluate, "proactive", "-m", "scripted",
                 "--client.base-url", url, "--client.api-key-var", "SCRIPTED_KEY", "--no-push",
                 "--no-rich", "-n", "2", "-c", "1", "-o", f"out-{number}"],
                cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False,
                env={**os.environ, "SCRIPTED_KEY": "none", "PYTHONPATH": f"{PACKAGE}:{ROOT}",
                     "PATH": f"{environment / 'bin'}:{os.environ['PATH']}"},  # for uv
            )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        if len(pictures) == 4:
            break
        print(done.stdout[-6000:], done.stderr[-3000:])
    # Each episode: the first picture, then that and the one after the suggestion.
    assert [len(one) for one in pictures] == [1, 2, 1, 2]
    assert pictures[1][0] == pictures[0][0] != pictures[1][1]
    (file,) = tmp_path.glob(f"out-{number}/*/traces.jsonl")
    traces = [json.loads(line)["traces"][0] for line in file.read_text().splitlines()]
    assert len(traces) == 2
    for trace in traces:
        record = trace["info"]["record"]
        assert [turn["action"]["kind"] for turn in record["turns"]] == ["intervention", "answer"]
        rewards = {name: one["score"] for name, one in trace["rewards"].items()}
        right = record["outcome"]["correct"]
        assert (rewards["category"], rewards["suggestion"]) == ((1, 0) if right else (0, 0.5))
