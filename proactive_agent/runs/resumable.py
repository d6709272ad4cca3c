"""Reasons why a run cannot be resumed: other rules of the simulated user, or another judge."""

from collections.abc import Iterator

from proactive_agent.play.judges.choose import judge_name
from proactive_agent.play.rule_versions import current_rules, rules_in
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.runs.generation import judge_sampling
from proactive_agent.scenarios import DataFolder

_ADVICE = (
    "its episodes would not be comparable; start a new run in another folder, or resume this one "
    "with the version of the program that started it"
)


def reasons_against_resuming(
    folder: RunFolder, manifest: Manifest, data: DataFolder
) -> Iterator[str]:
    """Yields the reasons why the remaining episodes of a run would differ from the first ones."""
    settings = manifest.settings
    rules = current_rules(settings)
    if rules and rules != (begun := rules_in(manifest)):
        yield (
            f"{folder.path} started with other rules of the simulated user ({begun}; now: "
            f"{rules}), and {_ADVICE}"
        )
    if settings.protocol == "oeg":
        judge = judge_name(
            settings.judge, settings.judge_prompt, data.wording, judge_sampling(settings)
        )
        if (begun := _judge_in(folder)) not in (None, judge):
            yield (
                f"{folder.path} started with another judge ({begun}; now: {judge}), and {_ADVICE}"
            )


def _judge_in(folder: RunFolder) -> str | None:
    """Returns the name of the judge in the records of a run; None if nothing was judged."""
    judged = (
        turn.judgement.judge
        for episode in folder.episodes()
        for turn in episode.turns
        if turn.judgement is not None
    )
    return next(judged, None)
