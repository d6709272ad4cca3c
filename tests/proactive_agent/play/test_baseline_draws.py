"""Baselines draw independently in each condition, and those without pictures detect nothing."""

from pathlib import Path

from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Settings
from proactive_agent.scenarios import SCENARIOS
from tests.proactive_agent.running import play_new


def episodes(results: Path, baseline: str, condition: str) -> dict[object, EpisodeRecord]:
    settings = Settings(
        provider=f"baseline:{baseline}", protocol="mcqa", condition=condition,
        scenarios=tuple(SCENARIOS),
    )  # fmt: skip
    return {one.key: one for one in play_new(settings, results / condition).episodes()}


def test_random_does_not_reuse_its_draws_between_conditions(tmp_path: Path) -> None:
    plain, hinted = (episodes(tmp_path, "random", name) for name in ("zero-shot", "hint"))
    same = [plain[key].turns[0].reply.text == hinted[key].turns[0].reply.text for key in plain]
    assert sum(same) < 0.35 * len(same)  # about one in seven agrees by chance


def test_a_policy_without_eyes_asks_on_clear_frames_as_often(tmp_path: Path) -> None:
    ambiguous, clear = (episodes(tmp_path, "text-only", name) for name in ("zero-shot", "clear"))
    first = {key: one.turns[0].action.kind for key, one in ambiguous.items() if key in clear}
    assert first == {key: one.turns[0].action.kind for key, one in clear.items()}
    assert {one.scenario for one in ambiguous.values() if len(one.turns) > 1} == {"rod"}


def test_text_only_guesses_as_soon_as_a_category_counts(tmp_path: Path) -> None:
    """In ROD that is the second turn."""
    played = episodes(tmp_path, "text-only", "zero-shot").values()
    assert {one.outcome.turns for one in played if one.scenario == "rod"} == {2}
