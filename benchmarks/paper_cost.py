"""Estimates the GPU-hours and dollars of the paper's experiments from stated assumptions.

    python -m benchmarks.paper_cost                      # prints the table of docs/cluster.md
    python -m benchmarks.paper_cost --write              # renews it there
    python -m benchmarks.paper_cost --gpu-dollars 3.5    # with another assumption

Requests are counted: samples x (psr + 1) turns, with the psr that the paper publishes for each
model and scenario. Tokens per request and the speed of a GPU are assumptions. Nothing was measured
on a GPU, so expect the hours to be right within a factor of two or three.
"""

import argparse
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import NamedTuple

from proactive_agent.reports.published import table
from proactive_agent.scenarios import SCENARIOS

PAGE = Path(__file__).parents[1] / "docs" / "cluster.md"
BEGIN = "<!-- The output of `python -m benchmarks.paper_cost` -->"
END = "<!-- End of the output -->"

API_PRICES = {"o4-mini": (1.1, 4.4), "GPT-4.1": (2.0, 8.0), "GPT-5.2": (1.75, 14.0)}
"""Dollars per million tokens, input and output (litellm 1.110.2)."""
THINKERS = frozenset({"o4-mini", "GPT-5.2"})
BATCH_SHARE = 0.5
"""Price of a batch API, relative to the ordinary one."""

VIEWS = {"rod": 2, "mvp-n": 4}
"""Pictures of a solved episode."""
PSR_OF_HISTORY = 1.8
PSR_OF_EXAMPLES = {1: {"rod": 2.0, "mvp-n": 0.3}, 3: {"rod": 2.2, "mvp-n": 0.6}}
"""Averages over models. The paper has no tables for these conditions."""
OEG_SAMPLES = 100
"""Most samples of a scenario in open-ended generation."""


@dataclass(frozen=True)
class Assumptions:
    """The assumptions. Tokens are averages per picture, question or reply."""

    picture_tokens: float = 1000.0
    small_picture_tokens: float = 300.0
    """A picture with a short edge of 224 pixels, in `history`."""
    text_tokens: float = 150.0
    reply_tokens: float = 20.0
    open_reply_tokens: float = 150.0
    thinking_tokens: float = 300.0
    """Tokens that an API model thinks, if it thinks."""
    judge_prompt_tokens: float = 400.0
    judge_reply_tokens: float = 500.0
    judge_billions: float = 8.0
    """Parameters of the judge (Qwen3-8B)."""
    teraflops: float = 312.0
    """Peak of a GPU in bfloat16 (an A100)."""
    prefill_use: float = 0.35
    """Share of the peak that is reached while a prompt is read."""
    terabytes: float = 2.0
    """Memory bandwidth of a GPU, in TB per second."""
    memory_use: float = 0.6
    """Share of the bandwidth that is reached while a reply is written."""
    batch: float = 32.0
    """Requests that are generated together."""
    gpu_dollars: float = 2.0
    """Price of a GPU-hour."""


class Work(NamedTuple):
    """Requests of one kind: their number, and the tokens of all of them together."""

    requests: float = 0.0
    prompt: float = 0.0
    reply: float = 0.0

    def plus(self, other: "Work") -> "Work":
        """The sum of both."""
        return Work(*(one + two for one, two in zip(self, other, strict=True)))


class Row(NamedTuple):
    """A line of the table."""

    name: str
    samples: int
    requests: float
    """Requests of all models."""
    gpu_hours: float
    """GPU-hours of the open models."""
    api_dollars: float
    """Dollars of the API models, without a batch API."""


Turns = Callable[[str, str], float]
"""The mean turns of an episode, by model and scenario."""


@cache
def published_turns(number: str) -> dict[str, dict[str, float]]:
    """Returns psr + 1 by model and scenario, as a table of the paper gives it."""
    return {
        row.model: {name: value["psr"] + 1 for name, value in row.values.items()}
        for row in table(number)
    }


def turns_of(number: str) -> Turns:
    """Turns of a published table. Models without a row get those of zero-shot."""
    found, instead = published_turns(number), published_turns("table1")
    return lambda model, scenario: found.get(model, instead[model])[scenario]


def models() -> list[str]:
    """Returns the 22 models of the paper."""
    return list(published_turns("table1"))


def billions(model: str) -> float | None:
    """Returns the parameters that a model's name states; None for API models."""
    found = re.search(r"-([\d.]+)B$", model)
    return float(found[1]) if found else None


def gpu_hours(size: float, work: Work, given: Assumptions) -> float:
    """Returns the GPU-hours of a model of `size` billion parameters.

    Reading a prompt takes 2 operations per parameter and token. Writing a token takes one pass over
    the weights (2 bytes per parameter) for a whole batch.
    """
    reading = 2e9 * size * work.prompt / (1e12 * given.teraflops * given.prefill_use)
    step = 2e9 * size / (1e12 * given.terabytes * given.memory_use)
    return (reading + step * work.reply / given.batch) / 3600


def dollars(model: str, work: Work) -> float:
    """Returns the price of requests to an API model."""
    read, written = API_PRICES[model]
    return (work.prompt * read + work.reply * written) / 1e6


def samples(*, filtered: bool = True) -> dict[str, int]:
    """Returns the number of samples by scenario."""
    return {name: found.published_counts[filtered] for name, found in SCENARIOS.items()}


def rows(given: Assumptions) -> Iterator[Row]:
    """Yields the conditions and the judge."""
    kept, every = samples(), samples(filtered=False)
    drawn = {name: min(number, OEG_SAMPLES) for name, number in kept.items()}
    shown = {name: kept[name] for name in VIEWS}
    once: Turns = lambda model, scenario: 1.0  # noqa: E731
    plain = given.picture_tokens + given.text_tokens

    def fresh(scenario: str, turns: float) -> float:
        """Prompt tokens of an episode whose turns are new conversations."""
        return turns * plain

    def kept_turns(scenario: str, turns: float) -> float:
        """Prompt tokens of an episode in which each turn repeats those before it."""
        turn = given.small_picture_tokens + given.text_tokens + given.reply_tokens
        return turn * turns * (turns + 1) / 2

    def after(number: int) -> Callable[[str, float], float]:
        """Prompt tokens of an episode after a number of solved episodes."""
        return lambda scenario, turns: (
            turns * (plain + number * VIEWS[scenario] * (plain + given.reply_tokens))
        )

    def row(
        name: str,
        counts: dict[str, int],
        turns: Turns,
        prompt: Callable[[str, float], float] = fresh,
        reply: float = given.reply_tokens,
    ) -> Row:
        requests = hours = price = 0.0
        for model in models():
            work = Work()
            for scenario, number in counts.items():
                mean = turns(model, scenario)
                thought = given.thinking_tokens if model in THINKERS else 0.0
                work = work.plus(
                    Work(
                        number * mean,
                        number * prompt(scenario, mean),
                        number * mean * (reply + thought),
                    )
                )
            requests += work.requests
            size = billions(model)
            if size is None:
                price += dollars(model, work)
            else:
                hours += gpu_hours(size, work, given)
        return Row(name, sum(counts.values()), requests, hours, price)

    zero = turns_of("table1")
    yield row("`zero-shot`", kept, zero)
    yield row("`hint`", kept, turns_of("table7"))
    yield row("`reference`", kept, once)
    yield row("`random-suggestions`", kept, zero)
    yield row("`history`", kept, lambda model, scenario: PSR_OF_HISTORY + 1, kept_turns)
    for number, psr in PSR_OF_EXAMPLES.items():
        mean = {name: value + 1 for name, value in psr.items()}
        yield row(f"`icl:{number}`", shown, lambda _, name, m=mean: m[name], after(number))  # type: ignore[misc]
    yield row("`unfiltered`", every, turns_of("table4"))
    several = turns_of("table10")
    opened = [
        row("`oeg`", drawn, once, reply=given.open_reply_tokens),
        row("`oeg` with `hint`", drawn, once, reply=given.open_reply_tokens),
        row("`oeg`, several turns", drawn, several, reply=given.open_reply_tokens),
    ]
    yield from opened
    judged = sum(one.requests for one in opened)
    work = Work(judged, judged * given.judge_prompt_tokens, judged * given.judge_reply_tokens)
    yield Row("judge of `oeg`", 0, judged, gpu_hours(given.judge_billions, work, given), 0.0)


def page(given: Assumptions) -> str:
    """Returns the assumptions and the table as Markdown."""
    found = list(rows(given))
    columns = zip(*(row[2:] for row in found), strict=True)
    found.append(Row("**all**", 0, *(sum(column) for column in columns)))
    lines = [
        "| condition | samples | requests | GPU-hours | GPU $ | API $ | API $, batches |",
        "| --- | --: | --: | --: | --: | --: | --: |",
    ]
    for row in found:
        rented = row.gpu_hours * given.gpu_dollars
        cells = (
            f"{row.samples:,}" if row.samples else "",
            f"{row.requests:,.0f}",
            f"{row.gpu_hours:,.0f}",
            f"{rented:,.0f}",
            f"{row.api_dollars:,.0f}",
            f"{row.api_dollars * BATCH_SHARE:,.0f}",
        )
        lines.append(f"| {row.name} | {' | '.join(cells)} |")
    total = found[-1]
    whole = total.gpu_hours * given.gpu_dollars + total.api_dollars * BATCH_SHARE
    lines += ["", f"Together {whole:,.0f} dollars, and {total.gpu_hours / 8:,.0f} hours on 8 GPUs."]
    return "\n".join([*assumed(given), "", *lines])


def assumed(given: Assumptions) -> list[str]:
    """Returns the assumptions as a list in Markdown."""
    prices = ", ".join(f"{name} {a:g} and {b:g}" for name, (a, b) in API_PRICES.items())
    return [
        f"- A picture is {given.picture_tokens:,.0f} tokens ({given.small_picture_tokens:,.0f} in "
        f"`history`), a question {given.text_tokens:,.0f}, a reply {given.reply_tokens:,.0f} "
        f"({given.open_reply_tokens:,.0f} in `oeg`). The API models o4-mini and GPT-5.2 think "
        f"{given.thinking_tokens:,.0f} more. The judge reads {given.judge_prompt_tokens:,.0f} and "
        f"writes {given.judge_reply_tokens:,.0f}.",
        f"- A GPU has {given.teraflops:,.0f} TFLOP/s, of which {100 * given.prefill_use:.0f} % are "
        f"reached, and {given.terabytes:g} TB/s, of which {100 * given.memory_use:.0f} % are "
        "reached (an A100). "
        f"{given.batch:,.0f} requests are generated together. Pictures are prepared meanwhile.",
        f"- A GPU-hour costs {given.gpu_dollars:g} dollars. The API models cost, per million "
        f"tokens of input and output, in dollars: {prices}. A batch API costs "
        f"{100 * BATCH_SHARE:.0f} %.",
        "- All 22 models are played in every condition. Turns per sample are the published psr + 1"
        " of each model and scenario; those of `history` and `icl:N` are the published averages, "
        "and those of `random-suggestions` are taken from `zero-shot`.",
    ]


def renewed(text: str, output: str) -> str:
    """Returns the text of the page with this output between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{output}\n\n{END}{after}"


def main() -> None:
    """Reads the command line and prints, or renews the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="renew docs/cluster.md")
    for field in fields(Assumptions):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default)
    options = vars(parser.parse_args())
    write = options.pop("write")
    output = page(Assumptions(**options))
    if write:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), output), encoding="utf-8")
    else:
        print(output)


if __name__ == "__main__":
    main()
