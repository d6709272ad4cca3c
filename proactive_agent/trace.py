"""An episode in the terminal: what was shown, what the model called, what the user did.

Everything that a model wrote goes through `safe`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from proactive_agent.manifest import Manifest
from proactive_agent.records import ActionRecord, EpisodeRecord, TurnRecord, VerdictRecord
from proactive_agent.terminal import safe
from scenarios import SCENARIOS
from tools.actions import UNRELATED_REQUEST

LONGEST_LINE_OF_A_LIST = 60


@dataclass(frozen=True)
class Filter:
    """Which episodes of a run are wanted."""

    scenarios: frozenset[str] = frozenset()
    wrong: bool = False
    correct: bool = False
    errors: bool = False
    sample: tuple[str, str] | None = None
    limit: int | None = None

    def apply(self, episodes: Iterable[EpisodeRecord]) -> Iterator[EpisodeRecord]:
        """The wanted ones, in the order in which they ended."""
        return islice(filter(self._wants, episodes), self.limit)

    def _wants(self, episode: EpisodeRecord) -> bool:
        failed = episode.error is not None
        if self.sample and (episode.scenario, str(episode.sample_id)) != self.sample:
            return False
        if self.scenarios and episode.scenario not in self.scenarios:
            return False
        if not (self.wrong or self.correct or self.errors):
            return True
        return (
            (self.errors and failed)
            or (self.wrong and not failed and not episode.outcome.correct)
            or (self.correct and episode.outcome.correct)
        )


def in_order(episodes: Iterable[EpisodeRecord]) -> list[EpisodeRecord]:
    """By scenario and sample, not by when they ended."""
    place = {name: index for index, name in enumerate(SCENARIOS)}
    return sorted(
        episodes,
        key=lambda e: (
            place.get(e.scenario, len(place)),
            isinstance(e.sample_id, str),
            e.sample_id,
        ),
    )


def episode_list(manifest: Manifest, episodes: list[EpisodeRecord]) -> Table:
    """A row per episode: what was done, in short, and how it ended."""
    settings = manifest.settings
    title = f"{settings.provider}: {settings.protocol}, {settings.condition}"
    table = Table(
        title=safe(title), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False,
        caption=f"{len(episodes)} episodes", caption_justify="left",
    )  # fmt: skip
    table.add_column("sample", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    table.add_column("turns", justify="right")
    table.add_column("actions", ratio=1)
    for episode in episodes:
        table.add_row(
            safe(f"{episode.scenario}:{episode.sample_id}"),
            _outcome(episode),
            str(episode.outcome.turns),
            safe(_in_short(episode)),
        )
    return table


def episode_view(episode: EpisodeRecord) -> Group:
    """An episode turn by turn."""
    head = Text.assemble(
        (f"{episode.scenario}:{episode.sample_id}", "bold"), "  ",
        f"{episode.protocol}, {episode.condition}", "  ", _outcome(episode),
    )  # fmt: skip
    parts: list[RenderableType] = [head]
    offered: str | None = None
    for turn in episode.turns:
        tools = ", ".join(_signature(tool.name, tool.parameters) for tool in turn.tools)
        parts += _turn(turn, tools if tools != offered else "")
        offered = tools
    if episode.error is not None:
        error = episode.error
        parts.append(safe(f"error ({error.source}, {error.kind}): {error.message}", "red"))
    right = Text("right answer: ") + safe(episode.target, "green")
    parts += [right, Text()]
    return Group(*parts)


def _turn(turn: TurnRecord, tools: str) -> Iterator[RenderableType]:
    """One turn; `tools` are named where they are not those of the turn before."""
    yield Text.assemble((f"turn {turn.index + 1}", "bold cyan"), "  ", safe(_image(turn), "cyan"))
    yield _indented(safe(turn.prompt))
    if tools:
        yield _indented(safe(f"tools: {tools}", "dim"))
    for call in turn.reply.tool_calls:
        yield _indented(safe(f"→ {call.name}({call.arguments})", "yellow"))
    if turn.reply.text:
        yield _indented(safe(f"“{turn.reply.text}”", "yellow"))
    if not turn.reply.tool_calls and not turn.reply.text:
        yield _indented(Text("(an empty reply)", "yellow"))
    yield _indented(safe(f"= {_action(turn.action)}  ") + _verdict(turn))
    for note in turn.notes:
        yield _indented(safe(f"note: {note}", "dim"))


def _image(turn: TurnRecord) -> str:
    text = turn.image.path
    if turn.image.size:
        text += f"  {turn.image.size[0]} x {turn.image.size[1]}"
    if turn.image.crop:
        text += "  crop " + ", ".join(f"{edge:g}" for edge in turn.image.crop)
    return text


def _signature(name: str, parameters: dict[str, list[str] | None]) -> str:
    values = ("|".join(v) if v else name for name, v in parameters.items())
    return f"{name}({', '.join(values)})"


def _indented(content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 0, 2), expand=False)


def _in_short(episode: EpisodeRecord) -> str:
    steps = " → ".join(_action(turn.action) for turn in episode.turns)
    if episode.error is not None:
        steps += f" error: {episode.error.kind}"
    if len(steps) > LONGEST_LINE_OF_A_LIST:
        steps = steps[: LONGEST_LINE_OF_A_LIST // 2] + " … " + steps[-LONGEST_LINE_OF_A_LIST // 2 :]
    return steps


def _action(action: ActionRecord) -> str:
    match action.kind:
        case "intervention" if action.tool == UNRELATED_REQUEST.tool:
            return "asks for nothing that helps"
        case "intervention":
            text = f"{action.tool}({action.argument or ''})"
            if action.question is not None:
                text += " mapped from a request" if action.mapped else " by request"
            return text
        case "answer":
            return f"answer: {action.category}"
        case "abstain":
            return "abstain"
        case _:
            return f"invalid: {action.why}" + (f" ({action.detail})" if action.detail else "")


def _verdict(turn: TurnRecord) -> Text:
    text = _verdict_text(turn.verdict)
    if turn.lenient_verdict is not None:
        text += Text("; lenient: ") + _verdict_text(turn.lenient_verdict)
    return text


def _verdict_text(verdict: VerdictRecord) -> Text:
    if verdict.category != "mismatch":
        colour = "green" if verdict.category == "correct" else "red"
        return Text(f"category {verdict.category}", colour)
    if verdict.suggestion != "mismatch":
        colour = "green" if verdict.suggestion == "correct" else "red"
        return Text(f"suggestion {verdict.suggestion}", colour)
    return Text("no match", "red")


def _outcome(episode: EpisodeRecord) -> Text:
    if episode.error is not None:
        return Text("error", "bold magenta")
    if episode.outcome.correct:
        return Text("correct", "bold green")
    return Text(f"wrong ({episode.outcome.stop})", "bold red")
