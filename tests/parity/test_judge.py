"""Compares the official judge's prompt and the reading of its verdicts with the package."""

import asyncio
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.judges import Case
from proactive_agent.play.judges.model import ModelJudge
from proactive_agent.play.judges.prompts import OfficialPrompt, UnreadableError
from proactive_agent.play.protocols import Oeg
from proactive_agent.providers import Provider, Reply, Request, TextPart
from proactive_agent.scenarios import SCENARIOS, AcceptedAnswer, DataFolder
from proactive_agent.scenarios.protocol_pack import write_pack
from proactive_agent.tools import Intervention
from tests.parity.generate import random_sample
from tests.parity.test_parity import (
    drive,
    entries_of,
    reference_python,  # noqa: F401  # a fixture
)

PER_SCENARIO = 60
OUTPUTS = 6000
DRIVER = Path(__file__).with_name("reference_judge.py")
PIECES = (
    "0", "1", "0", "1", "0,1", "1, 0", "0,0,1", "1,0,0,1", "0 , 1", "1,\n0", ",", ", ", " ", "\n",
    "\t", "\u00a0", "\N{ARABIC-INDIC DIGIT ONE}", "10", "0.1", "[", "]", "bits: ", "answer 1:", "²",
    "", "</think>", "-1", "1,0,",
)  # fmt: skip


class Sayer(Provider):
    """Gives one fixed reply per sample and an empty judgement; keeps its requests."""

    needs_images: ClassVar[bool] = False

    def __init__(self, replies: dict[Any, str]) -> None:
        self.replies = replies
        self.requests: dict[Any, Request] = {}

    async def complete(self, request: Request) -> Reply:
        key = request.key.scenario, request.key.sample_id
        self.requests[key] = request
        return Reply(self.replies.get(key, ""))


@pytest.fixture(scope="module")
def folder(official_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns random samples with the pack; the videos of `changeit` begin at their first frame.

    In other frames the published list names "rewind" twice, and this program names it once.
    """
    folder = tmp_path_factory.mktemp("judge")
    for number, scenario in enumerate(SCENARIOS.values()):
        rng = random.Random(1000 + number)
        samples = [random_sample(scenario.stem, index, rng) for index in range(PER_SCENARIO)]
        if scenario.name == "changeit":
            samples = [sample | {"first_image": 0} for sample in samples]
        lines = "".join(json.dumps(sample) + "\n" for sample in samples)
        (folder / f"{scenario.stem}_preprocessed.jsonl").write_text(lines)
    write_pack(folder, official_wheel)
    return folder


@pytest.mark.parametrize("condition", ["zero-shot", "hint"])
def test_the_judge_is_asked_as_published(
    condition: str,
    reference_python: str,  # noqa: F811
    folder: Path,
    official_wheel: Path,
) -> None:
    data = DataFolder(folder, unfiltered=True)
    entries = entries_of(folder)
    rng = random.Random(condition)
    said = {key: f"It's {{{rng.random()}}}, 'or' \"not\".\nMove it? \n" for key in entries}
    judge = Sayer({})
    play = Play(
        data,
        Sayer(said),
        Oeg(),
        parse_condition(condition, "oeg"),
        judge=ModelJudge("scripted:x", judge, OfficialPrompt(data.wording)),
    )
    for scenario in SCENARIOS:
        for sample in data.samples(scenario):
            episode = asyncio.run(play_episode(play, scenario, sample))
            assert episode.error is None, episode.error
    hint = f" {data.wording.open_ended_hint}" if condition == "hint" else ""
    lines = [
        {"stem": SCENARIOS[key[0]].stem, "entry": entry, "hint": hint, "reply": said[key]}
        for key, entry in entries.items()
    ]
    published = drive(reference_python, official_wheel, folder / "unpacked", lines, DRIVER)
    differing = [
        key
        for key, theirs in zip(entries, published, strict=True)
        if _messages(judge.requests[key]) != theirs["messages"]
    ]
    assert differing == []


def test_verdicts_are_read_as_published(
    reference_python: str,  # noqa: F811
    folder: Path,
    official_wheel: Path,
) -> None:
    prompt = OfficialPrompt(DataFolder(folder).wording)
    rng = random.Random(0)
    cases = [_random_case(rng) for _ in range(OUTPUTS)]
    raw = [_random_output(rng, case) for case in cases]
    lines = [
        {"answers": _listed(case), "raw": text, "title": SCENARIOS[case.scenario].title}
        for case, text in zip(cases, raw, strict=True)
    ]
    published = drive(reference_python, official_wheel, folder / "unpacked", lines, DRIVER)
    ours = [_read(prompt, case, text) for case, text in zip(cases, raw, strict=True)]
    differing = [
        (text, _listed(case), mine, theirs)
        for text, case, mine, theirs in zip(raw, cases, ours, published, strict=True)
        if mine != theirs
    ]
    assert differing == []
    # At least a third of the outputs must contain verdicts; otherwise the test compares zeros.
    assert sum(result["aggregate"] for result in published) > OUTPUTS / 4


def _messages(request: Request) -> list[dict[str, str]]:
    (part,) = request.messages[0].content  # type: ignore[union-attr]
    assert isinstance(part, TextPart)
    return [
        {"content": request.system, "role": "system"},
        {"content": part.text, "role": "user"},
    ]


def _random_case(rng: random.Random) -> Case:
    """Returns as many answers as the scenario has, some with commas and full stops."""
    scenario = rng.choice(list(SCENARIOS))
    counts = {"rod": (2, 0), "vsod": (3, 1), "mvp-n": (2, 0), "imagenet-c": (1, 1),
              "quickdraw": (1, 1), "changeit": (2, 1), "coco": (2, 1)}  # fmt: skip
    proactive, categories = counts[scenario]
    texts = ("Wait", "Wait for it, then go on", "St. Bernard", "a, b, c", "Dog")
    answers = [AcceptedAnswer(rng.choice(texts), Intervention("x")) for _ in range(proactive)]
    answers += [AcceptedAnswer(rng.choice(texts)) for _ in range(categories)]
    if not categories:
        # The published lists without a category contain no commas.
        answers = [AcceptedAnswer("Wait", Intervention("x"))] * proactive
    return Case(scenario, "", tuple(answers), (), "")


def _random_output(rng: random.Random, case: Case) -> str:
    text = "".join(rng.choices(PIECES, k=rng.randrange(12)))
    if rng.random() < 0.7:
        count = len(_listed(case).split(",")) + rng.choice((0, 0, 0, 0, 1, -1))
        text += "\n" + rng.choice((",", ", ", " ,")).join(rng.choices("01", k=max(1, count)))
    return text


def _listed(case: Case) -> str:
    return ", ".join(answer.text.replace(".", "") for answer in case.answers) + "."


def _read(prompt: OfficialPrompt, case: Case, text: str) -> dict[str, int]:
    try:
        met: Sequence[bool] = prompt.read(text, case)
    except UnreadableError:
        met = [False] * len(case.answers)
    kinds = {answer.kind for answer, given in zip(case.answers, met, strict=True) if given}
    return {
        "proactive_suggestion": int("proactive" in kinds),
        "category_prediction": int("category" in kinds),
        "aggregate": int(bool(kinds)),
    }
