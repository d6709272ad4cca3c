"""`run`: plays scenarios with one or several models."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from proactive_agent.manifest import Settings
    from proactive_agent.runner import PreparedRun
    from providers import ApiAccess

PROTOCOLS = ("tools", "mcqa")
TOOLSETS = ("scenario", "all", "random")
PARSERS = ("official", "lenient")
REASONING = ("minimal", "low", "medium", "high")
ACCESS = ("rpm", "tpm", "timeout", "price", "cache")
WITH_RESUME = {"resume", "results", "concurrency", "budget_usd", *ACCESS}


def _api_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options that concern models behind an API."""
    options = (
        click.option(
            "--api",
            type=click.Choice(("auto", "chat", "responses")),
            default="auto",
            show_default=True,
            help="openai: Chat Completions or Responses. auto: Responses for reasoning models.",
        ),
        click.option(
            "--reasoning", type=click.Choice(REASONING), help="API: how much the model thinks."
        ),
        click.option(
            "--image-size",
            type=click.IntRange(min=16),
            default=1568,
            show_default=True,
            metavar="PIXELS",
            help="API: longest edge of a picture that is sent.",
        ),
        click.option("--image-quality", type=click.IntRange(1, 100), default=90, show_default=True),
        click.option(
            "--image-format",
            type=click.Choice(("jpeg", "webp")),
            default="jpeg",
            show_default=True,
        ),
        click.option(
            "--rpm", type=click.FloatRange(min=0, min_open=True), help="API: requests per minute."
        ),
        click.option(
            "--tpm", type=click.FloatRange(min=0, min_open=True), help="API: tokens per minute."
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0, min_open=True),
            default=180.0,
            show_default=True,
            metavar="SECONDS",
            help="API: when a request is given up and sent anew.",
        ),
        click.option(
            "--price",
            metavar="IN,OUT",
            help="API: dollars per million tokens. Default: litellm's price list.",
        ),
        click.option(
            "--budget-usd",
            type=click.FloatRange(min=0, min_open=True),
            metavar="USD",
            help="API: stop before more is spent.",
        ),
        click.option(
            "--cache",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="API: keep replies here, so that the same request costs nothing again.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME:MODEL",
    help="Model to judge, e.g. local:idefics2; several end with a comparison. "
    "Default: the scripted baselines.",
)
@click.option(
    "--data",
    "data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder in the official layout. Default: the embedded suite.",
)
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    metavar="NAME",
    help="Scenario to play; repeat for several. Default: all that are there.",
)
@click.option(
    "--protocol",
    type=click.Choice(PROTOCOLS),
    default="tools",
    show_default=True,
    help="Function calling, or the paper's multiple choice.",
)
@click.option(
    "--condition",
    default="zero-shot",
    show_default=True,
    metavar="NAME[+NAME]",
    help="zero-shot, hint, reference, stateless.",
)
@click.option(
    "--toolset",
    type=click.Choice(TOOLSETS),
    default="scenario",
    show_default=True,
    help="Tools on offer: those of the state, all, or those of other scenarios.",
)
@click.option(
    "--parser",
    type=click.Choice(PARSERS),
    default="official",
    show_default=True,
    help="Which parser's reading of a multiple-choice reply counts.",
)
@click.option(
    "--forgiving",
    is_flag=True,
    help="A suggestion that does not apply costs the turn, not the episode.",
)
@click.option("--unfiltered", is_flag=True, help="Play the samples that the official filter drops.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Samples per scenario, from the first on.",
)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    metavar="N",
    help="Episodes in flight. Default: what suits the provider.",
)
@click.option(
    "--out",
    "results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    metavar="DIR",
    help="Where the run's folder is made.",
)
@click.option("--resume", metavar="RUN", help="Go on with a run: its folder or id.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Show the first prompt and an estimate of the requests; ask nothing.",
)
@click.option("--max-tokens", type=click.IntRange(min=1), default=512, show_default=True)
@click.option("--temperature", type=click.FloatRange(min=0), default=0.0, show_default=True)
@click.option(
    "--dtype", default="auto", show_default=True, help="local: float32, float16, bfloat16."
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    help="local: cuda, cuda:1, mps, cpu; spread uses several GPUs.",
)
@click.option("--attn", "attention", help="local: sdpa, flash_attention_2, eager, …")
@click.option("--quantize", help="local: 4bit or 8bit.")
@click.option("--revision", help="local: branch, tag or commit of a hub model.")
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    help="local: the most requests in one batch.",
)
@click.option("--trust-remote-code", is_flag=True, help="local: run code that a model brings.")
@_api_options
@click.pass_context
def run(
    ctx: click.Context,
    /,
    *,
    providers: tuple[str, ...],
    results: Path,
    resume: str | None,
    dry_run: bool,
    concurrency: int | None,
    budget_usd: float | None,
    **options: Any,
) -> None:
    """Play scenarios with a model, or with several, and show the results."""
    from proactive_agent import runner
    from proactive_agent.budget import Budget
    from proactive_agent.cli.dry_run import show_dry_run
    from proactive_agent.cli.play import Planned, play_runs
    from proactive_agent.run_folder import RunFolder
    from providers.baselines import BASELINES
    from providers.registry import check_spec, is_remote

    access = _access(**{name: options.pop(name) for name in ACCESS})
    budget = None if budget_usd is None else Budget(budget_usd)
    if resume is not None:
        _refuse_other_options(ctx)
        folder = RunFolder.find(resume, results)
        again = Planned(lambda: runner.prepare_resume(folder, access), remote=False)
        play_runs([again], concurrency, budget)
        return
    specs = providers or tuple(f"baseline:{name}" for name in BASELINES)
    for spec in specs:
        check_spec(spec)
    every = [_settings(spec, **options) for spec in specs]
    if dry_run:
        show_dry_run(every, access)
        return
    taken: set[str] = set()

    def prepare(settings: "Settings") -> "PreparedRun":
        prepared = runner.prepare_run(settings, results, access, taken)
        taken.add(prepared.manifest.run_id)
        return prepared

    planned = [Planned(partial(prepare, s), is_remote(s.provider)) for s in every]
    play_runs(planned, concurrency, budget)


def _access(*, price: str | None, cache: Path | None, **limits: Any) -> "ApiAccess":
    from providers import ApiAccess
    from providers.api.prices import parse_price

    return ApiAccess(
        **limits,
        price=None if price is None else parse_price(price),
        cache=None if cache is None else str(cache),
    )


def _settings(
    spec: str, data: Path | None, scenarios: tuple[str, ...], **options: Any
) -> "Settings":
    from proactive_agent.manifest import ProviderSettings, Settings
    from scenarios import DataFolder
    from scenarios.registry import find_scenarios

    own = {name: options.pop(name) for name in ProviderSettings.model_fields}
    there = DataFolder(data).scenarios()
    wanted = set(find_scenarios(scenarios))
    names = [name for name in there if name in wanted] + sorted(wanted - set(there))
    return Settings(
        provider=spec,
        data=None if data is None else str(data.resolve()),
        scenarios=tuple(names or there),
        provider_settings=ProviderSettings(**own),
        **options,
    )


def _refuse_other_options(ctx: click.Context) -> None:
    """A resumed run keeps its settings, so that its episodes belong together."""
    given = [
        option.opts[0]
        for option in ctx.command.params
        if ctx.get_parameter_source(option.name or "") == click.core.ParameterSource.COMMANDLINE
        and option.name not in WITH_RESUME
    ]
    if given:
        from tools import UserError

        raise UserError(f"--resume goes on with the run's own settings; drop {', '.join(given)}")
