"""Separates a model's thoughts from its reply.

Thoughts are enclosed in marks. A reply may begin inside them, because the chat template has
already written the opening mark. Calls and answers inside thoughts do not count.
"""

import re
from typing import NamedTuple

MARKS = (
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|channel>thought\n", "<channel|>"),
)
"""Opening and closing marks of thoughts in several families."""
_OPENING = {opening for opening, _ in MARKS}
_CLOSING = tuple(closing for _, closing in MARKS)
_MARK = re.compile("|".join(re.escape(mark) for pair in MARKS for mark in pair))
_ANSWER = re.compile(r"<answer>(.*)</answer>", re.DOTALL)


class Separated(NamedTuple):
    """A reply without its thoughts, and the thoughts."""

    text: str
    thoughts: str


def separated(written: str, *, inside: bool = False) -> Separated:
    """Separates the thoughts of a reply; `inside` if the reply begins inside them.

    Thoughts that do not end, as in a reply that is cut off, reach to the end of the reply. A
    closing mark without an opening one ends thoughts that began with the reply.
    """
    thoughts: list[str] = []
    texts: list[str] = []
    position = 0
    for match in _MARK.finditer(written):
        piece = written[position : match.start()]
        if match[0] in _OPENING:
            (thoughts if inside else texts).append(piece)
            inside = True
        else:
            if not inside:
                thoughts, texts = [*texts, piece], []
            else:
                thoughts.append(piece)
            inside = False
        position = match.end()
    (thoughts if inside else texts).append(written[position:])
    thought = "\n".join(piece.strip() for piece in thoughts if piece.strip())
    text = "".join(texts).strip()
    # GLM wraps what follows its thoughts.
    answer = _ANSWER.fullmatch(text)
    return Separated(answer[1].strip() if answer and thought else text, thought)


def answer_spans(written: str, *, inside: bool = False) -> list[tuple[int, int]]:
    """The characters of a reply that are no thoughts, as pairs of start and end.

    The marks belong to the thoughts. The arguments are those of `separated`.
    """
    spans: list[tuple[int, int]] = []
    position = 0
    for match in _MARK.finditer(written):
        if match[0] in _OPENING:
            if not inside:
                spans.append((position, match.start()))
            inside = True
        else:
            if not inside:
                spans = []
            inside = False
        position = match.end()
    if not inside:
        spans.append((position, len(written)))
    return spans


def begins_inside(prompt: str) -> bool:
    """Whether the prompt ends inside thoughts, so that the reply begins there."""
    end = prompt.rstrip()
    return any(end.endswith(opening.rstrip()) for opening in _OPENING)


def begins_with_thought(written: str) -> bool:
    """Whether a reply begins with the opening mark of a thought."""
    start = written.lstrip()
    return any(start.startswith(opening.rstrip()) for opening in _OPENING)


def begins_after(prompt: str) -> bool:
    """Whether the prompt ends with thoughts that are complete, so that the reply has none."""
    return prompt.rstrip().endswith(_CLOSING)
