"""Styled descriptions of turns and outcomes, with the colours that all terminal views share."""

from rich.text import Text

from proactive_agent.records.describe import (
    LENIENT,
    AnyTurn,
    AnyVerdict,
    ending_of,
    verdict_words,
    words_without_verdict,
)
from proactive_agent.records.episode import JudgementRecord, TurnRecord, UserRecord
from proactive_agent.records.failures import Episode
from proactive_agent.terminal.console import safe

LUCKY = "wrong (luck)"
LONGEST_OUTCOME = len("wrong (turn_limit)")


def outcome_of(episode: Episode) -> Text:
    """Says whether an episode ended right, and otherwise how it ended."""
    if episode.error is not None:
        return Text("error", "bold magenta")
    if episode.outcome.correct:
        return Text("correct", "bold green")
    if ending_of(episode) != episode.outcome.stop:
        return Text(LUCKY, "bold yellow")
    return Text(f"wrong ({episode.outcome.stop})", "bold red")


def styled_verdict(episode: Episode, turn: AnyTurn) -> Text:
    """Returns the verdict of a turn, and the lenient parser's if it differs."""
    if words := words_without_verdict(episode, turn):
        return Text(words, "yellow")
    text = _coloured(turn.verdict)
    if turn.lenient_verdict is not None:
        text += Text(LENIENT) + _coloured(turn.lenient_verdict)
    return text


def image_of(turn: TurnRecord) -> str:
    """Returns path, size and crop of the picture shown."""
    text = turn.image.path
    if turn.image.size:
        text += f"  {turn.image.size[0]} x {turn.image.size[1]}"
    if turn.image.crop:
        text += "  crop " + ", ".join(f"{edge:g}" for edge in turn.image.crop)
    return text


def tools_of(turn: TurnRecord) -> str:
    """Lists the tools that were offered, each with the values that it takes."""
    return ", ".join(_signature(tool.name, tool.parameters) for tool in turn.tools)


def replies_of(turn: TurnRecord) -> list[Text]:
    """Returns the calls and the text of a reply, one item each."""
    lines = [safe(f"→ {call.name}({call.arguments})", "yellow") for call in turn.reply.tool_calls]
    if turn.reply.text:
        lines.append(safe(f"“{turn.reply.text}”", "yellow"))
    return lines or [Text("(an empty reply)", "yellow")]


def judgement_of(judgement: JudgementRecord) -> Text:
    """Lists the accepted answers, and which of them a judge found in the reply."""
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


def user_of(user: UserRecord) -> Text:
    """Describes how a model that plays the user read the request of a turn."""
    return safe(f"user {user.user}: {user.choice}", "dim")


def _signature(name: str, parameters: dict[str, list[str] | None]) -> str:
    values = ("|".join(v) if v else name for name, v in parameters.items())
    return f"{name}({', '.join(values)})"


def _coloured(verdict: AnyVerdict) -> Text:
    correct = "correct" in (verdict.category, verdict.suggestion)
    return Text(verdict_words(verdict), "green" if correct else "red")
