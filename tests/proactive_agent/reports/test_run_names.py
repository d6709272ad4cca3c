"""Labels of runs that are shown together, and warnings about their differences."""

from dataclasses import replace

from proactive_agent.records.manifest import Manifest, ProviderSettings
from proactive_agent.reports.run_names import differences, name_runs
from tests.proactive_agent.reports.comparison.playing import answers, played


def with_temperature(manifest: Manifest, temperature: float) -> Manifest:
    own = ProviderSettings(temperature=temperature)
    settings = replace(manifest.settings, provider_settings=own)
    return manifest.model_copy(update={"settings": settings})


def test_equal_runs_are_counted() -> None:
    runs = [played(name, answers("1")).manifest for name in ("x", "y", "x", "x")]
    assert name_runs(runs) == ["openai:x", "openai:y", "openai:x #2", "openai:x #3"]


def test_a_setting_in_which_runs_differ_is_in_their_names() -> None:
    runs = [played("x", answers("1"), protocol=name).manifest for name in ("mcqa", "tools")]
    assert name_runs(runs) == ["openai:x mcqa", "openai:x tools"]


def test_a_minor_setting_is_named_only_for_runs_that_would_have_equal_names() -> None:
    first, second, other = (played(name, answers("1")).manifest for name in ("x", "x", "y"))
    runs = [first, with_temperature(second, 0.5), with_temperature(other, 0.7)]
    assert name_runs(runs) == ["openai:x temperature 0.0", "openai:x temperature 0.5", "openai:y"]


def test_a_flag_is_named_where_it_is_set() -> None:
    runs = [played("x", answers("1"), forgiving=set_).manifest for set_ in (False, True)]
    assert name_runs(runs) == ["openai:x", "openai:x forgiving"]


def test_a_run_without_a_limit_played_all() -> None:
    runs = [played("x", answers("1"), limit=limit).manifest for limit in (None, 4)]
    assert "The runs differ in limit: 4, all." in differences(runs)
    assert name_runs(runs) == ["openai:x limit all", "openai:x limit 4"]


def test_a_warning_names_different_rules_of_the_simulated_user() -> None:
    old = played("x", answers("1"), protocol="tools").manifest
    new = old.model_copy(update={"user_rules": "rules v3"})
    unread = [
        played("x", answers("1"), protocol="mcqa").manifest,
        played("x", answers("1"), protocol="tools", toolset="published").manifest,
        played("x", answers("1"), protocol="tools", condition="of-another-package").manifest,
    ]

    def warnings(*runs: Manifest) -> list[str]:
        return [note for note in differences(runs) if "simulated user's rules" in note]

    assert warnings(old, new) == [
        "Warning: the runs differ in the simulated user's rules: an older version, rules v3."
    ]
    assert warnings(new, *unread) == []


def test_runs_of_tools_and_mcqa_are_alike_only_with_the_published_toolset() -> None:
    def notes(toolset: str) -> list[str]:
        tools = played("x", answers("1"), protocol="tools", toolset=toolset).manifest
        return differences([played("x", answers("1"), protocol="mcqa").manifest, tools])

    assert any("--toolset published" in note for note in notes("scenario"))
    assert not any("--toolset published" in note for note in notes("published"))
