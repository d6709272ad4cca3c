import pytest

from proactive_agent.metrics import PlayedRun
from proactive_agent.reports.matching_runs import (
    WantedConditions,
    choose_runs,
    match_models,
    unfit_unless_long,
)
from proactive_agent.tools import UserError
from tests.proactive_agent.reports.comparison.playing import answers, played

HINT = WantedConditions(("zero-shot", "hint"))
ICL = WantedConditions(("zero-shot",), ("icl:1", "icl:3"))


def run(provider: str, condition: str, *scenarios: str, **more: str) -> PlayedRun:
    episodes = [e for name in scenarios or ("rod",) for e in answers("1A0", scenario=name)]
    name = f"{provider}-{condition}"
    return played(name, episodes, provider=provider, protocol="mcqa", condition=condition, **more)


def fits(run: PlayedRun) -> str:
    return ""


def test_the_runs_of_a_model_are_grouped_in_the_wanted_order() -> None:
    runs = [run("a:x", "hint"), run("a:y", "zero-shot"), run("a:x", "zero-shot"),
            run("a:y", "hint")]  # fmt: skip
    matched = match_models(runs, HINT)
    assert [(t.name, list(t.runs)) for t in matched.models] == [
        ("a:x", ["zero-shot", "hint"]), ("a:y", ["zero-shot", "hint"]),
    ]  # fmt: skip
    assert matched.models[1].runs["hint"].manifest.settings.provider == "a:y"
    assert matched.left_out == []


def test_other_conditions_and_protocols_are_left_out_and_named() -> None:
    others = [run("a:x", "clear"), played("talk", answers("1"), protocol="oeg", judge="rules")]
    matched = match_models([run("a:x", "zero-shot"), run("a:x", "hint"), *others], HINT)
    assert len(matched.models) == 1
    assert matched.left_out == [
        "Left out because the condition is clear: run-a:x-clear.",
        "Left out because the protocol is oeg: run-talk.",
    ]


def test_many_left_out_runs_are_counted_and_not_listed() -> None:
    others = [run(f"a:{number}", "clear") for number in range(5)]
    matched = match_models([run("a:x", "zero-shot"), run("a:x", "hint"), *others], HINT)
    assert matched.left_out == [
        "Left out because the condition is clear: run-a:0-clear, run-a:1-clear and 3 more."
    ]


def test_a_model_with_a_missing_run_is_left_out_with_the_command_for_it() -> None:
    runs = [run("a:x", "zero-shot"), run("a:x", "hint"), run("a:y", "hint")]
    matched = match_models(runs, HINT)
    assert [model.name for model in matched.models] == ["a:x"]
    assert matched.left_out == [
        "a:y has no run of zero-shot: run --provider a:y --protocol mcqa --condition zero-shot."
    ]


def test_without_any_model_the_error_says_what_is_missing() -> None:
    with pytest.raises(UserError) as error:
        match_models([run("a:x", "zero-shot")], ICL)
    assert str(error.value) == (
        "needs runs of zero-shot and icl:1 or icl:3 of one model. a:x has no run of icl:1 and icl:3"
        ": run --provider a:x --protocol mcqa --condition icl:1,icl:3."
    )


def test_one_of_the_optional_conditions_is_enough() -> None:
    (model,) = match_models([run("a:x", "icl:3"), run("a:x", "zero-shot")], ICL).models
    assert list(model.runs) == ["zero-shot", "icl:3"]


def test_context_conditions_must_be_equal_in_all_runs_of_a_model() -> None:
    plain, hint = run("a:x", "zero-shot"), run("a:x", "hint+unfiltered")
    with pytest.raises(UserError, match=r"has no run of hint: .*--condition hint"):
        match_models([plain, hint], HINT)
    matched = match_models([plain, hint, run("a:x", "unfiltered")], HINT)
    assert [list(model.runs) for model in matched.models] == [["zero-shot", "hint"]]


def test_runs_with_a_single_turn_also_match_stateless_runs() -> None:
    wanted = WantedConditions(("zero-shot", "clear"))
    clear, stateless = run("a:x", "clear"), run("a:x", "stateless")
    matched = match_models([clear, stateless], wanted)
    assert [list(model.runs) for model in matched.models] == [["zero-shot", "clear"]]
    assert matched.left_out == []
    both = match_models([clear, stateless, run("a:x", "zero-shot")], wanted)
    assert {model.name for model in both.models} == {"a:x stateless", "a:x zero-shot"}


def test_the_suggested_command_has_no_impossible_condition() -> None:
    with pytest.raises(UserError, match=r"--condition clear\."):
        match_models([run("a:x", "stateless")], WantedConditions(("zero-shot", "clear")))


def test_two_protocols_of_one_model_are_separate_models() -> None:
    tools = [played(c, answers("1"), provider="a:x", condition=c) for c in HINT.needed]
    matched = match_models([run("a:x", "zero-shot"), run("a:x", "hint"), *tools], HINT)
    assert [model.name for model in matched.models] == ["a:x mcqa", "a:x tools"]


def test_two_runs_of_one_condition_are_refused_by_name() -> None:
    twice = [run("a:x", "hint"), run("a:x", "hint"), run("a:x", "zero-shot")]
    with pytest.raises(UserError, match="two hint runs of a:x: run-a:x-hint and run-a:x-hint"):
        match_models(twice, HINT)


def test_runs_on_different_data_are_not_subtracted() -> None:
    with pytest.raises(UserError, match=r"used different data \(rod\)"):
        match_models([run("a:x", "hint", file="1"), run("a:x", "zero-shot")], HINT)


def test_means_are_over_the_scenarios_that_all_runs_have() -> None:
    runs = [run("a:x", "zero-shot", "rod", "vsod", "coco"), run("a:x", "hint", "coco", "rod")]
    matched = match_models(runs, HINT)
    assert matched.scenarios == ["rod", "coco"]
    (model,) = matched.models
    assert {name for r in model.runs.values() for name in r.summary.scenarios} == {"rod", "coco"}
    assert matched.left_out == ["Left out because not all runs have them: vsod."]


def test_runs_without_a_common_scenario_are_refused() -> None:
    with pytest.raises(UserError, match="no scenario in common"):
        match_models([run("a:x", "zero-shot", "rod"), run("a:x", "hint", "coco")], HINT)


def test_a_scenario_whose_episodes_all_failed_is_not_played() -> None:
    failed = [*answers("1"), *answers("--", scenario="coco")]
    broken = played("b", failed, provider="a:x", protocol="mcqa", condition="hint")
    matched = match_models([run("a:x", "zero-shot", "rod", "coco"), broken], HINT)
    assert matched.scenarios == ["rod"]


def test_chosen_runs_are_named_by_their_remaining_differences() -> None:
    runs = [run("a:x", "zero-shot"), run("a:y", "zero-shot"), run("a:y", "clear")]
    chosen = choose_runs(runs, unfit_unless_long("clear"), "runs")
    assert [r.name for r in chosen.runs] == ["a:x", "a:y"]


@pytest.mark.parametrize("condition", ["reference", "icl:3", "hint+icl:1"])
def test_conditions_without_several_turns_in_all_scenarios_are_refused(condition: str) -> None:
    with pytest.raises(UserError, match=r"needs long runs\. Left out because the condition is"):
        choose_runs([run("a:x", condition)], unfit_unless_long("reference"), "long runs")


def test_no_runs_are_refused() -> None:
    with pytest.raises(UserError, match="needs some runs"):
        choose_runs([], fits, "some runs")
