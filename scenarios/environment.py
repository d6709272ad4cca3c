"""The environment: a sample in play, as a Markov decision process (`protocol.md` section 3).

`observe()` shows a state, `step(action)` plays one turn.  What the seven scenarios share stands
here; how each moves, and when a suggestion or a category counts, stands in its own file.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, NamedTuple, TypeVar

from proactive_agent.scenarios.sample import Sample, check_template, is_abstention
from proactive_agent.scenarios.wording import Wording
from proactive_agent.tools import Abstain, Action, Answer, Intervention, Invalid, UserError

Verdict = Literal["correct", "wrong", "mismatch"]
"""correct: accepted in this state; wrong: another option of the list; mismatch: not in the list."""

Stop = Literal["answered", "abstained", "invalid", "turn_limit"]


class Verdicts(NamedTuple):
    """A turn's result, judged against the suggestions and against the categories."""

    suggestion: Verdict
    category: Verdict


class ImageRef(NamedTuple):
    """A picture of the data: its path inside the data folder, and what of it is shown how large."""

    path: str
    crop: tuple[float, float, float, float] | None = None
    """(left, upper, right, lower) in pixels of the file; fractions are kept as computed."""
    short_edge: int | None = None
    """Pixels that the shorter edge is scaled to; None leaves the size."""


@dataclass(frozen=True, slots=True)
class Option:
    """A suggestion or an abstention as the sample words it."""

    text: str
    action: Intervention | Abstain


@dataclass(frozen=True, slots=True)
class Observation:
    """What a state shows: never which of it is right."""

    image: ImageRef
    question: str
    hint: str
    options: tuple[Option, ...]
    """The suggestions and abstentions of this state, in order; none in the reference condition."""
    categories: tuple[str, ...]

    @property
    def texts(self) -> list[str]:
        """Every option of the multiple choice, in order."""
        return [*(option.text for option in self.options), *self.categories]

    @property
    def suggestions(self) -> list[tuple[Intervention, str]]:
        """The interventions on offer, each with its wording."""
        return [(o.action, o.text) for o in self.options if isinstance(o.action, Intervention)]

    def wording_of(self, intervention: Intervention) -> str:
        """The sample's first wording of an intervention, without its full stop."""
        found = (text for action, text in self.suggestions if action == intervention)
        return next(found, str(intervention)).removesuffix(".")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one turn."""

    verdicts: Verdicts
    stop: Stop | None
    """Why the episode ended; None while it goes on."""


class AcceptedAnswer(NamedTuple):
    """An answer that counts as right to an open-ended question."""

    text: str
    """Without the final full stop."""
    intervention: Intervention | None = None
    """The intervention that a proactive answer asks for; without an argument it stands for every
    direction.  None for a category."""

    @property
    def kind(self) -> Literal["proactive", "category"]:
        """Whether the answer asks for an intervention or names the category."""
        return "category" if self.intervention is None else "proactive"


class SampleError(UserError):
    """A sample leads into a state that does not exist; found only in play."""


S = TypeVar("S", bound=Sample)


class Environment(ABC, Generic[S]):
    """One sample in play.  Not thread-safe; one per episode."""

    name: ClassVar[str]
    """Short name, as in `--scenario`."""
    stem: ClassVar[str]
    """Stem of the official data file."""
    title: ClassVar[str]
    """Name in the paper's tables."""
    published_counts: ClassVar[tuple[int, int]] = (0, 0)
    """Samples of the official release before and after the filter; 0 if it lacks the scenario."""
    sample_type: ClassVar[type[Sample]]
    places: ClassVar[frozenset[str]] = frozenset({"image"})
    """What an image template may leave open."""
    keywords: ClassVar[dict[str, Intervention]]
    """By which words (lower case) an option is known as which intervention."""
    helpful_tools: ClassVar[frozenset[str]]
    """Tools whose wish would help here even where it cannot be done as worded (paper, Table 10)."""
    open_ended: ClassVar[tuple[Intervention, ...]] = ()
    """What an open-ended answer may ask for, in the published order; the wording has a phrase for
    each."""
    frames_form_ring: ClassVar[bool] = False
    """Whether the first frame follows the last one."""
    first_frame_tells: ClassVar[bool] = True
    """Whether the right category counts as an open-ended answer to the first frame."""

    def __init__(
        self, sample: S, wording: Wording, *, reference: bool = False, clear: bool = False
    ) -> None:
        self.sample = sample
        self.wording = wording
        self.reference = reference
        """Shows the reference frame and offers the categories alone, for one turn."""
        self.clear = clear
        """Shows the reference frame and offers what the first state does, for one turn: no
        suggestion is accepted, as none is needed."""
        self.single_turn = False
        """Set for an open-ended question that is asked once: what is suggested is not done."""
        self.turn = 0
        self.frame = sample.first_image
        self.last_intervention: Intervention | None = None
        self.stop: Stop | None = None
        self.correct = False

    # What each scenario says for itself -----------------------------------------------------

    @property
    def max_steps(self) -> int:
        """The turn limit."""
        return self.sample.num_images

    @abstractmethod
    def image(self) -> ImageRef:
        """The picture of this state."""

    @abstractmethod
    def reference_image(self) -> ImageRef:
        """The picture that holds enough information."""

    @abstractmethod
    def move(self, intervention: Intervention) -> None:
        """Changes the state as an accepted suggestion asks."""

    @abstractmethod
    def toward_reference(self) -> Intervention | None:
        """The suggestion that leads to the reference frame soonest; None where it is reached."""

    def possible(self, option: str) -> bool:
        """Whether a suggestion of the sample is still on offer in this state."""
        return True

    def accepts(self, suggestion: str) -> bool:
        """Whether a suggestion that is on offer changes the picture in this state."""
        return True

    def accepts_category(self) -> bool:
        """Whether the right category counts in this state."""
        return True

    def frame_exists(self, frame: int) -> bool:
        """Whether the sample has a frame of that number."""
        return 0 <= frame < self.sample.num_images

    def open_ended_suggestions(self) -> list[AcceptedAnswer]:
        """What an open-ended answer may ask for here."""
        phrases = self.wording.open_ended(self.name)
        return [AcceptedAnswer(*pair) for pair in zip(phrases, self.open_ended, strict=True)]

    @property
    def hint(self) -> str:
        """The scenario's hint at being proactive."""
        return self.wording.hint(self.name)

    # What all share -------------------------------------------------------------------------

    @classmethod
    def intervention(cls, option: str) -> Intervention | None:
        """The intervention that an option's text asks for, None if the scenario knows none.

        Raises ValueError where the text asks for two different ones.
        """
        lowered = option.lower()
        found = {intervention for word, intervention in cls.keywords.items() if word in lowered}
        if len(found) > 1:
            raise ValueError(
                f"option {option!r} asks for several things: {', '.join(map(str, found))}"
            )
        return found.pop() if found else None

    @classmethod
    def path_problem(cls, template: str) -> str | None:
        """What is wrong with an image template, or None."""
        return check_template(template, cls.places)

    @classmethod
    def check(cls, sample: S) -> None:
        """Raises ValueError where a sample cannot be played; called on load."""
        if problem := cls.path_problem(sample.image_template):
            raise ValueError(problem)
        for option in sample.suggestions:
            if cls.intervention(option) is None:
                words = ", ".join(map(repr, cls.keywords))
                raise ValueError(f"options: {option!r} holds none of {words}")

    @property
    def shows_reference(self) -> bool:
        """Whether the one turn there is shows the reference frame."""
        return self.reference or self.clear

    @property
    def last_allowed_turn(self) -> bool:
        """Whether the turn limit is reached after this turn."""
        return self.turn + 1 == self.sample.num_images

    def offered(self) -> list[str]:
        """The sample's suggestions and abstentions that this state shows, in order."""
        if self.reference:
            return []
        return [o for o in self.sample.options if is_abstention(o) or self.possible(o)]

    def accepted_suggestions(self) -> list[str]:
        """The options on offer that change the picture now."""
        if self.clear:
            return []
        return [o for o in self.offered() if not is_abstention(o) and self.accepts(o)]

    def possible_interventions(self) -> list[Intervention]:
        """What changes the picture now, without repeats, in the order of the options."""
        actions = [self._option(text).action for text in self.accepted_suggestions()]
        return list(dict.fromkeys(a for a in actions if isinstance(a, Intervention)))

    def accepted_categories(self) -> list[str]:
        """The right category, where this state lets it count."""
        counts = self.accepts_category() and (self.first_frame_tells or not self.single_turn)
        return [self.sample.answer] if self.shows_reference or counts else []

    def accepted_answers(self) -> list[AcceptedAnswer]:
        """Returns the answers to an open-ended question that count in this state.

        Proactive answers come first.  The order is the published one, because judges answer with
        one verdict for each.
        """
        answers = [] if self.reference else self.open_ended_suggestions()
        categories = self.accepted_categories()
        return answers + [AcceptedAnswer(category.removesuffix(".")) for category in categories]

    def observe(self) -> Observation:
        """What this state shows."""
        question = self.sample.prompt
        if self.shows_reference:
            question = self.wording.reference_questions.get(self.name, question)
        if prefix := self.wording.prefixes.get(self.name):
            question = f"{prefix} {question}"
        return Observation(
            image=self.reference_image() if self.shows_reference else self.image(),
            question=question,
            hint=self.hint,
            options=tuple(self._option(text) for text in self.offered()),
            categories=tuple(self.sample.categories),
        )

    def step(self, action: Action, *, forgiving: bool = False) -> Outcome:
        """Plays one turn.

        A suggestion that this state does not accept ends the episode, unless `forgiving`: then
        only the turn is lost.  On the reference frame, and for an open-ended question that is asked
        once, there is one turn, always.  Raises SampleError where an accepted suggestion leads to a
        frame that the sample does not have, RuntimeError after the end.
        """
        if self.stop is not None:
            raise RuntimeError(f"the episode has ended: {self.stop}")
        verdicts = self.judge(action)
        self.turn += 1
        at_limit = not self.shows_reference and self.turn == self.max_steps
        if verdicts.category == "correct":
            self.correct = True
            self.stop = "answered"
        elif isinstance(action, Intervention) and (at_limit or self._granted_once(verdicts)):
            self.stop = "turn_limit"
        elif verdicts.suggestion == "correct" and isinstance(action, Intervention):
            self.move(action)
            self.last_intervention = action
            if not self.frame_exists(self.frame):
                raise SampleError(f"sample {self.sample.id}: there is no frame {self.frame}")
        elif self._one_turn or not (forgiving and isinstance(action, Intervention)):
            self.stop = _stop_of(action)
        return Outcome(verdicts, self.stop)

    @property
    def _one_turn(self) -> bool:
        return self.shows_reference or self.single_turn

    def _granted_once(self, verdicts: Verdicts) -> bool:
        """Whether a suggestion is accepted, but there is no turn left to do it for."""
        return self.single_turn and verdicts.suggestion == "correct"

    def judge(self, action: Action) -> Verdicts:
        """How an action is judged in this state."""
        match action:
            case Intervention():
                possible = action in self.possible_interventions()
                return Verdicts("correct" if possible else "wrong", "mismatch")
            case Abstain():
                return Verdicts("wrong", "mismatch")
            case Answer(category):
                right = category in self.accepted_categories()
                return Verdicts("mismatch", "correct" if right else "wrong")
            case Invalid():
                return Verdicts("mismatch", "mismatch")

    def best_action(self) -> Action:
        """The next action of the shortest way: to the reference frame, then the right category."""
        possible = self.possible_interventions()
        step = self.toward_reference()
        out_of_turns = self.turn + 1 >= self.max_steps
        if self.accepted_categories() and (step not in possible or out_of_turns):
            return Answer(self.sample.answer)
        if step in possible:
            return step
        return possible[0] if possible else Abstain()

    def fewest_suggestions(self) -> int | None:
        """How many suggestions the shortest way to the reference frame takes; walks it to its end.

        As many as the turn limit lets, where the frame lies beyond it; None where nothing is to be
        suggested, or the way leaves the sample.
        """
        if self._one_turn:
            return None
        suggestions = 0
        try:
            while self.stop is None and isinstance(action := self.best_action(), Intervention):
                self.step(action)
                suggestions += 1
        except SampleError:
            return None
        return suggestions

    def _option(self, text: str) -> Option:
        if is_abstention(text):
            return Option(text, Abstain(text))
        intervention = self.intervention(text)
        if intervention is None:
            raise SampleError(f"sample {self.sample.id}: option {text!r} is not understood")
        return Option(text, intervention)


def _stop_of(action: Action) -> Stop:
    match action:
        case Answer():
            return "answered"
        case Abstain():
            return "abstained"
        case Intervention() | Invalid():
            return "invalid"
