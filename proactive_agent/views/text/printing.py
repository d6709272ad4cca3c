"""Prints episodes to standard output: as a list, turn by turn, or as JSON lines."""

import json
from collections.abc import Iterable, Sequence

from proactive_agent.records.outline import EpisodeOutline
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.run_names import differences, name_runs
from proactive_agent.terminal.console import console, messages, plain, safe_json
from proactive_agent.tools import UserError
from proactive_agent.views.divergence import EpisodePair, pairs
from proactive_agent.views.selection import Order, ReadLine, Selection, in_order
from proactive_agent.views.text.diff_text import diff_lines, diff_listing
from proactive_agent.views.text.episode_text import episode_lines
from proactive_agent.views.text.lines import width_of, write, write_wrapped
from proactive_agent.views.text.listing import RowLayout, listing

NAME_WIDTH = 16
"""Columns for the names of samples whose lengths are not known yet."""

MOST_NAMED = 8
"""Samples that the message about a missing one names."""


class Printer:
    """Prints episodes of one run."""

    def __init__(self, folder: RunFolder, *, turns: bool, as_json: bool) -> None:
        self.folder = folder
        self._manifest = folder.read_manifest()
        self._turns = turns
        self._as_json = as_json

    def print_all(self, episodes: Sequence[EpisodeOutline], selection: Selection) -> None:
        """Prints all chosen episodes. Raises UserError if one sample was chosen and not found."""
        if selection.sample and not episodes:
            outlines = list(self.folder.outlines())
            wanted = ":".join(selection.sample)
            if any(selection.of_sample(outline) for outline in outlines):
                raise UserError(f"{self.folder.path} holds {wanted}, but other options exclude it")
            raise UserError(
                f"{self.folder.path} holds no episode {wanted}"
                + _present(outlines, selection.sample[0])
            )
        if self._as_json or self._turns:
            for episode in episodes:
                self._print_whole(episode)
        else:
            write(console, listing(self._manifest, episodes, width_of(console)))

    def print_as_they_come(self, episodes: Iterable[EpisodeOutline]) -> None:
        """Prints each episode as soon as it ends."""
        layout = RowLayout(NAME_WIDTH, width_of(console))
        if not (self._as_json or self._turns):
            write(console, layout.head())
        for episode in episodes:
            if self._as_json or self._turns:
                self._print_whole(episode)
            else:
                write(console, [layout.row_of(episode)])
            console.file.flush()

    def print_diff(self, second: RunFolder, selection: Selection, order: Order) -> None:
        """Prints the same samples of two runs. Raises UserError if one was chosen and not found."""
        outlines = in_order(self.folder.outlines(), order)
        chosen = selection.apply(outlines, self.folder.read_line)
        others = {episode.key: episode for episode in second.outlines()}
        both = [pair for pair in pairs(chosen, others) if selection.wants_pair(pair)]
        manifests = [self._manifest, second.read_manifest()]
        names = name_runs(manifests)
        for difference in differences(manifests):
            messages.print(plain(difference), markup=False, soft_wrap=True)
        if selection.sample and not both:
            wanted = ":".join(selection.sample)
            if any(selection.of_sample(pair.first) for pair in pairs(outlines, others)):
                raise UserError(f"both runs hold {wanted}, but other options exclude it")
            raise UserError(f"no episode {wanted} is in both runs")
        if self._as_json:
            for pair in both:
                print(_pair_as_json(pair, self.folder.read_line, second.read_line))
        elif self._turns:
            for pair in both:
                first = self.folder.read_episode(pair.first)
                other = second.read_episode(pair.second)
                write_wrapped(console, diff_lines(first, other, (names[0], names[1])))
        else:
            write(console, diff_listing(both, (names[0], names[1]), width_of(console)))

    def _print_whole(self, episode: EpisodeOutline) -> None:
        if self._as_json:
            print(safe_json(self.folder.read_line(episode)))
        else:
            record = self.folder.read_episode(episode)
            write_wrapped(console, episode_lines(record))


def _present(played: Sequence[EpisodeOutline], scenario: str) -> str:
    """Returns the end of an error message about a missing sample: the samples that a run has."""
    ids = {episode.sample_id: None for episode in in_order(played) if episode.scenario == scenario}
    names = list(map(str, ids))
    if not names:
        scenarios = dict.fromkeys(episode.scenario for episode in in_order(played))
        return f" and none of {scenario}; it has {', '.join(scenarios)}" if scenarios else ""
    if len(names) > MOST_NAMED:
        names[MOST_NAMED // 2 : -MOST_NAMED // 2] = ["…"]
    return f"; of {scenario} it has {', '.join(names)} ({len(ids):,} samples)"


def _pair_as_json(pair: EpisodePair, read_first: ReadLine, read_second: ReadLine) -> str:
    head = {
        "scenario": pair.first.scenario,
        "sample_id": pair.first.sample_id,
        "repeat": pair.first.repeat,
        "change": pair.change,
        "parting": pair.divergence,
    }
    start = json.dumps(head)[:-1]
    first, second = safe_json(read_first(pair.first)), safe_json(read_second(pair.second))
    return f'{start}, "first": {first}, "second": {second}}}'
