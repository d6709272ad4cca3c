"""What runs are called that stand side by side."""

from proactive_agent.reports.run_names import differences, name_runs
from tests.proactive_agent.reports.comparison.playing import answers, played


def test_equal_runs_are_counted() -> None:
    runs = [played(name, answers("1")).manifest for name in ("x", "y", "x", "x")]
    assert name_runs(runs) == ["openai:x", "openai:y", "openai:x #2", "openai:x #3"]


def test_a_setting_in_which_runs_differ_is_in_their_names() -> None:
    runs = [played("x", answers("1"), protocol=name).manifest for name in ("mcqa", "tools")]
    assert name_runs(runs) == ["openai:x mcqa", "openai:x tools"]


def test_a_run_without_a_limit_played_all() -> None:
    runs = [played("x", answers("1"), limit=limit).manifest for limit in (None, 4)]
    assert "The runs differ in limit: 4, all." in differences(runs)
