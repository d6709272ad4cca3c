"""A model that plays the simulated user.

It is told a request and what the user can do here, and names one thing to do, `vague` or `none`. A
reply in any other form is an error of source `user`, never an answer.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

from proactive_agent.play.budget import Budget
from proactive_agent.play.judges import said
from proactive_agent.play.judges.choose import CANNOT_JUDGE, RULES
from proactive_agent.providers import (
    Provider,
    Request,
    RequestKey,
    Sampling,
    TextPart,
    UserMessage,
)
from proactive_agent.providers.registry import check_spec
from proactive_agent.providers.reply_check import ask
from proactive_agent.records.episode import UsageRecord, UserRecord
from proactive_agent.tools import Intervention, UserError
from proactive_agent.tools.request_words import REQUESTS

VERSION = "user v1"
"""Version of the prompt."""
SAMPLING = Sampling(max_tokens=8192, temperature=0.0)
"""Greedy decoding, with room for reasoning."""

VAGUE = "vague"
NONE = "none"

SYSTEM = """\
You play a user. An assistant looks at a picture of yours and sends you a request about it. Decide \
what you do. You can only do what is on the list below.

Rules:
- Do one thing: the first change that the request names. Ignore everything that it names later.
- If that change is on the list, reply with its name.
- If that change leaves the direction open, reply with any name on the list that fits.
- If that change is not on the list, reply none.
- If the request names no change, but wishes for help, more information or a better picture, reply \
vague.
- If the request is anything else, for example a question about the object, reply none.

Reply with exactly one name of the list, or vague, or none, and nothing else."""

PROMPT = """\
What you can do:
{list}

The request: {request}"""


class UserReplyError(Exception):
    """The model that plays the user gave no readable reply. `kind` says what is wrong."""

    kind = "unreadable"


class UserReading(NamedTuple):
    """What a model decided, with its record."""

    choice: Intervention | None
    """The thing to do; None for `vague` and `none`."""
    is_vague: bool
    record: UserRecord


class ModelUser:
    """Asks a model once for each request. Concurrent calls are allowed."""

    def __init__(self, spec: str, provider: Provider) -> None:
        self.name = f"{spec}, {VERSION}"
        self.provider = provider

    async def read(
        self, request: str, here: Sequence[Intervention], key: RequestKey, budget: Budget | None
    ) -> UserReading:
        """Returns the model's reading of a request. `here` are the interventions on the list.

        Raises UserReplyError and ProviderError if there is none, StoppedError if the run ends for
        now, and UserError if a budget is set and the costs are unknown.
        """
        names = {str(one).removesuffix("()"): one for one in here}
        if budget is not None and self.provider.charges:
            budget.check()
        started = time.perf_counter()
        prompt = user_prompt(request, here)
        reply = await ask(
            self.provider,
            Request(key, (UserMessage((TextPart(prompt),)),), system=SYSTEM, sampling=SAMPLING),
        )
        if budget is not None and self.provider.charges:
            budget.add(reply.usage.cost_usd, of="the simulated user")
        choice = said(reply.text).strip()
        if reply.cut_off or choice not in (*names, VAGUE, NONE):
            cut = "; it was cut off at its token limit" if reply.cut_off else ""
            raise UserReplyError(
                f"{self.name} must reply with one name of its list, vague or none, and replied "
                f"{choice[:200]!r}{cut}"
            )
        usage = UsageRecord.of(reply.usage, time.perf_counter() - started)
        record = UserRecord(user=self.name, choice=choice, reply=reply.text, usage=usage)
        return UserReading(names.get(choice), choice == VAGUE, record)


def user_prompt(request: str, here: Sequence[Intervention]) -> str:
    """Returns the text that asks about a request."""
    listed = "\n".join(f"- {str(one).removesuffix('()')}: {REQUESTS[one]}" for one in here)
    return PROMPT.replace("{list}", listed, 1).replace("{request}", request, 1)


def check_user(spec: str) -> None:
    """Checks everything about a simulated user except that its model answers. Raises UserError."""
    if spec == RULES:
        return
    name, _ = check_spec(spec)
    if name in CANNOT_JUDGE:
        raise UserError(
            f"--user {spec}: {name} picks an option and cannot play the user; use --user rules or "
            "a model, for example openai:gpt-4.1"
        )
