"""Actions, verdicts and outcomes in a few words, of whole records and of outlines alike."""

from collections.abc import Iterator
from itertools import groupby

from rich.text import Text

from proactive_agent.failures import Episode
from proactive_agent.outline import ActionOutline, TurnOutline, VerdictOutline
from proactive_agent.records import ActionRecord, JudgementRecord, TurnRecord, VerdictRecord
from proactive_agent.terminal import safe
from proactive_agent.trace.lines import ARROW
from tools.actions import UNRELATED_REQUEST

Action = ActionRecord | ActionOutline
Turn = TurnRecord | TurnOutline

LONGEST_OUTCOME = len("wrong (turn_limit)")
BY_REQUEST = " by request"


def name_of(episode: Episode) -> str:
    """As on a command line; a repetition is named where it is not the first."""
    name = f"{episode.scenario}:{episode.sample_id}"
    return f"{name} #{episode.repeat + 1}" if episode.repeat else name


def outcome_of(episode: Episode) -> Text:
    """Whether it ended right, and how it ended where not."""
    if episode.error is not None:
        return Text("error", "bold magenta")
    if episode.outcome.correct:
        return Text("correct", "bold green")
    return Text(f"wrong ({episode.outcome.stop})", "bold red")


def steps_of(episode: Episode) -> str:
    """What was done turn by turn; what was done several times in a row is counted."""
    steps = list(_counted(map(step_of, episode.turns)))
    if episode.error is not None:
        steps.append(f"error: {episode.error.kind}")
    return ARROW.join(steps)


def short_steps_of(episode: Episode) -> str:
    """The same with as few letters as it takes, for narrow lists."""
    steps = ARROW.join(_counted(map(short_step_of, episode.turns)))
    if episode.error is not None:
        steps = f"{steps} ! {episode.error.kind}".strip()
    return steps


def step_of(turn: Turn) -> str:
    """What was done, and that the tool for requests was called for it."""
    done = action_of(turn.action)
    if turn.action.question is None or turn.via == "text":
        return done
    return f"{UNRELATED_REQUEST.tool}: {done.removesuffix(BY_REQUEST)}"


def short_step_of(turn: Turn) -> str:
    """The same in a word or two."""
    done = short_action_of(turn.action)
    if turn.action.question is None:
        return done
    return f"ask {done}" if turn.via == "call" else f"say {done}"


def action_of(action: Action) -> str:
    """What a reply was read as."""
    match action.kind:
        case "intervention" if action.tool == UNRELATED_REQUEST.tool:
            return "asks for nothing that helps"
        case "intervention":
            text = f"{action.tool}({action.argument or ''})"
            if action.question is not None:
                text += " mapped from a request" if action.mapped else BY_REQUEST
            return text
        case "answer":
            return f"answer: {action.category}"
        case "abstain":
            return "abstain"
        case _:
            detail = getattr(action, "detail", None)
            return f"invalid: {action.why}" + (f" ({detail})" if detail else "")


def short_action_of(action: Action) -> str:
    """An action in a word or two."""
    match action.kind:
        case "intervention" if action.tool == UNRELATED_REQUEST.tool:
            return "?"
        case "intervention":
            return action.argument or str(action.tool)
        case "answer":
            return str(action.category).removesuffix(".")
        case "abstain":
            return "abstain"
        case _:
            return str(action.why)


def verdict_of(turn: Turn) -> Text:
    """The verdict, and the lenient parser's where it differs."""
    text = _verdict(turn.verdict)
    if turn.lenient_verdict is not None:
        text += Text("; lenient: ") + _verdict(turn.lenient_verdict)
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


def _counted(steps: Iterator[str]) -> Iterator[str]:
    for step, same in groupby(steps):
        times = sum(1 for _ in same)
        yield f"{step} ×{times}" if times > 1 else step


def _signature(name: str, parameters: dict[str, list[str] | None]) -> str:
    values = ("|".join(v) if v else name for name, v in parameters.items())
    return f"{name}({', '.join(values)})"


def _verdict(verdict: VerdictRecord | VerdictOutline) -> Text:
    if verdict.category != "mismatch":
        colour = "green" if verdict.category == "correct" else "red"
        return Text(f"category {verdict.category}", colour)
    if verdict.suggestion != "mismatch":
        colour = "green" if verdict.suggestion == "correct" else "red"
        return Text(f"suggestion {verdict.suggestion}", colour)
    return Text("no match", "red")
