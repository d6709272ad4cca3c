"""Agreement of a judge with labels or with another judge: raw and Cohen's kappa."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, Self, TypeVar

import numpy as np

from proactive_agent.play.budget import Budget
from proactive_agent.play.judges.base import Judge, ask
from proactive_agent.providers import ProviderError, RequestKey
from proactive_agent.records.episode import JudgementRecord
from proactive_agent.reports.judge_agreement.labelled import Kind, LabelledAnswer

T = TypeVar("T")
R = TypeVar("R")

DRAWS = 2_000
"""Bootstrap draws of kappa's interval."""

KINDS: tuple[Kind, ...] = ("proactive", "category")


class Agreement(NamedTuple):
    """A two-by-two table: how often each of two raters said yes."""

    both: int = 0
    first_only: int = 0
    second_only: int = 0
    neither: int = 0

    @classmethod
    def of(cls, pairs: Iterable[tuple[bool, bool]]) -> Self:
        """Counts pairs of the first and the second rater's verdict."""
        counts = [0, 0, 0, 0]
        for first, second in pairs:
            counts[(0 if first else 2) + (0 if second else 1)] += 1
        both, first_only, second_only, neither = counts
        return cls(both, first_only, second_only, neither)

    @property
    def total(self) -> int:
        """The number of counted pairs."""
        return sum(self)

    @property
    def raw(self) -> float | None:
        """The share of pairs that agree; None without pairs."""
        return (self.both + self.neither) / self.total if self.total else None

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: agreement beyond chance. None if chance alone yields full agreement."""
        if self.raw is None:
            return None
        first = (self.both + self.first_only) / self.total
        second = (self.both + self.second_only) / self.total
        chance = first * second + (1 - first) * (1 - second)
        return None if chance == 1 else (self.raw - chance) / (1 - chance)

    def kappa_interval(self) -> tuple[float, float] | None:
        """Returns the bounds of kappa's 95 % bootstrap interval over pairs; None without kappa."""
        if self.kappa is None:
            return None
        rng = np.random.default_rng(0)
        tables = rng.multinomial(self.total, np.array(self) / self.total, DRAWS).tolist()
        drawn = [found for table in tables if (found := Agreement(*table).kappa) is not None]
        low, high = np.percentile(drawn or [self.kappa], [2.5, 97.5])
        return float(low), float(high)


class AnswerVerdict(NamedTuple):
    """The verdict on an answer: whether it is proactive, and whether it names the category."""

    proactive: bool
    category: bool | None
    """Whether the answer names the category; None if no category is accepted."""

    @classmethod
    def of(cls, judgement: JudgementRecord) -> "AnswerVerdict":
        """Reads the verdict from a judgement."""
        met = {answer.kind for answer in judgement.answers if answer.met}
        has_category = any(answer.kind == "category" for answer in judgement.answers)
        return cls("proactive" in met, "category" in met if has_category else None)


class VerdictPair(NamedTuple):
    """The verdicts of two raters on one answer."""

    scenario: str
    first: AnswerVerdict
    second: AnswerVerdict


def agreement(pairs: Sequence[VerdictPair], kind: Kind) -> Agreement:
    """Computes the agreement on answers that have a verdict of this kind from both raters."""
    verdicts = ((getattr(pair.first, kind), getattr(pair.second, kind)) for pair in pairs)
    return Agreement.of(v for v in verdicts if None not in v)


async def compare_with_people(
    judge: Judge,
    answers: Sequence[LabelledAnswer],
    on_judged: Callable[[], None],
    concurrency: int | None = None,
    budget: Budget | None = None,
) -> list[VerdictPair | ProviderError]:
    """Judges each answer and pairs the verdict with the human label.

    Failed requests are returned in place of their pairs. Raises UserError, StoppedError.
    """

    async def pair(number: int, answer: LabelledAnswer) -> VerdictPair | ProviderError:
        key = RequestKey(answer.scenario, number, 0)
        try:
            found = AnswerVerdict.of(await ask(judge, answer.case, key, budget))
        except ProviderError as error:
            return error
        return VerdictPair(answer.scenario, found, AnswerVerdict(answer.proactive, answer.category))

    at_once = concurrency or (judge.provider.concurrency if judge.provider else 1)
    return await each(answers, pair, on_judged, at_once)


async def each(
    items: Sequence[T],
    work: Callable[[int, T], Awaitable[R]],
    on_done: Callable[[], None],
    concurrency: int,
) -> list[R]:
    """Works on numbered items, from 1, some at the same time. Returns the results in order.

    Raises the first error.
    """
    limit = asyncio.Semaphore(concurrency)

    async def one(number: int, item: T) -> R:
        async with limit:
            try:
                return await work(number, item)
            finally:
                on_done()

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(n, item)) for n, item in enumerate(items, 1)]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
