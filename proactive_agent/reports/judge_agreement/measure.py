"""How far a judge agrees with people, or with another judge."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from proactive_agent.play.budget import Budget
from proactive_agent.play.judges.asking import ask
from proactive_agent.play.judges.base import Judge
from proactive_agent.providers import ProviderError, RequestKey
from proactive_agent.records.episode import JudgementRecord
from proactive_agent.reports.judge_agreement.kappa import Agreement
from proactive_agent.reports.judge_agreement.labelled import Kind, LabelledAnswer

KINDS: tuple[Kind, ...] = ("proactive", "category")


class Verdict(NamedTuple):
    """Whether an answer asks for something that helps, and whether it names the category."""

    proactive: bool
    category: bool | None
    """None where no category is accepted."""

    @classmethod
    def of(cls, judgement: JudgementRecord) -> "Verdict":
        """What a judgement says."""
        met = {answer.kind for answer in judgement.answers if answer.met}
        has_category = any(answer.kind == "category" for answer in judgement.answers)
        return cls("proactive" in met, "category" in met if has_category else None)


class Pair(NamedTuple):
    """Two verdicts on one answer."""

    scenario: str
    first: Verdict
    second: Verdict


def agreement(pairs: Sequence[Pair], kind: Kind) -> Agreement:
    """Over the answers that have a verdict of that kind."""
    verdicts = ((getattr(pair.first, kind), getattr(pair.second, kind)) for pair in pairs)
    return Agreement.of(v for v in verdicts if None not in v)


async def compare_with_people(
    judge: Judge,
    answers: Sequence[LabelledAnswer],
    on_judged: Callable[[], None],
    concurrency: int | None = None,
    budget: Budget | None = None,
) -> list[Pair | ProviderError]:
    """The judge's verdict beside people's on each answer, or why there is none.

    Raises UserError, BudgetSpentError.
    """
    limit = asyncio.Semaphore(concurrency or (judge.provider.concurrency if judge.provider else 1))

    async def pair(number: int, answer: LabelledAnswer) -> Pair | ProviderError:
        async with limit:
            try:
                key = RequestKey(answer.scenario, number, 0)
                found = Verdict.of(await ask(judge, answer.case, key, budget))
            except ProviderError as error:
                return error
            finally:
                on_judged()
        return Pair(answer.scenario, found, Verdict(answer.proactive, answer.category))

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(pair(n, answer)) for n, answer in enumerate(answers, 1)]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
