"""The environment, which plays one sample as a Markov decision process.

See `docs/protocol.md`, section "The decision problem".

`observe()` returns the current observation, `step(action)` plays one turn. This file holds the
rules that all scenarios share. Each scenario's own file defines its moves and the states in which
a suggestion or a category counts.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, NamedTuple, TypeVar

from proactive_agent.scenarios.sample import Sample, check_template, is_abstention, quoted
from proactive_agent.scenarios.wording import Wording
from proactive_agent.tools import Abstain, Action, Answer, Intervention, Invalid, UserError, Vague

Verdict = Literal["correct", "wrong", "mismatch"]
"""correct: accepted in this state; wrong: another option of the list; mismatch: not in the list."""

Stop = Literal["answered", "abstained", "invalid", "turn_limit", "left_video"]
"""left_video: a random intervention after a foreign suggestion led out of the video."""


class Verdicts(NamedTuple):
    """The verdict on an action, against the suggestions and against the categories."""

    suggestion: Verdict
    category: Verdict


class ImageRef(NamedTuple):
    """A picture of a data folder, optionally cropped and scaled."""

    path: str
    """Relative to the data folder."""
    crop: tuple[float, float, float, float] | None = None
    """(left, upper, right, lower) in pixels of the file, possibly fractional."""
    short_edge: int | None = None
    """Length in pixels to which the shorter edge is scaled; None keeps the size."""
    like: "ImageRef | None" = None
    """Another picture, to whose width and height this one is scaled."""


@dataclass(frozen=True, slots=True)
class Option:
    """A suggestion or an abstention, in the sample's own words."""

    text: str
    action: Intervention | Abstain


@dataclass(frozen=True, slots=True)
class Observation:
    """The view of a state that the model gets. It does not reveal the right option."""

    image: ImageRef
    question: str
    hint: str
    options: tuple[Option, ...]
    """Suggestions and abstentions of this state, in order; empty in the reference condition."""
    categories: tuple[str, ...]

    @property
    def texts(self) -> list[str]:
        """All options of the multiple-choice question, in order."""
        return [*(option.text for option in self.options), *self.categories]

    @property
    def suggestions(self) -> list[tuple[Intervention, str]]:
        """The interventions on offer and their wording."""
        return [(o.action, o.text) for o in self.options if isinstance(o.action, Intervention)]

    def wording_of(self, intervention: Intervention) -> str:
        """Returns the sample's first wording of an intervention, without the full stop."""
        found = (text for action, text in self.suggestions if action == intervention)
        return next(found, str(intervention)).removesuffix(".")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one turn."""

    verdicts: Verdicts
    stop: Stop | None
    """The reason for the end of the episode, or None if it continues."""
    performed: Intervention | None = None
    """The intervention that was performed, or None if there was none."""


class AcceptedAnswer(NamedTuple):
    """An answer that counts as right to an open-ended question."""

    text: str
    """The answer without its final full stop."""
    intervention: Intervention | None = None
    """The intervention that a proactive answer asks for; without an argument it stands for every
    direction. None for a category."""

    @property
    def kind(self) -> Literal["proactive", "category"]:
        """Whether the answer asks for an intervention or names the category."""
        return "category" if self.intervention is None else "proactive"


class ForeignSuggestions(NamedTuple):
    """Suggestions of other scenarios, each of which causes a random intervention of this scenario.

    In all states that accept a suggestion of the sample, each foreign suggestion is accepted.
    """

    options: tuple[Option, ...] | None
    """Suggestions and abstentions on offer in every state; None leaves the sample's own."""
    accepted: frozenset[Intervention]
    """The interventions that the foreign suggestions ask for."""


class ExampleForm(NamedTuple):
    """The form of solved episodes that are shown as in-context examples."""

    suggestions: int | None
    """Suggestions before the answer; None means as many as the turn limit allows."""
    reduced_edge: int
    """Length in pixels of a picture's shorter edge in the reduced form."""


class SampleError(UserError):
    """A sample leads to a state that does not exist. Loading cannot detect this, only play."""


S = TypeVar("S", bound=Sample)


class Environment(ABC, Generic[S]):
    """One sample in play. Create one per episode; it is not thread-safe."""

    name: ClassVar[str]
    """Short name, used by `--scenario`."""
    stem: ClassVar[str]
    """Stem of the data file's name."""
    title: ClassVar[str]
    """Name in tables, as in the paper."""
    published_counts: ClassVar[tuple[int, int]] = (0, 0)
    """Samples of the official release before and after the filter; 0 if it lacks the scenario."""
    sample_type: ClassVar[type[Sample]]
    places: ClassVar[frozenset[str]] = frozenset({"image"})
    """Names of the fields that an image template may contain."""
    keywords: ClassVar[dict[str, Intervention]]
    """Lower-case words that identify an option's intervention."""
    helpful_tools: ClassVar[frozenset[str]]
    """Tools that would help in this scenario even if the exact request is impossible (paper,
    Table 10)."""
    open_ended: ClassVar[tuple[Intervention, ...]] = ()
    """Interventions that an open-ended answer may ask for, in the published order. `Wording` has a
    phrase for each."""
    frames_form_ring: ClassVar[bool] = False
    """Whether the first frame follows the last one."""
    can_lead_away: ClassVar[bool] = False
    """Whether an accepted suggestion can lead away from the reference frame."""
    example_form: ClassVar[ExampleForm | None] = None
    """The form of solved episodes; None if the scenario has none (the paper has them for two)."""
    first_frame_tells: ClassVar[bool] = True
    """Whether the right category is a correct open-ended answer to the first frame."""

    def __init__(
        self, sample: S, wording: Wording, *, reference: bool = False, clear: bool = False
    ) -> None:
        self.sample = sample
        self.wording = wording
        self.reference = reference
        """One turn that shows the reference frame and offers only the categories."""
        self.clear = clear
        """One turn that shows the reference frame with the question, the options and the picture
        size of the first state. No suggestion is accepted, because none is needed."""
        self.single_turn = False
        """Whether an open-ended question is asked only once. Suggestions are then not carried
        out."""
        self.foreign: ForeignSuggestions | None = None
        """Suggestions that replace those of the sample."""
        self.rng = random.Random(0)
        """Draws the interventions that are performed after foreign suggestions."""
        self.turn = 0
        self.idle_turns = 0
        """Turns that changed nothing: vague questions, and forgiven suggestions."""
        self.frame = sample.first_image
        self.last_intervention: Intervention | None = None
        self.stop: Stop | None = None
        self.correct = False

    # Defined by each scenario --------------------------------------------------------------

    @property
    def max_steps(self) -> int:
        """The turn limit."""
        return self.sample.num_images

    @abstractmethod
    def image(self) -> ImageRef:
        """Returns the picture of this state."""

    @abstractmethod
    def reference_image(self) -> ImageRef:
        """Returns the picture that shows the object clearly."""

    @abstractmethod
    def move(self, intervention: Intervention) -> None:
        """Changes the state as an accepted suggestion asks."""

    @abstractmethod
    def toward_reference(self) -> Intervention | None:
        """Returns the next step of the shortest way to the reference frame, or None once there."""

    def possible(self, option: str) -> bool:
        """Returns whether this state still offers a suggestion of the sample."""
        return True

    def accepts(self, suggestion: str) -> bool:
        """Returns whether an offered suggestion changes the picture in this state."""
        return True

    def accepts_category(self) -> bool:
        """Returns whether the right category counts as correct in this state."""
        return True

    def frame_exists(self, frame: int) -> bool:
        """Returns whether the sample has a frame of that number."""
        return 0 <= frame < self.sample.num_images

    def admissible(self) -> list[Intervention]:
        """Returns the interventions that may follow a foreign suggestion in this state.

        These are the sample's own, even if the state does not offer them.
        """
        actions = [self.intervention(o) for o in self.sample.suggestions if self.accepts(o)]
        return list(dict.fromkeys(action for action in actions if action is not None))

    def open_ended_suggestions(self) -> list[AcceptedAnswer]:
        """Returns the proactive answers to an open-ended question that count in this state."""
        phrases = self.wording.open_ended(self.name)
        return [AcceptedAnswer(*pair) for pair in zip(phrases, self.open_ended, strict=True)]

    @property
    def hint(self) -> str:
        """The sentence that hints at asking for help."""
        return self.wording.hint(self.name)

    def clear_image(self) -> ImageRef:
        """Returns the picture of the condition `clear`, before it gets the first frame's size."""
        return self.reference_image()

    def has_clear_frame(self) -> bool:
        """Returns whether a picture of the first frame's size can show the object clearly."""
        return True

    def at_reference(self) -> bool:
        """Returns whether no suggestion leads closer to the reference frame."""
        return self.toward_reference() is None

    # Shared by all scenarios ---------------------------------------------------------------

    @classmethod
    def intervention(cls, option: str) -> Intervention | None:
        """Returns the intervention that an option's text asks for, or None if it has no keyword.

        Raises ValueError if the text asks for two different interventions.
        """
        lowered = option.lower()
        found = {intervention for word, intervention in cls.keywords.items() if word in lowered}
        if len(found) > 1:
            raise ValueError(
                f"option {quoted(option)} asks for several things: {', '.join(map(str, found))}"
            )
        return found.pop() if found else None

    @classmethod
    def path_problem(cls, template: str) -> str | None:
        """Returns the fault of an image template, or None."""
        return check_template(template, cls.places)

    @classmethod
    def check(cls, sample: S) -> None:
        """Raises ValueError if a sample cannot be played. Called when a sample is loaded."""
        if problem := cls.path_problem(sample.image_template):
            raise ValueError(problem)
        for option in sample.suggestions:
            if cls.intervention(option) is None:
                words = ", ".join(map(repr, cls.keywords))
                raise ValueError(f"options: {quoted(option)} contains none of {words}")

    @property
    def shows_reference(self) -> bool:
        """Whether the episode is a single turn on the reference frame."""
        return self.reference or self.clear

    @property
    def last_allowed_turn(self) -> bool:
        """Whether this turn reaches the number of frames."""
        return self.turn + 1 == self.sample.num_images

    def offered(self) -> list[str]:
        """Returns the suggestions and abstentions that this state offers, in order."""
        if self.reference:
            return []
        if self.foreign and self.foreign.options is not None:
            return [option.text for option in self.foreign.options]
        return [o for o in self.sample.options if is_abstention(o) or self.possible(o)]

    def suggestions_of_episode(self) -> list[tuple[Intervention, str]]:
        """Returns the interventions that are on offer in some state, and their wording."""
        if self.foreign and self.foreign.options is not None:
            texts = self.offered()
        else:
            texts = list(self.sample.options)
        options = map(self._option, texts)
        return [(o.action, o.text) for o in options if isinstance(o.action, Intervention)]

    def accepted_suggestions(self) -> list[str]:
        """Returns the offered options that change the picture in this state."""
        if self.clear:
            return []
        offered = [o for o in self.offered() if not is_abstention(o)]
        if self.foreign and self.foreign.options is not None:
            return offered if self.admissible() else []
        return [o for o in offered if self.accepts(o)]

    def possible_interventions(self) -> list[Intervention]:
        """Returns the distinct interventions that change the picture, in the options' order."""
        actions = [self._option(text).action for text in self.accepted_suggestions()]
        return list(dict.fromkeys(a for a in actions if isinstance(a, Intervention)))

    def accepted_categories(self) -> list[str]:
        """Returns the right category if it counts in this state, else an empty list."""
        counts = self.accepts_category() and (self.first_frame_tells or not self.single_turn)
        return [self.sample.answer] if self.shows_reference or counts else []

    def accepted_answers(self) -> list[AcceptedAnswer]:
        """Returns the answers to an open-ended question that count in this state.

        Proactive answers come first. The order is the published one, because judges answer with
        one verdict for each.
        """
        answers = [] if self.reference else self.open_ended_suggestions()
        categories = self.accepted_categories()
        return answers + [AcceptedAnswer(category.removesuffix(".")) for category in categories]

    def is_informative(self) -> bool | None:
        """Returns whether the frame shows enough to answer.

        The sample may list such frames. Otherwise it is the frame from which no suggestion leads
        closer to the reference frame. Returns None if the question is asked only once and the frame
        is not the reference frame.
        """
        if self.shows_reference:
            return True
        if self.single_turn:
            return None
        if self.sample.enough is not None:
            return self.frame in self.sample.enough
        return self.at_reference()

    def observe(self) -> Observation:
        """Returns the observation that the model sees."""
        question = self.sample.prompt
        if self.reference:
            question = self.wording.reference_questions.get(self.name, question)
        if prefix := self.wording.prefixes.get(self.name):
            question = f"{prefix} {question}"
        return Observation(
            image=self._shown(),
            question=question,
            hint=self.hint,
            options=tuple(self._option(text) for text in self.offered()),
            categories=tuple(self.sample.categories),
        )

    def _shown(self) -> ImageRef:
        if self.clear:
            # The size must not tell a clear frame from an ambiguous one.
            return self.clear_image()._replace(like=self.image())
        return self.reference_image() if self.reference else self.image()

    def step(self, action: Action, *, forgiving: bool = False) -> Outcome:
        """Plays one turn.

        A suggestion that is not accepted ends the episode. If `forgiving`, it only costs the turn.
        A vague question only costs the turn.
        After a foreign suggestion a random admissible intervention is performed; if it leads to a
        frame that does not exist, the episode ends.
        An episode on the reference frame, and an open-ended question that is asked once, always end
        after one turn.

        Raises SampleError if an accepted suggestion leads to a frame that the sample lacks, and
        RuntimeError if the episode has already ended.
        """
        if self.stop is not None:
            raise RuntimeError(f"the episode has ended: {self.stop}")
        verdicts = self.judge(action)
        admissible = self.admissible() if self.foreign else []
        self.turn += 1
        at_limit = not self.shows_reference and self.turn == self.max_steps
        performed: Intervention | None = None
        if verdicts.category == "correct":
            self.correct = True
            self.stop = "answered"
        elif isinstance(action, Intervention | Vague) and (
            at_limit or self._granted_once(verdicts)
        ):
            self.stop = "turn_limit"
        elif verdicts.suggestion == "correct" and isinstance(action, Intervention):
            performed = self._perform(action, admissible)
        elif self._one_turn or not (
            isinstance(action, Vague) or (forgiving and isinstance(action, Intervention))
        ):
            self.stop = _stop_of(action)
        else:
            self.idle_turns += 1
        return Outcome(verdicts, self.stop, performed)

    def _perform(
        self, suggestion: Intervention, admissible: Sequence[Intervention]
    ) -> Intervention:
        """Carries out an accepted suggestion and returns the intervention that was performed."""
        before, performed = self.frame, suggestion
        if self._is_foreign(suggestion):
            performed = self.rng.choice(admissible)
        self.move(performed)
        self.last_intervention = performed
        if not self.frame_exists(self.frame):
            if not self._is_foreign(suggestion):
                raise SampleError(f"sample {self.sample.id}: there is no frame {self.frame}")
            self.frame, self.stop = before, "left_video"
        return performed

    @property
    def _one_turn(self) -> bool:
        return self.shows_reference or self.single_turn

    def _granted_once(self, verdicts: Verdicts) -> bool:
        """Returns whether a suggestion is accepted in an episode that has only one turn."""
        return self.single_turn and verdicts.suggestion == "correct"

    def judge(self, action: Action) -> Verdicts:
        """Returns the verdict on an action in this state."""
        match action:
            case Intervention():
                possible = action in self.possible_interventions() or (
                    self._is_foreign(action) and bool(self.admissible())
                )
                return Verdicts("correct" if possible else "wrong", "mismatch")
            case Abstain():
                return Verdicts("wrong", "mismatch")
            case Answer(category):
                right = category in self.accepted_categories()
                return Verdicts("mismatch", "correct" if right else "wrong")
            case Invalid() | Vague():
                return Verdicts("mismatch", "mismatch")

    def best_action(self) -> Action:
        """Returns the best next action: a step to the reference frame, then the right category."""
        possible = self.possible_interventions()
        step = self.toward_reference()
        out_of_turns = self.turn + 1 >= self.max_steps
        if self.accepted_categories() and (step not in possible or out_of_turns):
            return Answer(self.sample.answer)
        if step in possible:
            return step
        return possible[0] if possible else Abstain()

    def fewest_suggestions(self) -> int | None:
        """Plays the shortest way to the reference frame and returns its number of suggestions.

        If the turn limit comes first, counts the suggestions up to it. Returns None if the episode
        has only one turn, if suggestions lead to random interventions, or if the way leads to a
        frame that the sample lacks.
        """
        if self._one_turn or self.foreign:
            return None
        suggestions = 0
        try:
            while self.stop is None and isinstance(action := self.best_action(), Intervention):
                self.step(action)
                suggestions += 1
        except SampleError:
            return None
        return suggestions

    def _is_foreign(self, suggestion: Intervention) -> bool:
        return self.foreign is not None and suggestion in self.foreign.accepted

    def _option(self, text: str) -> Option:
        for option in (self.foreign and self.foreign.options) or ():
            if option.text == text:
                return option
        if is_abstention(text):
            return Option(text, Abstain(text))
        intervention = self.intervention(text)
        if intervention is None:
            raise SampleError(f"sample {self.sample.id}: option {quoted(text)} is not understood")
        return Option(text, intervention)


def _stop_of(action: Action) -> Stop:
    match action:
        case Answer():
            return "answered"
        case Abstain():
            return "abstained"
        case Intervention() | Invalid() | Vague():
            return "invalid"
