"""Later stages: naming, multiple choice, tools with conversations, asking and its habit, twice.

The tower is frozen, so its features are computed once: of each picture as it is, and of a changed
copy.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.nn import functional

from benchmarks.nano.examples import HABITS, ExampleMaker, TextExample, naming_prompt
from benchmarks.nano.model import END, MARK, TOWER_WIDTHS, features_of, tokens_per_picture
from benchmarks.nano.scenes import SceneSet, joined
from benchmarks.nano.sprites import varied
from benchmarks.nano.stages import Draws, Stage, draws_of, run_stage
from benchmarks.nano.tower import as_tensor

KINDS: Mapping[str, Mapping[str, float]] = {
    "naming": {"naming": 1},
    "mcqa": {"mcqa": 1},
    "tools": {"mcqa": 1, "tools": 1.4, "conversation": 0.6},
    "asking": {"mcqa": 3, "tools": 0.7, "conversation": 0.3},
    "habit": {"mcqa": 1, "tools": 1.4, "conversation": 0.6},
    "asking-2": {"mcqa": 3, "tools": 0.7, "conversation": 0.3},
    "habit-2": {"mcqa": 1, "tools": 1.4, "conversation": 0.6},
}
"""Kinds of examples of each stage, with weights; see `ExampleMaker`."""
EXAMINED, EXAMINED_BLIND = 20, 4
"""Held-out frames of each scenario with which progress is measured: clear ones, blind ones."""

PART = 16
"""Examples of a batch that go through the model at once."""

Features = Callable[[Sequence[int]], Any]
"""Returns the tower's features of pictures, given their rows."""


class ExamTask(NamedTuple):
    """A held-out frame with a question."""

    kind: str
    """Kind of example, as in `KINDS`."""
    names: tuple[str, ...]
    """Shares in which the task counts."""
    replies: list[TextExample]
    """Replies of which one has to be written."""


class LanguageTrainer:
    """Trains a model on scenes, stage by stage."""

    def __init__(
        self,
        model: Any,
        processor: Any,
        train: SceneSet,
        clear: SceneSet,
        progress: SceneSet,
        work: Path,
        seed: int,
    ) -> None:
        """`clear` has the clear frames of `CROPPED`, which the second round adds."""
        self.model, self.tokenizer = model, processor.tokenizer
        self.tower = model.model.vision_tower
        self.train, self.clear, self.progress = train, clear, progress
        self.work, self.seed = work, seed
        both = joined([train, clear])
        self._makers = {
            False: ExampleMaker(train.walks),
            True: ExampleMaker(both.walks, partial=True),
        }
        self._exams = {
            partial: list(_exam(ExampleMaker(progress.walks, partial=partial)))
            for partial in self._makers
        }
        self._picture = MARK * tokens_per_picture(train.pictures.shape[1])
        self._mark = self.tokenizer.convert_tokens_to_ids(MARK)

    def train_language(self, stages: Sequence[Stage]) -> None:
        """Runs the stages. The tower is frozen."""
        # Batch norms keep their statistics: those of a batch would let frames influence each other.
        self.tower.eval().requires_grad_(False)
        generator = draws_of(self.seed, "features", 0).torch
        plain = self._all_features(self.train)
        changed = self._all_features(self.train, generator)
        plain = torch.cat([plain, self._all_features(self.clear)])
        changed = torch.cat([changed, self._all_features(self.clear, generator)])
        held_out = self._all_features(self.progress)

        def drawn(draws: Draws, rows: Sequence[int]) -> Any:
            other = torch.rand(len(rows), generator=draws.torch) < 0.5
            return torch.where(other[:, None, None], changed[list(rows)], plain[list(rows)])

        for stage in stages:
            report = partial(self._examined, stage, lambda rows: held_out[list(rows)])
            run_stage(
                stage,
                self.model,
                lambda stage, step, draws: self._loss(stage, draws, partial(drawn, draws)),
                report,
                work=self.work,
                seed=self.seed,
            )

    def _all_features(self, scenes: SceneSet, generator: Any = None) -> Any:
        """Returns features of all pictures in half precision, with a generator of changed ones."""
        cells = tokens_per_picture(scenes.pictures.shape[1])
        parts = [torch.empty(0, cells, TOWER_WIDTHS[-1], dtype=torch.float16)]
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            for begin in range(0, len(scenes.pictures), 128):
                pictures = as_tensor(scenes.pictures[begin : begin + 128])
                pictures = pictures if generator is None else varied(pictures, generator)
                parts.append(features_of(self.tower, pictures).half())
        return torch.cat(parts)

    def _loss(self, stage: Stage, draws: Draws, features: Features) -> Any:
        """Returns the mean loss of the examples, whatever the lengths of their replies."""
        kinds, habit = KINDS[stage.name], HABITS[stage.name]
        maker = self._makers[habit.partial]
        examples = [maker.drawn(kinds, draws.python, habit) for _ in range(stage.batch)]
        # Prompts of similar length need little padding.
        examples.sort(key=lambda one: len(one.prompt))
        total: Any = 0.0
        for begin in range(0, len(examples), PART):
            part = examples[begin : begin + PART]
            logits, tokens, owners = self._said(part, features)
            losses = functional.cross_entropy(logits, tokens, reduction="none")
            lengths = torch.bincount(owners, minlength=len(part))
            total = total + (losses / lengths[owners]).sum()
        return total / len(examples)

    def _said(self, examples: Sequence[TextExample], features: Features) -> tuple[Any, Any, Any]:
        """Returns the logits of the tokens of all replies, the tokens, and their examples."""
        prompts = self._ids([one.prompt.replace(MARK, self._picture) for one in examples])
        replies = self._ids([one.reply + END for one in examples])
        longest = max(len(p) + len(r) for p, r in zip(prompts, replies, strict=True))
        ids = torch.full((len(examples), longest), self.tokenizer.pad_token_id)
        places: list[tuple[int, int]] = []
        for row, (prompt, reply) in enumerate(zip(prompts, replies, strict=True)):
            ids[row, : len(prompt) + len(reply)] = torch.tensor(prompt + reply)
            places += [(row, len(prompt) + i) for i in range(len(reply))]
        owners, columns = torch.tensor(places).T
        pictures = features([row for one in examples for row in one.pictures])
        model = self.model.model
        with torch.autocast("cpu", torch.bfloat16):
            seen = model.multi_modal_projector(pictures.float())
            words = model.get_input_embeddings()(ids)
            marked = (ids == self._mark)[..., None].expand_as(words)
            mixed = words.masked_scatter(marked, seen.to(words.dtype))
            # The padding is on the right, where a causal model does not see it.
            hidden = model.language_model(inputs_embeds=mixed, use_cache=False).last_hidden_state
            logits = self.model.lm_head(hidden[owners, columns - 1])
        return logits.float(), ids[owners, columns], owners

    def _ids(self, texts: list[str]) -> list[list[int]]:
        found: list[list[int]] = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        return found

    def _examined(self, stage: Stage, features: Features) -> dict[str, float]:
        """Returns the shares of held-out tasks that are solved, by name.

        Greedy decoding writes a reply if each of its tokens is the likeliest after those before.
        """
        exam = self._exams[HABITS[stage.name].partial]
        tasks = [task for task in exam if task.kind in KINDS[stage.name]]
        owner = [number for number, task in enumerate(tasks) for _ in task.replies]
        replies = [reply for task in tasks for reply in task.replies]
        written = set()
        for begin in range(0, len(replies), PART):
            part = replies[begin : begin + PART]
            logits, tokens, owners = self._said(part, features)
            wrong = set(owners[logits.argmax(-1) != tokens].tolist())
            written |= {owner[begin + i] for i in range(len(part)) if i not in wrong}
        found: dict[str, list[bool]] = defaultdict(list)
        for number, task in enumerate(tasks):
            for name in task.names:
                found[name].append(number in written)
        return {name: round(sum(solved) / len(solved), 3) for name, solved in found.items()}


def _exam(maker: ExampleMaker) -> Iterator[ExamTask]:
    """Yields tasks about held-out frames, with the question of the first turn."""
    for scenario, frames in maker.clear.items():
        for shown in frames[:EXAMINED]:
            first, row = shown.walk.turns[0], (shown.row,)
            yield ExamTask(
                "naming",
                ("naming right", f"naming right, {scenario}"),
                [TextExample(naming_prompt(), shown.walk.answer, row)],
            )
            for kind, prompt in (("mcqa", first.mcqa), ("tools", first.tools)):
                assert prompt is not None  # the first turn always has one
                reply = prompt.answers[shown.walk.answer]
                names = (f"{kind} right", f"{kind} right, {scenario}")
                yield ExamTask(kind, names, [TextExample(prompt.text, reply, row)])
    for frames in maker.blind.values():
        # Conversations with tools grow with each turn, so these are first turns.
        for shown in [one for one in frames if one.place == 0][:EXAMINED_BLIND]:
            for kind, prompt in (("mcqa", shown.turn.mcqa), ("tools", shown.turn.tools)):
                assert prompt is not None  # the first turn always has one
                asks = [prompt.short_ask]
                for name, replies in (("guesses", prompt.answers.values()), ("asks", asks)):
                    written = [TextExample(prompt.text, r, (shown.row,)) for r in replies if r]
                    yield ExamTask(kind, (f"{kind} {name}",), written)
