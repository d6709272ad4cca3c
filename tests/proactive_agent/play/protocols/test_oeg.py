"""Open-ended questions: prompts, judged replies and their actions."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.play.budget import Budget, BudgetSpentError
from proactive_agent.play.conditions import parse_condition
from proactive_agent.play.episode import Play, play_episode
from proactive_agent.play.judges import Judge
from proactive_agent.play.judges.model import SAMPLING, ModelJudge
from proactive_agent.play.judges.prompts import OwnPrompt
from proactive_agent.play.judges.rules import RulesJudge
from proactive_agent.play.protocols import Oeg
from proactive_agent.providers import (
    Provider,
    ProviderError,
    Reply,
    TextPart,
    Usage,
    create_provider,
)
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Settings
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.scenarios import OWN, SCENARIOS, DataFolder, Sample
from proactive_agent.tools import UserError
from proactive_agent.tools.catalogue import INTERVENTIONS
from proactive_agent.tools.phrases import requests_in
from proactive_agent.tools.request_words import REQUESTS
from tests.proactive_agent.running import play_new, play_run, prepare_run
from tests.proactive_agent.scripted import Scripted, sample_of, write_lines

MULTI = Oeg(multi_turn=True)


def play(
    scenario: str,
    provider: Provider,
    protocol: Oeg = MULTI,
    judge: Judge | None = None,
    condition: str = "zero-shot",
    sample: Sample | None = None,
    **more: Any,
) -> EpisodeRecord:
    conditions = parse_condition(condition, "oeg")
    judge = judge or RulesJudge()
    setup = Play(DataFolder(), provider, protocol, conditions, judge=judge, **more)
    return asyncio.run(play_episode(setup, scenario, sample or sample_of(scenario)))


def once(scenario: str, reply: str, **more: Any) -> EpisodeRecord:
    return play(scenario, Scripted(reply), Oeg(), **more)


def met(episode: EpisodeRecord, turn: int = 0) -> list[bool]:
    judgement = episode.turns[turn].judgement
    assert judgement is not None
    return [answer.met for answer in judgement.answers]


def model(*replies: Any) -> ModelJudge:
    return ModelJudge("scripted:x", Scripted(*replies), OwnPrompt())


class Expensive(Scripted):
    charges = True


# Prompts -----------------------------------------------------------------------------------------


def test_the_question_alone_is_asked() -> None:
    provider = Scripted("Hm.")
    episode = play("vsod", provider, Oeg())
    question = f"{OWN.prefixes['vsod']} {sample_of('vsod').prompt}"
    (turn,) = episode.turns
    assert (turn.prompt, turn.options, turn.tools) == (question, [], [])
    (request,) = provider.requests
    assert request.tools == ()
    assert [p.text for p in request.messages[0].content if isinstance(p, TextPart)] == [question]


def test_the_hint_is_the_open_ended_one() -> None:
    episode = once("rod", "Hm.", condition="hint")
    assert episode.turns[0].prompt == f"{sample_of('rod').prompt} {OWN.open_ended_hint}"


def test_several_turns_are_asked_afresh() -> None:
    provider = Scripted("Please wait.", "A horse.")
    play("vsod", provider)
    assert [len(request.messages) for request in provider.requests] == [1, 1]


# Single turn -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "reply", "cc", "ps", "stop"),
    [
        ("vsod", "It is a horse.", True, False, "answered"),
        ("vsod", "It's a horse. Please rewind to make sure.", True, True, "answered"),
        ("vsod", "Let the video play on.", False, True, "turn_limit"),
        ("vsod", "Could you film it from another angle?", False, True, "turn_limit"),
        ("vsod", "It is a deer.", False, False, "answered"),
        ("vsod", "I can't tell.", False, False, "abstained"),
        ("vsod", "Denoise the picture.", False, False, "invalid"),
        ("vsod", "What a nice day.", False, False, "invalid"),
        ("vsod", " ", False, False, "invalid"),
        ("rod", "Cat.", False, False, "answered"),
        ("mvp-n", "Piano.", False, False, "answered"),
        ("mvp-n", "Please rotate the piano.", False, True, "turn_limit"),
        ("imagenet-c", "Deblur it.", False, False, "invalid"),
        ("imagenet-c", "Fix the contrast.", False, True, "turn_limit"),
    ],
)
def test_what_a_reply_comes_to(scenario: str, reply: str, cc: bool, ps: bool, stop: str) -> None:
    episode = once(scenario, reply)
    judgement = episode.turns[0].judgement
    assert judgement is not None
    kinds = {answer.kind for answer in judgement.answers if answer.met}
    assert (("category" in kinds), ("proactive" in kinds)) == (cc, ps)
    # acc follows the verdict on the category, not the wider agg.
    assert (episode.outcome.correct, episode.outcome.stop) == (cc, stop)
    assert (episode.turns[0].verdict.suggestion == "correct") is ps
    assert (episode.outcome.turns, episode.outcome.suggestions) == (1, int(ps))


def test_the_record_holds_what_another_judge_needs() -> None:
    judgement = once("imagenet-c", "Hm.").turns[0].judgement
    assert judgement is not None
    assert judgement.other_categories == ["Squirrel", "Cat", "Panda"]
    assert [a.model_dump() for a in judgement.answers] == [
        {"text": "Correct the contrast", "kind": "proactive", "met": False,
         "tool": "enhance_image", "argument": "contrast"},
        {"text": "Hen", "kind": "category", "met": False, "tool": None, "argument": None},
    ]  # fmt: skip


def test_asking_on_the_clear_frame_is_met_and_wrong() -> None:
    episode = once("rod", "Move the blocks to the left.", condition="clear")
    assert met(episode) == [True, False, False]
    (turn,) = episode.turns
    assert (turn.action.tool, turn.verdict.suggestion) == ("move_object", "wrong")
    assert episode.outcome.stop == "invalid"
    right = once("rod", "A cat.", condition="clear")
    assert right.outcome.correct


def test_thinking_is_no_reply() -> None:
    episode = once("vsod", "<think>Maybe I should rewind.</think>A horse.")
    assert met(episode) == [False, False, False, True]
    assert episode.turns[0].reply.text.startswith("<think>")


# Several turns -----------------------------------------------------------------------------------


def test_thinking_that_used_up_the_tokens_is_cut_off() -> None:
    thoughts = Reply("<think>It might be", finish_reason="length")
    episode = play("vsod", Scripted(thoughts), Oeg())
    assert episode.turns[0].action.why == "cut_off"
    assert not episode.outcome.correct


def test_what_is_possible_is_done() -> None:
    sample = sample_of("rod")
    ask = ["Move the blocks to the right."] * 3
    episode = play("rod", Scripted(*ask, "It's a cat."))
    assert [turn.action.argument for turn in episode.turns] == ["right", "right", "right", None]
    frames = [int(turn.image.path.split("/")[-1].split(".")[0]) for turn in episode.turns]
    expected = [(sample.first_image + step) % sample.num_images for step in range(4)]
    assert frames == expected
    assert episode.outcome.correct
    assert not any(turn.action.mapped for turn in episode.turns)


def test_a_valid_wish_that_cannot_be_done_here_is_mapped_to_one_that_can() -> None:
    replies = ["Please move the camera."] * 8
    episode = play("vsod", Scripted(*replies))
    actions = [turn.action for turn in episode.turns]
    assert all(action.mapped for action in actions)
    assert {(action.tool, action.argument) for action in actions} == {
        ("seek_video", "rewind"), ("seek_video", "wait"),
    }  # fmt: skip
    assert {turn.verdict.suggestion for turn in episode.turns} == {"correct"}
    again = play("vsod", Scripted(*replies))
    assert [turn.action for turn in again.turns] == actions
    other = play("vsod", Scripted(*replies), seed=1)
    assert [turn.action for turn in other.turns] != actions


def test_what_is_not_valid_ends_the_episode() -> None:
    episode = play("vsod", Scripted("Please denoise the picture."))
    assert (episode.outcome.stop, episode.outcome.turns) == ("invalid", 1)


def test_in_the_last_turn_a_wish_can_no_longer_be_granted() -> None:
    count = sample_of("mvp-n").num_images
    episode = play("mvp-n", Scripted(*["Rotate the object."] * count))
    assert (episode.outcome.stop, episode.outcome.turns) == ("turn_limit", count)
    last = episode.turns[-1]
    assert (last.action.mapped, last.verdict.suggestion) == (False, "wrong")


def test_a_name_in_the_first_turn_of_rod_counts_for_nothing() -> None:
    episode = play("rod", Scripted("It's a cat."))
    assert (episode.outcome.correct, episode.answer) == (False, "Cat.")


# A model as the judge ----------------------------------------------------------------------------


def test_its_verdicts_decide_and_rules_find_what_is_asked_for() -> None:
    judge = model("[false, false, false, true]")
    episode = once("vsod", "An Equus caballus, methinks.", judge=judge)
    assert episode.outcome.correct
    # The rules alone would have accepted this.
    refused = once("vsod", "Please rewind.", judge=model("[false, false, false, false]"))
    assert refused.turns[0].action.tool == "ask_clarification"
    vague = play("vsod", Scripted("Later!", "Hm."), judge=model("[1, 0, 0, 0]", "[0, 0, 0, 0]"))
    first = vague.turns[0].action
    assert (first.argument, first.mapped, first.question) == ("wait", False, "Later!")


def test_it_is_asked_for_texts_alone_and_greedily() -> None:
    judge = Scripted("[false, false, false, true]")
    once("vsod", "A horse.", judge=ModelJudge("scripted:x", judge, OwnPrompt()))
    (request,) = judge.requests
    assert request.key[:3] == ("vsod", 0, 0)
    assert (request.sampling, request.sampling.temperature) == (SAMPLING, 0)
    assert request.system
    assert [type(part) for part in request.messages[0].content] == [TextPart]


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("I would rather not.", "there is no list of verdicts"),
        ("[true, true]", "2 verdicts for 4 answers"),
        ("<think>It says [true, true, true, true]", "there is no list of verdicts"),
        (
            Reply("[true, true, true, true]", finish_reason="length"),
            "cut off at its token limit",
        ),
        ("", "there is no list of verdicts"),
        ("\ud800[true]", "1 verdicts for 4 answers"),
    ],
)
def test_verdicts_that_cannot_be_read_are_none(reply: Any, problem: str) -> None:
    episode = once("vsod", "A horse.", judge=model(reply))
    judgement = episode.turns[0].judgement
    assert judgement is not None
    assert problem in (judgement.problem or "")
    assert met(episode) == [False] * 4
    assert episode.error is None
    assert not episode.outcome.correct
    episode.model_dump_json()


def test_a_judge_that_cannot_be_asked_is_an_error_of_its_own() -> None:
    episode = once("vsod", "A horse.", judge=model(ProviderError("timeout", "no answer in 60 s")))
    assert episode.error is not None
    assert episode.error.model_dump() == {
        "source": "judge", "kind": "timeout", "message": "no answer in 60 s",
    }  # fmt: skip
    assert episode.outcome.stop == "error"
    assert episode.turns == []


def test_what_it_costs_is_its_own_and_counts_toward_the_budget() -> None:
    usage = Usage(input_tokens=300, output_tokens=20, cost_usd=0.25)
    asked = Expensive(Reply("[false, false, false, true]", usage=usage))
    budget = Budget(1.0)
    judge = ModelJudge("scripted:x", asked, OwnPrompt())
    episode = once("vsod", "A horse.", judge=judge, budget=budget)
    judgement = episode.turns[0].judgement
    assert judgement is not None
    assert (judgement.usage.input_tokens, judgement.usage.cost_usd) == (300, 0.25)
    assert episode.usage.input_tokens is None
    assert budget.spent == 0.25


def test_no_judge_is_asked_beyond_the_budget() -> None:
    budget = Budget(0.1)
    budget.add(0.1)
    judge = ModelJudge("scripted:x", Expensive("[0, 0, 0, 1]"), OwnPrompt())
    with pytest.raises(BudgetSpentError):
        once("vsod", "A horse.", judge=judge, budget=budget)


def test_a_budget_needs_to_know_what_the_judge_costs() -> None:
    judge = ModelJudge("scripted:x", Expensive("[0, 0, 0, 1]"), OwnPrompt())
    with pytest.raises(UserError, match="those of the judge are unknown"):
        once("vsod", "A horse.", judge=judge, budget=Budget(1.0))


def test_an_episode_keeps_back_what_its_judge_will_cost() -> None:
    usage = Usage(cost_usd=0.4)
    asked = Expensive(Reply("[false, false, false, true]", usage=usage))
    budget = Budget(1.0)
    budget.begin()
    judge = ModelJudge("scripted:x", asked, OwnPrompt())
    budget.end(once("vsod", "A horse.", judge=judge, budget=budget))
    budget.begin()
    with pytest.raises(BudgetSpentError):
        budget.begin()


# Baselines ---------------------------------------------------------------------------------------


def bits(baseline: str, scenario: str, protocol: Oeg) -> Sequence[tuple[bool, bool, bool]]:
    """Returns cc, ps and acc of every sample."""
    provider = create_provider(f"baseline:{baseline}")
    found = []
    for sample in DataFolder().samples(scenario):
        episode = play(scenario, provider, protocol, sample=sample)
        judgement = episode.turns[0].judgement
        assert judgement is not None
        kinds = {answer.kind for answer in judgement.answers if answer.met}
        found.append(("category" in kinds, "proactive" in kinds, episode.outcome.correct))
    return found


def test_every_request_of_a_baseline_is_understood_as_what_it_is() -> None:
    every = {(tool, v) for tool, (_, values) in INTERVENTIONS.items() for v in values or (None,)}
    assert {(one.tool, one.argument) for one in REQUESTS} == every
    for intervention, text in REQUESTS.items():
        assert requests_in(text) == [intervention]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_oracle_asks_once_and_is_right_in_the_end(scenario: str) -> None:
    assert set(bits("oracle", scenario, Oeg())) == {(False, True, False)}
    assert {acc for _, _, acc in bits("oracle", scenario, MULTI)} == {True}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_who_never_asks_names_and_who_always_asks_does_not(scenario: str) -> None:
    for cc, ps, acc in bits("never-ask", scenario, Oeg()):
        assert not ps
        assert cc is acc
    asking = bits("always-ask", scenario, Oeg())
    assert not any(cc or acc for cc, _, acc in asking)
    # One of the four enhancements on offer is valid.
    assert all(ps for _, ps, _ in asking) is (scenario != "imagenet-c")


def test_some_guesses_are_right_where_the_frame_can_tell() -> None:
    assert any(cc for cc, _, _ in bits("never-ask", "vsod", Oeg()))
    assert not any(cc for cc, _, _ in bits("never-ask", "rod", Oeg()))


# Runs --------------------------------------------------------------------------------------------


def settings(**more: Any) -> Settings:
    fields = {"provider": "baseline:oracle", "scenarios": ("vsod",), "protocol": "oeg", **more}
    return Settings(**fields)


def test_a_failed_judge_is_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "judge.jsonl"
    verdict = {"scenario": "vsod", "replies": ["[false, false, false, true]"]}
    write_lines(file, [verdict | {"sample_id": 1}])
    folder = play_new(settings(judge=f"replay:{file}"), tmp_path / "results")
    first = {episode.sample_id: episode for episode in folder.episodes()}
    assert len(first) == 26
    assert [sample_id for sample_id, e in first.items() if e.error is None] == [1]
    assert {e.error.source for e in first.values() if e.error} == {"judge"}
    write_lines(file, [verdict | {"sample_id": number} for number in range(26)])
    play_run(PlannedRun.resumed(folder))
    again = list(folder.episodes())
    assert len(again) == 26
    assert [episode.error for episode in again] == [None] * 26
    assert folder.episodes_file.read_bytes().count(b"\n") == 26 + 25


def test_samples_are_drawn_as_published(tmp_path: Path) -> None:
    import random

    prepared = prepare_run(settings(limit=5), tmp_path)
    asked = [episode.sample.id for episode in prepared.episodes_left()]
    every = list(DataFolder().samples("vsod"))
    random.seed(0)
    random.shuffle(every)
    assert asked == [sample.id for sample in every[:5]]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"judge": "baseline:random"}, "baseline picks an option and cannot judge"),
        ({"judge": "human"}, "human picks an option and cannot judge"),
        ({"judge": "nonsense"}, "expected NAME:MODEL"),
        ({"judge_prompt": "official"}, "--judge-prompt official asks a model"),
        ({"judge": "replay:x", "judge_prompt": "official"}, "needs the protocol pack"),
    ],
)
def test_a_judge_that_cannot_be_is_refused(
    more: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        prepare_run(settings(**more), tmp_path)
