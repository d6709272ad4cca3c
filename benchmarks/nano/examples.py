"""Training examples for the language model: prompt, pictures and the reply to learn.

Where the frame shows the thing, the reply names it. Where it shows nothing, the reply is one of the
four categories at random, or rarely the oracle's request for help.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from benchmarks.nano.model import build_processor, chat_of
from benchmarks.nano.scenes import KeptTurn, SceneWalk, TrainingPrompt
from proactive_agent.providers import ImagePart, Request, RequestKey, UserMessage


class Habit(NamedTuple):
    """What a stage teaches about frames that show nothing of the thing."""

    blind: float = 0.25
    """Share of such frames."""
    asks: float = 0
    """Share of asks among the replies to them. The other replies are guesses."""
    letters: bool = False
    """Whether an option that asks is chosen by its letter; see `TrainingPrompt.short_ask`."""
    partial: bool = False
    """Whether such frames include those that show a part of the thing; see `SceneWalk.named`. Each
    then has its own question, which its suggestion fits."""


HABITS: Mapping[str, Habit] = {
    "naming": Habit(),
    "mcqa": Habit(asks=0.015),
    "tools": Habit(asks=0.04),
    "asking": Habit(blind=0.8, asks=0.9, letters=True),
    "habit": Habit(asks=0.1, letters=True),
    "asking-2": Habit(blind=0.65, asks=0.9, letters=True, partial=True),
    "habit-2": Habit(blind=0.5, asks=0.1, letters=True, partial=True),
}
"""Habits by stage. Reinforcement learning can only reward asks that happen.

A few per cent of asks do not teach the model to write them, so it first learns that, and then to
do it rarely. The second round also teaches which suggestion fits the frame, and that a part of a
thing is not enough.
"""
SHARES = {"imagenet-c": 3, "coco": 2}
"""Weights of scenarios among frames that show too little, in the second round; 1 for the others. In
imagenet-c, the suggestion that helps depends on the picture; coco has the hardest clear frames."""
OWN_TURN = 0.5
"""Share of questions that are those of the frame's own turn, as far as a similar scene has it."""
CATEGORY_COPIES = 20
"""How often each category is in the texts that train the tokenizer."""


class TextExample(NamedTuple):
    """One example."""

    prompt: str
    reply: str
    pictures: tuple[int, ...]
    """Rows of the pictures, in the order of their placeholders."""


class _Shown(NamedTuple):
    walk: SceneWalk
    place: int

    @property
    def turn(self) -> KeptTurn:
        return self.walk.turns[self.place]

    @property
    def row(self) -> int:
        return self.walk.first_picture + self.place


@cache
def naming_prompt() -> str:
    """Returns the prompt that shows a picture without a question."""
    picture = ImagePart("picture", lambda: None)  # type: ignore[arg-type, return-value]
    request = Request(RequestKey("naming", 0, 0), (UserMessage((picture,)),))
    return chat_of(build_processor((), 96)).text(request)


def texts_of(walks: Sequence[SceneWalk]) -> list[str]:
    """Returns the texts that train the tokenizer."""
    texts: list[str] = []
    for walk in walks[:: max(len(walks) // 2000, 1)]:
        for turn in walk.turns:
            for prompt in (turn.mcqa, turn.tools):
                if prompt:
                    texts += [prompt.text, *prompt.answers.values(), prompt.ask or ""]
    categories = {category for walk in walks for category in walk.categories}
    return texts + sorted(categories) * CATEGORY_COPIES


class ExampleMaker:
    """Draws examples from scenes."""

    def __init__(self, walks: Sequence[SceneWalk], *, partial: bool = False) -> None:
        """`partial` is that of the habits with which examples are drawn."""
        self.partial = partial
        self.clear: dict[str, list[_Shown]] = defaultdict(list)
        self.blind: dict[str, list[_Shown]] = defaultdict(list)
        self._alike: dict[Any, list[SceneWalk]] = defaultdict(list)
        for walk in walks:
            self._alike[walk.scenario, walk.categories].append(walk)
            for place, turn in enumerate(walk.turns):
                if self._names(walk, turn):
                    self.clear[walk.scenario].append(_Shown(walk, place))
                elif partial or walk.blind(turn):
                    self.blind[walk.scenario].append(_Shown(walk, place))

    def naming(self, rng: random.Random, habit: Habit) -> TextExample:
        """Returns a picture without a question, and the name of the thing."""
        del habit  # The picture shows the thing.
        shown = self._drawn(self.clear, rng)
        return TextExample(naming_prompt(), shown.walk.answer, (shown.row,))

    def mcqa(self, rng: random.Random, habit: Habit) -> TextExample:
        """Returns a multiple-choice question. It may be that of a scene with the same options."""
        shown = self._either(rng, habit)
        if self._asks(shown):
            prompt = shown.turn.mcqa
        else:
            turns = rng.choice(self._alike[shown.walk.scenario, shown.walk.categories]).turns
            own = rng.random() < OWN_TURN
            prompt = turns[min(shown.place, len(turns) - 1) if own else 0].mcqa
        return TextExample(prompt.text, self._reply(prompt, shown, rng, habit), (shown.row,))

    def tools(self, rng: random.Random, habit: Habit) -> TextExample:
        """Returns a question with tools in the first turn."""
        shown = self._either(rng, habit)
        like = rng.choice(self._alike[shown.walk.scenario, shown.walk.categories])
        if self._asks(shown):
            shown, like = _Shown(shown.walk, 0), shown.walk
        prompt = like.turns[0].tools
        assert prompt is not None  # the first turn always has one
        return TextExample(prompt.text, self._reply(prompt, shown, rng, habit), (shown.row,))

    def conversation(self, rng: random.Random, habit: Habit) -> TextExample:
        """Returns a conversation with tools that has gone on for at least one turn."""
        for _ in range(1000):
            shown = self._drawn(self.clear, rng)
            if shown.place and shown.turn.tools:
                break
        else:
            return self.tools(rng, habit)
        if rng.random() < habit.blind:
            # A frame on the way often shows too little.
            shown = _Shown(shown.walk, rng.randint(1, shown.place))
        prompt = shown.turn.tools
        assert prompt is not None  # earlier turns of a kept conversation have one
        rows = tuple(range(shown.walk.first_picture, shown.row + 1))
        return TextExample(prompt.text, self._reply(prompt, shown, rng, habit), rows)

    def drawn(self, kinds: Mapping[str, float], rng: random.Random, habit: Habit) -> TextExample:
        """Returns an example of one of the kinds, which have weights."""
        (kind,) = rng.choices(list(kinds), list(kinds.values()))
        made: TextExample = getattr(self, kind)(rng, habit)
        return made

    def _either(self, rng: random.Random, habit: Habit) -> _Shown:
        if rng.random() >= habit.blind:
            return self._drawn(self.clear, rng)
        if not self.partial:
            return self._drawn(self.blind, rng)
        names = list(self.blind)
        (name,) = rng.choices(names, [SHARES.get(name, 1) for name in names])
        return rng.choice(self.blind[name])

    def _drawn(self, frames: Mapping[str, list[_Shown]], rng: random.Random) -> _Shown:
        # Scenarios count equally, whatever the number of their clear frames.
        return rng.choice(frames[rng.choice(list(frames))])

    def _names(self, walk: SceneWalk, turn: KeptTurn) -> bool:
        """Returns whether the reply to a turn is the name of the thing."""
        return walk.named(turn) if self.partial else walk.recognisable(turn)

    def _asks(self, shown: _Shown) -> bool:
        """Returns whether a suggestion has to fit the frame, so that its own question is needed."""
        return self.partial and not self._names(shown.walk, shown.turn)

    def _reply(
        self, prompt: TrainingPrompt, shown: _Shown, rng: random.Random, habit: Habit
    ) -> str:
        if self._names(shown.walk, shown.turn):
            return prompt.answers[shown.walk.answer]
        ask = prompt.short_ask if habit.letters else prompt.ask
        if ask and rng.random() < habit.asks:
            return ask
        return rng.choice(list(prompt.answers.values()))
