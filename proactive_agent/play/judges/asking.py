"""Asks a judge within a budget."""

from proactive_agent.play.budget import Budget
from proactive_agent.play.judges.base import Case, Judge
from proactive_agent.providers import RequestKey
from proactive_agent.records.episode import JudgementRecord


async def ask(judge: Judge, case: Case, key: RequestKey, budget: Budget | None) -> JudgementRecord:
    """Its judgement, and its costs on the account.

    Raises ProviderError where no verdict came, BudgetSpentError, UserError.
    """
    if budget is None or not judge.charges:
        return await judge.judge(case, key)
    budget.check()
    judgement = await judge.judge(case, key)
    budget.add(judgement.usage.cost_usd, of="the judge")
    return judgement
