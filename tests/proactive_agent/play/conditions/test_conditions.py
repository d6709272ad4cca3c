"""The available conditions, their combinations, and the data that they need."""

import itertools
import random
from pathlib import Path

import pytest

from proactive_agent.play.conditions import ConditionOptions, parse_condition
from proactive_agent.play.conditions.registry import CONDITIONS
from proactive_agent.scenarios import DataFolder
from proactive_agent.tools import UserError
from tests.scenarios.official_layout import random_sample, write_samples
from tests.scenarios.test_dataset import write_own_pack


def refused(text: str, protocol: str) -> str | None:
    """Returns the reason why a condition is refused, or None."""
    try:
        parse_condition(text, protocol)
    except UserError as error:
        return str(error)
    return None


def test_conditions_combine() -> None:
    both = parse_condition("hint+stateless", "tools")
    assert both.name == "hint+stateless"
    assert both.keeps_conversation(default=True) is False


def test_the_protocol_decides_about_the_conversation_otherwise() -> None:
    assert parse_condition("hint", "tools").keeps_conversation(default=True) is True


@pytest.mark.parametrize("name", ["hints", "icl", "icl:0", "icl:x", "icl:03", "hint:1", "", "icl:"])
def test_an_unknown_name_is_told_the_known_ones(name: str) -> None:
    with pytest.raises(UserError) as error:
        parse_condition(name, "mcqa")
    message = str(error.value)
    assert message.startswith(f"unknown condition {name!r}; ")
    assert message.endswith(
        "known: zero-shot, hint, reference, stateless, history, "
        "icl:1, icl:2, icl:3, icl:4, icl:5, random-suggestions, useless-suggestions, "
        "unfiltered, clear"
    )


@pytest.mark.parametrize(
    ("text", "protocol", "reason"),
    [
        ("hint+hint", "tools", "twice"),
        ("icl:1+icl:3", "mcqa", "twice"),
        ("zero-shot+hint", "tools", "changes nothing; leave it out"),
        ("hint+reference", "tools", "misleads"),
        ("stateless", "mcqa", "a new conversation anyway"),
        ("history", "tools", "anyway"),
        ("clear+history", "mcqa", "no earlier turns to keep"),
        ("icl:1+clear", "tools", "'icl:1' with 'clear': solved episodes begin with a request"),
    ],
)
def test_a_senseless_condition_is_refused_with_the_reason(
    text: str, protocol: str, reason: str
) -> None:
    assert reason in (refused(text, protocol) or "")


def pairs(protocol: str) -> set[frozenset[str]]:
    """Returns the pairs that can be combined; both orders must agree."""
    names = [name for name in CONDITIONS if not name.startswith("icl:") or name == "icl:3"]
    allowed = set()
    for one, other in itertools.combinations(names, 2):
        reasons = [refused(f"{one}+{other}", protocol), refused(f"{other}+{one}", protocol)]
        assert reasons.count(None) in (0, 2), reasons
        if None in reasons:
            allowed.add(frozenset((one, other)))
    return allowed


def both(*names: str) -> frozenset[str]:
    return frozenset(names)


WITH_ANY_PROTOCOL = {
    both("hint", "unfiltered"), both("hint", "clear"), both("reference", "unfiltered"),
    both("unfiltered", "clear"),
}  # fmt: skip
WITH_SUGGESTIONS = {
    both("hint", "icl:3"), both("hint", "random-suggestions"), both("icl:3", "unfiltered"),
    both("random-suggestions", "unfiltered"), both("hint", "useless-suggestions"),
    both("useless-suggestions", "unfiltered"),
}  # fmt: skip


def test_what_goes_together_in_tools() -> None:
    stateless = {
        both("stateless", n)
        for n in ("hint", "icl:3", "random-suggestions", "useless-suggestions", "unfiltered")
    }
    assert pairs("tools") == WITH_ANY_PROTOCOL | WITH_SUGGESTIONS | stateless


def test_what_goes_together_in_mcqa() -> None:
    history = {both("history", n) for n in ("hint", "icl:3", "random-suggestions", "unfiltered")}
    assert pairs("mcqa") == WITH_ANY_PROTOCOL | WITH_SUGGESTIONS | history


def test_what_goes_together_in_oeg() -> None:
    assert pairs("oeg") == WITH_ANY_PROTOCOL


@pytest.mark.parametrize(
    "name", ["history", "stateless", "icl:1", "random-suggestions", "useless-suggestions"]
)
def test_what_makes_no_sense_in_oeg(name: str) -> None:
    assert refused(name, "oeg")


def test_pictures_have_a_size() -> None:
    with pytest.raises(UserError, match="0 pixels"):
        parse_condition("history", "mcqa", ConditionOptions(history_size=0))


# Needs of a run -----------------------------------------------------------------------------


def test_solved_episodes_are_known_for_two_scenarios() -> None:
    condition = parse_condition("hint+icl:1", "mcqa")
    assert condition.scenarios == {"rod", "mvp-n"}
    condition.check_run(("mvp-n", "rod"), DataFolder())
    with pytest.raises(
        UserError, match="condition 'icl:1' is defined for rod, mvp-n, not for coco"
    ):
        condition.check_run(("rod", "coco"), DataFolder())


def test_other_conditions_are_known_for_all() -> None:
    assert parse_condition("hint+unfiltered", "mcqa").scenarios is None


def test_solved_episodes_need_other_samples(tmp_path: Path) -> None:
    write_samples(tmp_path, "rod", [random_sample("rod", random.Random(i), i) for i in range(3)])
    parse_condition("icl:2", "mcqa").check_run(["rod"], DataFolder(tmp_path))
    with pytest.raises(UserError, match=r"needs 3 samples besides the one .* has only 3 in total"):
        parse_condition("icl:3", "mcqa").check_run(["rod"], DataFolder(tmp_path))


def test_only_a_filter_that_is_there_can_be_left_out(tmp_path: Path) -> None:
    unfiltered = parse_condition("unfiltered", "mcqa")
    with pytest.raises(UserError, match="no filter"):
        unfiltered.check_run(["rod"], DataFolder())
    write_samples(tmp_path, "rod", [random_sample("rod", random.Random(0), 0)])
    write_own_pack(tmp_path)
    unfiltered.check_run(["rod"], DataFolder(tmp_path))


def test_unfiltered_is_said_of_the_whole() -> None:
    assert parse_condition("hint+unfiltered", "mcqa").unfiltered
    assert not parse_condition("hint", "mcqa").unfiltered


@pytest.mark.parametrize(
    ("condition", "asked", "played"),
    [
        ("hint", "all", "all"),
        ("random-suggestions", "scenario", "random"),
        ("random-suggestions", "random", "random"),
        ("useless-suggestions", "scenario", "random"),
        ("icl:1", "all", "all"),
    ],
)
def test_the_toolset_is_the_users_or_the_conditions(
    condition: str, asked: str, played: str
) -> None:
    assert parse_condition(condition, "tools").toolset(asked) == played  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("condition", "asked", "reason"),
    [
        ("random-suggestions", "all", "offers the toolset 'random', not 'all'"),
        ("icl:1", "random", "not on offer"),
    ],
)
def test_a_toolset_that_the_condition_cannot_have_is_refused(
    condition: str, asked: str, reason: str
) -> None:
    with pytest.raises(UserError, match=reason):
        parse_condition(condition, "tools").toolset(asked)  # type: ignore[arg-type]
