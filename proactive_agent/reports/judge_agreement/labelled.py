"""Open-ended answers with labels, against which judges are measured.

The file holds a line of JSON per answer:

    {"scenario": "vsod", "question": "What stands here?", "accepted": [{"text": "Rewind the video",
     "kind": "proactive"}, {"text": "Horse", "kind": "category"}], "answer": "Go back, please.",
     "proactive": true, "category": false}

`category` is null if no category is accepted. The rule-based judge also reads two optional fields:
the intervention of an accepted answer (`tool`, `argument`) and the wrong categories
(`other_categories`). In the embedded file, `held_out` marks the answers on which the rules were
not tuned.

Labelling rules of the embedded file: a request counts if it asks for one of the accepted
interventions, wishes for it or says that it is needed, in any words. General wishes (a clearer
picture, more information) and other interventions do not count. A category counts if the answer
settles on it, even as a guess. It does not count if it is one of several, rejected or asked about.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from proactive_agent.disk.regular_file import open_regular_text
from proactive_agent.play.judges.base import Case, said
from proactive_agent.scenarios import SCENARIOS, AcceptedAnswer
from proactive_agent.tools import Intervention, UserError
from proactive_agent.tools.errors import first_problem
from proactive_agent.tools.phrases import requests_in

EMBEDDED = Path(__file__).with_name("labelled.jsonl")
"""The labelled answers that are part of the package."""

Kind = Literal["proactive", "category"]


class _Accepted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1)]
    kind: Kind
    tool: str | None = None
    argument: str | None = None

    def as_answer(self) -> AcceptedAnswer:
        if self.kind == "category":
            return AcceptedAnswer(self.text)
        if self.tool is not None:
            return AcceptedAnswer(self.text, Intervention(self.tool, self.argument))
        found = requests_in(self.text)
        # An answer that the rules do not understand is still proactive, but they never match it.
        return AcceptedAnswer(self.text, found[0] if found else Intervention("unknown"))


class LabelledAnswer(BaseModel):
    """An answer with its label."""

    model_config = ConfigDict(extra="ignore")

    scenario: str
    question: str
    accepted: list[_Accepted] = Field(min_length=1)
    other_categories: list[str] = []
    answer: str
    proactive: bool
    category: bool | None
    held_out: bool = False

    @model_validator(mode="after")
    def _labels_fit(self) -> Self:
        if self.scenario not in SCENARIOS:
            raise ValueError(f"unknown scenario {self.scenario!r}; known: {', '.join(SCENARIOS)}")
        has_category = any(answer.kind == "category" for answer in self.accepted)
        if has_category is (self.category is None):
            raise ValueError("category must be null if no category is accepted, and only then")
        if self.proactive and all(answer.kind == "category" for answer in self.accepted):
            raise ValueError("proactive is true, but no proactive answer is accepted")
        return self

    @property
    def case(self) -> Case:
        """The case that a judge is shown."""
        return Case(
            self.scenario,
            self.question,
            tuple(answer.as_answer() for answer in self.accepted),
            tuple(self.other_categories),
            said(self.answer),
        )


def read_labelled(file: Path) -> list[LabelledAnswer]:
    """Reads all answers of a file. Raises UserError, which names the line."""
    return list(_lines(file))


def _lines(file: Path) -> Iterator[LabelledAnswer]:
    try:
        with open_regular_text(file) as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield _parse(line, f"{file}, line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: {error}") from None


def _parse(line: str, place: str) -> LabelledAnswer:
    try:
        return LabelledAnswer.model_validate_json(line)
    except ValidationError as error:
        raise UserError(f"{place}: {first_problem(error)}") from None
