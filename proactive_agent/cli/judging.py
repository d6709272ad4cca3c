"""Runs the command `judge`: asks the judge, keeps its judgements, shows the scores."""

import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from rich.progress import MofNCompleteColumn

from proactive_agent.cli.bar import plain_bar
from proactive_agent.cli.ending import exit_code, run_async
from proactive_agent.cli.progress import wave_text
from proactive_agent.metrics import summarise
from proactive_agent.play.budget import Budget
from proactive_agent.play.judges import Judge
from proactive_agent.play.judges.choose import RULES, check_judge, choose_judge
from proactive_agent.play.judges.model import SAMPLING
from proactive_agent.play.model_user import ModelUser, check_user
from proactive_agent.play.simulated_user import VERSION as USER_RULES
from proactive_agent.providers import (
    ApiAccess,
    Provider,
    ProviderError,
    Sampling,
    StoppedError,
)
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import Manifest, ProviderSettings, Settings
from proactive_agent.records.outline import outline_of
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.data_notes import data_notes
from proactive_agent.reports.judge_agreement.agreement import (
    AnswerVerdict,
    VerdictPair,
    compare_with_people,
)
from proactive_agent.reports.judge_agreement.labelled import EMBEDDED, LabelledAnswer, read_labelled
from proactive_agent.reports.judge_agreement.requests import (
    read_all,
    read_requests,
    requests_grid,
)
from proactive_agent.reports.judge_agreement.tables import agreement_grid, scores_grid
from proactive_agent.reports.tables import INTERVAL_NOTE, TerminalTable
from proactive_agent.runs.generation import judge_sampling
from proactive_agent.runs.model_pool import ModelPool
from proactive_agent.runs.rejudge import (
    JudgementFile,
    Unjudged,
    judge_again,
    open_ended_replies,
    with_judgement,
)
from proactive_agent.scenarios import OWN, Wording
from proactive_agent.scenarios.open_data import open_data
from proactive_agent.terminal.console import console, messages, plain

T = TypeVar("T")


class Judging(NamedTuple):
    """A judge and how it is asked."""

    spec: str
    prompt: str
    how: ProviderSettings
    access: ApiAccess
    concurrency: int | None
    budget_usd: float | None

    def judge(self, wording: Wording, sampling: Sampling = SAMPLING) -> Judge:
        """Loads the judge, whose requests carry `sampling`. Raises UserError."""
        check_judge(self.spec, self.prompt, wording)
        if self.spec == RULES:
            return choose_judge(self.spec, self.prompt, wording)
        provider = ModelPool().provider(self.spec, self.how, self.access)
        return choose_judge(self.spec, self.prompt, wording, provider, sampling)

    def budget(self) -> Budget | None:
        """Makes the budget, if one was given."""
        return None if self.budget_usd is None else Budget(self.budget_usd)


def judge_run(folder: RunFolder, judging: Judging) -> None:
    """Judges those replies of a run that are not judged yet, and shows the scores."""
    replies = open_ended_replies(folder)
    manifest = folder.read_manifest()
    settings = manifest.settings
    # The judge samples in a run with `--generation published`, as it did when the run was played.
    sampling = judge_sampling(settings)
    judge = judging.judge(_wording(settings, judging.prompt), sampling)
    file = JudgementFile(folder, judge.name)
    budget = judging.budget()
    stopped = None
    failed: list[Unjudged] = []
    with _bar(len(replies), done=len(file.read())) as advance:
        work = judge_again(
            replies,
            judge,
            file,
            advance,
            concurrency=judging.concurrency,
            budget=budget,
            on_wave=lambda wave: _say(wave_text(wave)) if wave.begins else None,
        )
        try:
            failed = _run(judge.provider, work, budget, sampling)
        except StoppedError as error:
            stopped = str(error)
    _show_run(replies, judge, file, manifest)
    if failed:
        key, kind, message = failed[0]
        messages.print(
            f"{len(failed)} replies could not be judged ({key.scenario}:{key.sample_id}: {kind}: "
            f"{plain(message)}); repeat the command to try again",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    if stopped:
        messages.print(f"{stopped}; repeat the command to continue", markup=False, soft_wrap=True)
    if failed or stopped:
        sys.exit(1)


def measure(file: Path | None, judging: Judging) -> None:
    """Shows the agreement of a judge with labels."""
    answers = read_labelled(file or EMBEDDED)
    judge = judging.judge(OWN)
    budget = judging.budget()
    with _bar(len(answers)) as advance:
        work = compare_with_people(judge, answers, advance, judging.concurrency, budget)
        try:
            found = _run(judge.provider, work, budget)
        except StoppedError as error:
            messages.print(str(error), markup=False)
            sys.exit(1)
    parts = _parts(answers, found)
    title = f"{judge.name} against the labels"
    console.print(TerminalTable(agreement_grid(title, parts, "judge", "label")))
    failed = [one for one in found if isinstance(one, ProviderError)]
    if failed:
        messages.print(
            f"{len(failed)} answers could not be judged ({failed[0].kind}: "
            f"{plain(str(failed[0]))}) and are left out",
            markup=False, soft_wrap=True,
        )  # fmt: skip
        sys.exit(1)


def _wording(settings: Settings, prompt: str) -> Wording:
    """Returns the wording of the judge's prompt: the official one is in the protocol pack."""
    if prompt != "official" or settings.data is None:
        return OWN
    return open_data(settings.data).wording


def measure_user(spec: str, judging: Judging) -> None:
    """Shows how well a simulated user reads labelled requests."""
    check_user(spec)
    user = None
    if spec != RULES:
        user = ModelUser(spec, ModelPool().provider(spec, judging.how, judging.access))
    budget = judging.budget()
    requests = [*read_requests(held_out=False), *read_requests(held_out=True)]
    with _bar(len(requests)) as advance:
        work = read_all(user, requests, advance, judging.concurrency, budget)
        try:
            found = _run(user.provider if user else None, work, budget)
        except StoppedError as error:
            messages.print(str(error), markup=False)
            sys.exit(1)
    name = user.name if user else f"user {USER_RULES}"
    console.print(TerminalTable(requests_grid(f"{name} against labels", requests, found)))
    console.print(INTERVAL_NOTE, markup=False)
    failed = [one for one in found if isinstance(one, Exception)]
    if failed:
        messages.print(
            f"{len(failed)} requests could not be read ({plain(str(failed[0]))}) and are left out",
            markup=False, soft_wrap=True,
        )  # fmt: skip
        sys.exit(1)


def _run(
    provider: Provider | None,
    work: Coroutine[Any, Any, T],
    budget: Budget | None,
    sampling: Sampling = SAMPLING,
) -> T:
    """Runs the work to its end and closes the model that is asked."""

    async def probed() -> T:
        try:
            if provider:
                reply = await provider.probe(sampling)
                if budget and reply and provider.charges:
                    budget.add(reply.usage.cost_usd)
            return await work
        finally:
            work.close()
            if provider:
                await provider.close()

    try:
        return run_async(probed())
    except KeyboardInterrupt as error:
        batches = "; submitted batches keep running" * bool(provider and provider.uses_batches)
        _say(f"interrupted{batches}; repeat the command to continue")
        sys.exit(exit_code(error))


def _say(line: str) -> None:
    messages.print(line, markup=False)


@contextmanager
def _bar(total: int, done: int = 0) -> Iterator[Callable[[], None]]:
    with plain_bar(MofNCompleteColumn()) as bar:
        task = bar.add_task("judging", total=total, completed=done)
        yield lambda: bar.advance(task)


def _show_run(
    replies: Sequence[EpisodeRecord], judge: Judge, file: JudgementFile, manifest: Manifest
) -> None:
    found = file.read()
    judged = [(reply, found[reply.key]) for reply in replies if reply.key in found]
    if not judged:
        return
    summary = summarise(outline_of(with_judgement(*pair)) for pair in judged)
    console.print(TerminalTable(scores_grid(judge.name, summary)))
    pairs = []
    own = ""
    for reply, judgement in judged:
        first = reply.turns[0].judgement
        if first is not None:
            own = first.judge
            pairs.append(
                VerdictPair(reply.scenario, AnswerVerdict.of(judgement), AnswerVerdict.of(first))
            )
    if own != judge.name:
        title = f"{judge.name} against the run's own judge, {own}"
        console.print(TerminalTable(agreement_grid(title, [("", pairs)], "this", "own")))
    problems = sum(s.judge_problems for s in summary.scenarios.values())
    if problems:
        console.print(
            f"{problems} of {len(judged)} of the judge's replies could not be read; they "
            "count as no for every answer.",
            markup=False,
        )
    console.print(INTERVAL_NOTE, markup=False)
    for note in data_notes([manifest]):
        console.print(note, markup=False)
    messages.print(f"judgements: {plain(str(file.file))}", markup=False, soft_wrap=True)


def _parts(
    answers: Sequence[LabelledAnswer], found: Sequence[VerdictPair | ProviderError]
) -> list[tuple[str, list[VerdictPair]]]:
    """Splits held-out answers from those on which the rules were tuned, if the file marks them."""
    parts: dict[str, list[VerdictPair]] = {}
    tells = any(answer.held_out for answer in answers)
    for answer, pair in zip(answers, found, strict=True):
        name = "" if not tells else "held out" if answer.held_out else "rules tuned on these"
        if isinstance(pair, VerdictPair):
            parts.setdefault(name, []).append(pair)
    return list(parts.items())
