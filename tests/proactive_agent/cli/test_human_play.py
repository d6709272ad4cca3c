"""`run --provider human`, with input from a terminal and from a pipe."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from proactive_agent.records.run_folder import RunFolder
from tests.proactive_agent.scripted import sample_of

RIGHT = str(3 + 1 + sample_of("rod").categories.index(sample_of("rod").answer))
"""Menu number of the right category, after left, right and free text."""


def command(results: Path, *options: str) -> list[str]:
    program = [sys.executable, "-m", "proactive_agent", "run", "--out", str(results)]
    return [
        *program,
        *(options or ("--provider", "human:ann", "--scenario", "rod", "--limit", "2")),
    ]


def play(lines: str, results: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(results, *options), input=lines, capture_output=True, text=True, timeout=120
    )


def only(results: Path) -> RunFolder:
    (folder,) = results.iterdir()
    return RunFolder(folder)


def lines_of(folder: RunFolder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in folder.episodes_file.read_text().splitlines()]


def test_a_person_plays_to_the_end(tmp_path: Path) -> None:
    played = play(f"1\n{RIGHT}\n8\n", tmp_path)
    assert played.returncode == 0, played.stderr
    folder = only(tmp_path)
    first, second = folder.episodes()
    assert [turn.action.kind for turn in first.turns] == ["intervention", "answer"]
    first_option = sample_of("rod").options[0]
    assert first.turns[0].action.argument == ("left" if "left" in first_option else "right")
    assert first.answer == sample_of("rod").answer
    assert second.turns[0].action.kind == "abstain"
    assert folder.read_manifest().provider == {"player": "ann"}
    for words in ("ann: 0 of 2 played", "1 of 2 played", "2 of 2 played", sample_of("rod").prompt):
        assert words in played.stderr
    assert "human:ann" in played.stdout
    for verdict in ("correct", "wrong"):
        assert verdict not in played.stderr, "a model is not told how well it does"


def test_at_the_end_of_input_what_is_finished_stays_and_goes_on(tmp_path: Path) -> None:
    left = play("8\n1\n", tmp_path)
    assert left.returncode == 1
    folder = only(tmp_path)
    assert f"the player has left; continue with: --resume {folder.path}" in left.stderr
    assert folder.read_manifest().status == "interrupted"
    (before,) = lines_of(folder)
    resumed = play("8\n", tmp_path, "--resume", str(folder.path))
    assert resumed.returncode == 0, resumed.stderr
    assert "ann: 1 of 2 played" in resumed.stderr
    assert lines_of(folder)[0] == before
    assert [line["sample_id"] for line in lines_of(folder)] == [0, 1]
    assert folder.read_manifest().status == "finished"


def test_the_picture_lies_in_a_file_while_it_is_asked_about(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stderr is not None
    shown = next(line for line in process.stderr if line.startswith("picture: "))
    file, width, height = re.fullmatch(r"picture: (.*)  (\d+) x (\d+)\n", shown).groups()
    deadline = time.monotonic() + 30
    while not Path(file).is_file() and time.monotonic() < deadline:
        time.sleep(0.01)
    with Image.open(file) as picture:
        assert picture.size == (int(width), int(height))
    process.communicate("8\n8\n", timeout=60)
    assert process.returncode == 0
    assert only(tmp_path).episodes().__next__().turns[0].image.size == (int(width), int(height))
    assert not Path(file).parent.exists()


def test_multiple_choice_numbers_the_options_that_a_model_sees(tmp_path: Path) -> None:
    options = ("--provider", "human", "--protocol", "mcqa", "--scenario", "rod", "--limit", "1")
    played = play("4\n", tmp_path, *options)
    assert played.returncode == 0, played.stderr
    (episode,) = only(tmp_path).episodes()
    (turn,) = episode.turns
    assert turn.reply.text == f"D. {turn.options[3]}"
    for number, option in enumerate(turn.options, 1):
        assert f"   {number}  {chr(64 + number)}. {option}\n" in played.stderr
    assert only(tmp_path).read_manifest().provider == {"player": "anonymous"}


def test_several_conditions_wait_for_the_person_to_come_back(tmp_path: Path) -> None:
    options = (
        "--provider",
        "human",
        "--scenario",
        "rod",
        "--limit",
        "1",
        "--condition",
        "hint,clear",
    )
    left = play("", tmp_path, *options)
    assert left.returncode == 1
    assert f"continue with: --resume {only(tmp_path).path}" in left.stderr
    assert "not started: human clear" in left.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_control_c_ends_at_once_and_says_how_to_go_on(tmp_path: Path) -> None:
    import pty

    terminal, end = pty.openpty()
    process = subprocess.Popen(
        command(tmp_path), stdin=end, stdout=subprocess.DEVNULL, stderr=end, start_new_session=True,
        preexec_fn=lambda: take_terminal(end),
    )  # fmt: skip
    os.close(end)
    read_until(terminal, b"your choice (1-8): ")
    os.write(terminal, b"8\n")
    read_until(terminal, b"your choice (1-8): ")
    os.write(terminal, b"\x03")
    shown = read_until(terminal, b"continue with: --resume ")
    assert b"interrupted" in shown
    assert process.wait(30) == 130
    os.close(terminal)
    folder = only(tmp_path)
    assert folder.read_manifest().status == "interrupted"
    assert len(lines_of(folder)) == 1


def take_terminal(end: int) -> None:
    """Makes the pseudo-terminal the controlling one, so that its Ctrl-C reaches the process."""
    import fcntl
    import termios

    fcntl.ioctl(end, termios.TIOCSCTTY, 0)


def read_until(terminal: int, words: bytes) -> bytes:
    """Returns the output up to and including a text."""
    import select

    shown = b""
    deadline = time.monotonic() + 60
    while words not in shown and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                shown += os.read(terminal, 4096)
            except OSError:
                break
    assert words in shown, shown
    return shown
