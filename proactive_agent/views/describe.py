"""Turns and outcomes as styled text, in the colours that text views and the browser share."""

from rich.text import Text

from proactive_agent.records.describe import Turn, Verdict, verdict_words
from proactive_agent.records.episode import JudgementRecord, TurnRecord
from proactive_agent.records.failures import Episode
from proactive_agent.terminal.console import safe

LONGEST_OUTCOME = len("wrong (turn_limit)")


def outcome_of(episode: Episode) -> Text:
    """Whether it ended right, and how it ended where not."""
    if episode.error is not None:
        return Text("error", "bold magenta")
    if episode.outcome.correct:
        return Text("correct", "bold green")
    return Text(f"wrong ({episode.outcome.stop})", "bold red")


def styled_verdict(turn: Turn) -> Text:
    """The verdict, and the lenient parser's where it differs."""
    text = _coloured(turn.verdict)
    if turn.lenient_verdict is not None:
        text += Text("; lenient: ") + _coloured(turn.lenient_verdict)
    return text


def image_of(turn: TurnRecord) -> str:
    """Path, size and crop of the picture shown."""
    text = turn.image.path
    if turn.image.size:
        text += f"  {turn.image.size[0]} x {turn.image.size[1]}"
    if turn.image.crop:
        text += "  crop " + ", ".join(f"{edge:g}" for edge in turn.image.crop)
    return text


def tools_of(turn: TurnRecord) -> str:
    """The tools on offer, each with the values that it takes."""
    return ", ".join(_signature(tool.name, tool.parameters) for tool in turn.tools)


def replies_of(turn: TurnRecord) -> list[Text]:
    """What the model wrote: its calls, its text."""
    lines = [safe(f"→ {call.name}({call.arguments})", "yellow") for call in turn.reply.tool_calls]
    if turn.reply.text:
        lines.append(safe(f"“{turn.reply.text}”", "yellow"))
    return lines or [Text("(an empty reply)", "yellow")]


def judgement_of(judgement: JudgementRecord) -> Text:
    """Which accepted answers a judge found in the reply."""
    text = safe(f"judge {judgement.judge}: ", "dim")
    answers = [
        safe(f"{answer.text} ", "dim").append(
            "✓" if answer.met else "✗", "green" if answer.met else "red"
        )
        for answer in judgement.answers
    ]
    text.append_text(Text(", ", "dim").join(answers))
    if judgement.problem is not None:
        text.append_text(safe(f" unreadable: {judgement.problem}", "red"))
    return text


def _signature(name: str, parameters: dict[str, list[str] | None]) -> str:
    values = ("|".join(v) if v else name for name, v in parameters.items())
    return f"{name}({', '.join(values)})"


def _coloured(verdict: Verdict) -> Text:
    correct = "correct" in (verdict.category, verdict.suggestion)
    return Text(verdict_words(verdict), "green" if correct else "red")
