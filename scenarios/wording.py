"""The words around a sample: hints, prefixes, the sentences of the multiple choice.

Wording is part of the measurement.  `OWN` is this project's, used for the embedded suite and for
anyone's own pictures; for official data the authors' wording is read from a protocol pack
(`scenarios.protocol_pack`).  Which one a run used stands in its manifest.
"""

import hashlib
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict


class JudgeWording(BaseModel):
    """The published judge of open-ended answers."""

    model_config = ConfigDict(frozen=True)

    system: str
    user: str
    """With the places {user_prompt}, {correct_answers} and {generated_answer}."""
    proactive_answers: Mapping[str, int]
    """Per scenario title: how many of the accepted answers, from the first, are proactive."""


class Wording(BaseModel):
    """Every sentence that the multiple-choice and open-ended protocols add to a sample."""

    model_config = ConfigDict(frozen=True)

    name: str
    hints: Mapping[str, str]
    """Per scenario, and `coco-zoom` for samples that move farther."""
    prefixes: Mapping[str, str]
    """Put before the question."""
    reference_questions: Mapping[str, str]
    """Replaces the question when the reference frame is shown."""
    reasoning: Mapping[str, str]
    """A sentence that explains the proactive step in a solved example."""
    options_sentence: str
    """Announces the options; follows the question, ends with a line break."""
    answer_sentence: str
    """Follows the options."""
    open_ended_hint: str | None = None
    judge: JudgeWording | None = None

    def hint(self, key: str) -> str:
        """The hint of a scenario."""
        return self.hints[key]

    def multiple_choice(self, question: str, options: list[str]) -> str:
        """The whole prompt: question, announcement, one lettered option per line, request."""
        lettered = "".join(f"{letter(i)}. {option}\n" for i, option in enumerate(options))
        return f"{question}{self.options_sentence}{lettered}{self.answer_sentence}"

    def sha256(self) -> str:
        """Hash over all texts, for the manifest."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def letter(index: int) -> str:
    """The letter of the option at an index, from A."""
    return chr(ord("A") + index)


_STILL = "You are looking at one frame of a video."

OWN = Wording(
    name="own v1",
    hints={
        "rod": "(Whatever stands in front can be pushed aside if you ask for it.)",
        "vsod": "(The video can be played on or back if something blocks the view.)",
        "mvp-n": "(You may ask to see the thing from elsewhere.)",
        "imagenet-c": "(The picture can be repaired before you answer.)",
        "quickdraw": "(The person drawing is willing to go on if you ask.)",
        "changeit": "(Other moments of the video can be shown on request.)",
        "coco": "(The photographer can point the camera elsewhere.)",
        "coco-zoom": "(The photographer can step back to show more.)",
    },
    prefixes={"vsod": _STILL, "changeit": _STILL},
    reference_questions={"rod": "Which object can be seen?"},
    reasoning={
        "rod": "Something covers the object, so it has to be uncovered before it can be named.",
        "mvp-n": "From this side the object could be several things, so another view is needed.",
    },
    options_sentence=" Pick one of these:\n",
    answer_sentence="Write nothing but the option you pick.",
    open_ended_hint="If the user could do something that helps you to answer, say what.",
)
