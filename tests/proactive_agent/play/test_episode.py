import asyncio
import json
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from proactive_agent.play.protocols import AskedTurn, TurnReading
from proactive_agent.play.seeds import derive_seed
from proactive_agent.providers import (
    AssistantMessage,
    ImagePart,
    ProviderError,
    Reply,
    ToolMessage,
    UserMessage,
    create_provider,
)
from proactive_agent.scenarios import OWN, SCENARIOS, DataFolder, Verdicts
from proactive_agent.tools import Abstain, ToolCall, UserError
from proactive_agent.tools.texts import ASKED_BACK, INSTRUCTION, NOT_POSSIBLE
from tests.proactive_agent.scripted import (
    Mcqa,
    Scripted,
    Sightless,
    ToolUse,
    call,
    play,
    sample_of,
    texts,
    write_lines,
)

T = TypeVar("T")


def go(episode: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(episode)


LEFT = call("move_object", direction="left")


def right_answer(scenario: str) -> Reply:
    return call("answer", category=sample_of(scenario).answer.removesuffix("."))


# The conversation of the tools protocol ----------------------------------------------------------


def test_tools_go_on_with_the_conversation_and_show_the_new_picture() -> None:
    provider = Scripted(LEFT, right_answer("rod"))
    episode = go(play("rod", provider))
    question, reply, result = provider.requests[1].messages
    assert isinstance(question, UserMessage)
    assert isinstance(reply, AssistantMessage)
    assert reply.tool_calls == LEFT.tool_calls
    assert isinstance(result, ToolMessage)
    assert result.call == LEFT.tool_calls[0]
    first, second = (
        part for m in (question, result) for part in m.content if isinstance(part, ImagePart)
    )
    assert first.key != second.key
    assert episode.outcome.model_dump() == {
        "correct": True, "stop": "answered", "suggestions": 1, "turns": 2,
    }  # fmt: skip


def test_the_result_says_what_the_user_did_in_the_samples_words() -> None:
    provider = Scripted(LEFT, right_answer("rod"))
    go(play("rod", provider))
    wording = next(o for o in sample_of("rod").options if "to the left" in o)
    assert wording.removesuffix(".") in texts(provider.requests[1])[-1]


def test_the_first_prompt_is_the_question_and_the_instruction() -> None:
    provider = Scripted(right_answer("rod"))
    episode = go(play("rod", provider))
    assert episode.turns[0].prompt == f"{sample_of('rod').prompt}\n{INSTRUCTION}"
    assert texts(provider.requests[0]) == [episode.turns[0].prompt]


def test_stateless_asks_each_turn_afresh() -> None:
    provider = Scripted(LEFT, right_answer("rod"))
    go(play("rod", provider, condition="stateless"))
    assert [len(request.messages) for request in provider.requests] == [1, 1]
    assert texts(provider.requests[0]) == texts(provider.requests[1])


def test_a_request_in_words_gets_its_answer_as_a_message_of_the_user() -> None:
    provider = Scripted("Please push the wall to the left.", right_answer("rod"))
    episode = go(play("rod", provider))
    assert isinstance(provider.requests[1].messages[-1], UserMessage)
    action = episode.turns[0].action
    assert (action.kind, action.tool, action.argument) == ("intervention", "move_object", "left")
    assert action.question == "Please push the wall to the left."
    assert episode.turns[0].via == "text"


def test_a_message_that_names_one_category_is_an_answer() -> None:
    episode = go(play("rod", Scripted(LEFT, f"It is: {sample_of('rod').answer}")))
    assert episode.outcome.correct
    assert episode.answer == sample_of("rod").answer


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_tools_of_the_state_are_those_of_the_options(scenario: str) -> None:
    provider = Scripted(right_answer(scenario))
    go(play(scenario, provider))
    offered = {tool.name for tool in provider.requests[0].tools}
    own = {i.tool for i in SCENARIOS[scenario].keywords.values()}
    assert offered == own | {"ask_clarification", "answer", "abstain"}


def test_the_reference_condition_offers_the_answer_alone() -> None:
    provider = Scripted(right_answer("rod"))
    episode = go(play("rod", provider, condition="reference"))
    assert [tool.name for tool in provider.requests[0].tools] == ["answer"]
    assert episode.turns[0].prompt.startswith(OWN.reference_questions["rod"])
    assert episode.outcome.correct
    assert episode.fewest is None


def test_the_random_toolset_offers_nothing_that_helps() -> None:
    provider = Scripted(call("seek_video", direction="wait"))
    episode = go(play("rod", provider, ToolUse("random")))
    assert "move_object" not in {tool.name for tool in provider.requests[0].tools}
    assert episode.turns[0].verdict.suggestion == "wrong"
    assert episode.outcome.stop == "invalid"


def test_a_tool_of_another_scenario_does_not_apply() -> None:
    episode = go(play("rod", Scripted(call("add_details")), ToolUse("all")))
    assert episode.turns[0].action.tool == "add_details"
    assert episode.outcome.stop == "invalid"
    assert episode.outcome.suggestions == 0


# The simulated user ------------------------------------------------------------------------------


def ask(question: str) -> Reply:
    return call("ask_clarification", question=question)


def test_the_user_chooses_a_direction_that_the_question_leaves_open() -> None:
    episode = go(play("rod", Scripted(ask("Could you move the block?"), right_answer("rod"))))
    action = episode.turns[0].action
    assert action.tool == "move_object"
    assert action.mapped
    assert episode.outcome.correct


@pytest.mark.parametrize(
    ("question", "direction"),
    [
        ("Move the block to the right, or else to the left.", "right"),
        ("Move the block left or right.", "left"),
        ("Please push it to the right. If that does not help, push it to the left.", "right"),
    ],
)
def test_the_user_does_the_first_thing_that_a_question_names(question: str, direction: str) -> None:
    action = go(play("rod", Scripted(ask(question), right_answer("rod")))).turns[0].action
    assert (action.tool, action.argument, action.mapped) == ("move_object", direction, False)


@pytest.mark.parametrize(
    "question",
    ["Move the camera, or the block.", "Rewind the video, or push the block to the left."],
)
def test_a_first_thing_that_cannot_be_done_here_ends_the_episode(question: str) -> None:
    episode = go(play("rod", Scripted(ask(question))))
    assert episode.turns[0].verdict.suggestion == "wrong"
    assert episode.outcome.stop == "invalid"


VAGUE = "Can you show me the object more clearly, please?"


def test_the_user_asks_back_on_a_vague_question_and_the_episode_goes_on() -> None:
    provider = Scripted(ask(VAGUE), LEFT, right_answer("rod"))
    episode = go(play("rod", provider))
    first, second, _ = episode.turns
    assert texts(provider.requests[1])[-1] == ASKED_BACK
    assert (first.action.kind, first.action.question) == ("vague", VAGUE)
    assert first.verdict.suggestion == first.verdict.category == "mismatch"
    assert first.image == second.image
    assert episode.outcome.model_dump() == {
        "correct": True, "stop": "answered", "suggestions": 1, "turns": 3,
    }  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_vague_questions_use_up_the_turns_of_every_scenario(scenario: str) -> None:
    limit = DataFolder().environment(scenario, sample_of(scenario)).max_steps
    episode = go(play(scenario, Scripted(*[ask(VAGUE)] * 300)))
    assert {turn.action.kind for turn in episode.turns} == {"vague"}
    assert len({turn.image.path for turn in episode.turns}) == 1
    assert (episode.outcome.stop, episode.outcome.suggestions) == ("turn_limit", 0)
    assert len(episode.turns) == limit


def test_a_vague_question_on_the_clear_frame_ends_the_episode() -> None:
    episode = go(play("rod", Scripted(ask(VAGUE)), condition="clear"))
    assert (episode.outcome.stop, len(episode.turns)) == ("invalid", 1)


def test_the_mapping_is_seeded() -> None:
    def direction(seed: int) -> str | None:
        provider = Scripted(ask("Move the block."), right_answer("rod"))
        return go(play("rod", provider, seed=seed)).turns[0].action.argument

    assert [direction(seed) for seed in range(8)] == [direction(seed) for seed in range(8)]
    assert {direction(seed) for seed in range(8)} == {"left", "right"}


@pytest.mark.parametrize(
    ("question", "tool"),
    [
        ("What is the weather like?", "ask_clarification"),
        ("Please denoise the picture.", "enhance_image"),
    ],
)
def test_an_irrelevant_question_is_a_suggestion_that_fails(question: str, tool: str) -> None:
    episode = go(play("rod", Scripted(ask(question))))
    turn = episode.turns[0]
    assert (turn.action.tool, turn.action.question) == (tool, question)
    assert turn.verdict.suggestion == "wrong"
    assert episode.outcome.stop == "invalid"


def test_another_enhancement_than_the_right_one_is_not_mapped() -> None:
    sample = sample_of("imagenet-c")
    assert "denoise" not in sample.model_dump()["quality_answer"].lower()
    episode = go(play("imagenet-c", Scripted(ask("Please denoise the picture."))))
    assert episode.turns[0].verdict.suggestion == "wrong"


def test_forgiving_says_that_it_is_not_possible_and_counts_the_turn() -> None:
    provider = Scripted(ask("What is the weather like?"), LEFT, right_answer("rod"))
    episode = go(play("rod", provider, forgiving=True))
    assert texts(provider.requests[1])[-1] == NOT_POSSIBLE
    assert episode.outcome.model_dump() == {
        "correct": True, "stop": "answered", "suggestions": 1, "turns": 3,
    }  # fmt: skip
    assert episode.turns[0].image == episode.turns[1].image


# Seeds -------------------------------------------------------------------------------------------


def test_a_repeat_draws_anew_and_says_which_it_is() -> None:
    seeds = []
    for repeat in range(3):
        provider = Scripted(right_answer("vsod"))
        episode = go(play("vsod", provider, repeat=repeat))
        assert episode.repeat == repeat
        seeds.append(provider.requests[0].seed)
    assert len(set(seeds)) == 3
    assert seeds[0] == derive_seed(0, "vsod", 0, "reply", 0)


def test_the_simulated_user_draws_anew_in_each_repeat() -> None:
    def direction(repeat: int) -> str | None:
        provider = Scripted(ask("Move the block."), right_answer("rod"))
        return go(play("rod", provider, repeat=repeat)).turns[0].action.argument

    assert {direction(repeat) for repeat in range(8)} == {"left", "right"}


# The multiple choice -----------------------------------------------------------------------------


def test_mcqa_prompts_with_lettered_options_and_asks_afresh() -> None:
    sample = sample_of("vsod")
    wait = next(o for o in sample.options if "Wait for the" in o)
    provider = Scripted(wait, sample.answer)
    episode = go(play("vsod", provider, Mcqa()))
    options = [*sample.options, *sample.categories]
    lettered = "".join(f"{chr(65 + i)}. {o}\n" for i, o in enumerate(options))
    expected = (
        f"{OWN.prefixes['vsod']} {sample.prompt}{OWN.options_sentence}{lettered}"
        f"{OWN.answer_sentence}"
    )
    assert [turn.prompt for turn in episode.turns] == [expected, expected]
    assert episode.turns[0].options == options
    assert [len(request.messages) for request in provider.requests] == [1, 1]
    assert episode.outcome.correct


def test_the_hint_stands_after_the_question() -> None:
    provider = Scripted("Z")
    episode = go(play("coco", provider, Mcqa(), "hint"))
    sample = sample_of("coco")
    assert episode.turns[0].prompt.startswith(
        f"{sample.prompt} {OWN.hint('coco')}{OWN.options_sentence}"
    )


def test_the_official_parser_drives_unless_told_otherwise() -> None:
    right = sample_of("vsod").answer.removesuffix(".")
    strict = go(play("vsod", Scripted(right), Mcqa()))
    assert strict.outcome.stop == "invalid"
    assert strict.turns[0].verdict.category == "mismatch"
    assert strict.turns[0].lenient_verdict is not None
    assert strict.turns[0].lenient_verdict.category == "correct"
    loose = go(play("vsod", Scripted(right), Mcqa("lenient")))
    assert loose.outcome.correct
    assert loose.turns[0].verdict.category == "mismatch"


class Deaf(Mcqa):
    """Reads every reply as an abstention."""

    async def read(self, reply: Reply, turn: AskedTurn) -> TurnReading:
        lenient = Verdicts("correct", "mismatch")
        return TurnReading(Abstain(reply.text), "text", lenient=lenient, notes=("not read",))


def test_a_protocol_owns_the_reading_of_its_replies() -> None:
    episode = go(play("vsod", Scripted(sample_of("vsod").answer), Deaf()))
    (turn,) = episode.turns
    assert episode.outcome.stop == "abstained"
    assert turn.notes == ["not read"]
    assert turn.verdict.suggestion == "wrong"
    assert turn.lenient_verdict is not None


def test_in_the_first_turn_of_rod_no_category_counts() -> None:
    episode = go(play("rod", Scripted(sample_of("rod").answer), Mcqa()))
    assert not episode.outcome.correct
    assert episode.turns[0].verdict.category == "wrong"


# Failures ----------------------------------------------------------------------------------------


def test_a_failed_request_is_an_error_record_and_keeps_the_turns_before() -> None:
    provider = Scripted(LEFT, ProviderError("timeout", "no answer in 60 s"))
    episode = go(play("rod", provider))
    assert episode.error is not None
    assert episode.error.model_dump() == {
        "source": "provider", "kind": "timeout", "message": "no answer in 60 s",
    }  # fmt: skip
    assert episode.outcome.stop == "error"
    assert len(episode.turns) == 1


def test_a_fault_of_the_whole_run_passes_through() -> None:
    with pytest.raises(UserError, match="wrong key"):
        go(play("rod", Scripted(UserError("wrong key"))))


@pytest.fixture
def without_pictures(tmp_path: Path) -> DataFolder:
    fields = sample_of("rod").model_dump()
    write_lines(tmp_path / "Realistic-Occlusion-Dataset_preprocessed.jsonl", [fields])
    return DataFolder(tmp_path)


def test_a_missing_picture_is_an_error_record(without_pictures: DataFolder) -> None:
    episode = go(play("rod", Scripted(), data=without_pictures))
    assert episode.error is not None
    assert (episode.error.source, episode.error.kind) == ("data", "image")
    assert "Realistic-Occlusion-Dataset/" in episode.error.message
    assert episode.turns == []


def test_a_provider_that_needs_no_pictures_plays_without(without_pictures: DataFolder) -> None:
    episode = go(play("rod", Sightless(LEFT, right_answer("rod")), data=without_pictures))
    assert episode.outcome.correct
    assert episode.turns[0].image.sha256 is None


def test_a_step_to_a_frame_that_does_not_exist_is_an_error_record() -> None:
    sample = sample_of("quickdraw")
    short = sample.model_copy(update={"first_image": sample.num_images - 1})
    episode = go(play("quickdraw", Scripted(call("add_details")), sample=short))
    assert episode.error is not None
    assert (episode.error.source, episode.error.kind) == ("data", "sample")


def test_what_no_file_can_hold_is_taken_out_of_a_reply() -> None:
    broken = Reply("\ud800?", (ToolCall("abs\udfff", '{"reason": "\ud800"}', "1"),))
    episode = go(play("rod", Scripted(broken)))
    line = episode.model_dump_json()
    assert json.loads(line)["turns"][0]["reply"]["text"] == "??"


# Information that models do not get --------------------------------------------------------------


def test_only_providers_that_see_the_environment_are_shown_the_way() -> None:
    provider = Scripted(right_answer("rod"))
    go(play("rod", provider))
    assert provider.requests[0].best is None


@pytest.mark.parametrize("protocol", [Mcqa(), ToolUse()], ids=["mcqa", "tools"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_oracle_is_always_right(scenario: str, protocol: Any) -> None:
    oracle = create_provider("baseline:oracle")
    for sample in DataFolder().samples(scenario):
        episode = go(play(scenario, oracle, protocol, sample=sample))
        assert episode.outcome.correct, episode.sample_id
        assert episode.outcome.suggestions == episode.outcome.turns - 1 == episode.fewest


@pytest.mark.parametrize("protocol", [Mcqa(), ToolUse()], ids=["mcqa", "tools"])
def test_always_asking_reaches_the_turn_limit(protocol: Any) -> None:
    asker = create_provider("baseline:always-ask")
    for scenario in ("rod", "vsod", "mvp-n", "quickdraw"):
        episode = go(play(scenario, asker, protocol))
        assert episode.outcome.stop == "turn_limit"
        assert episode.outcome.turns == sample_of(scenario).num_images


def test_never_asking_cannot_pass_rod() -> None:
    silent = create_provider("baseline:never-ask")
    for sample in DataFolder().samples("rod"):
        episode = go(play("rod", silent, sample=sample))
        assert not episode.outcome.correct
        assert episode.outcome.turns == 1


def test_usage_adds_up_and_unknown_stays_unknown() -> None:
    from proactive_agent.providers import Usage

    known = replace(LEFT, usage=Usage(input_tokens=3, output_tokens=2))
    half = replace(right_answer("rod"), usage=Usage(input_tokens=4))
    episode = go(play("rod", Scripted(known, half)))
    assert episode.usage.input_tokens == 7
    assert episode.usage.output_tokens is None
