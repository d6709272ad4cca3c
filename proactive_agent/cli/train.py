"""The command `train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from proactive_agent.cli.train_options import OPTIONS, TrainCommand

if TYPE_CHECKING:
    from proactive_agent.training.settings import TrainingSettings

LOCAL = "local:"
"""Prefix of a local model's name in `run`; `train` accepts it too."""


@click.command(cls=TrainCommand, params=[option for group in OPTIONS.values() for option in group])
@click.pass_context
def train(
    ctx: click.Context, /, *, out: Path | None, resume: bool, dry_run: bool, **options: Any
) -> None:
    """Train a model to ask for help, by the paper's recipe.

    For several GPUs: accelerate launch -m proactive_agent train …
    """
    from proactive_agent.cli.train_view import show_training
    from proactive_agent.tools import UserError

    if out is None:
        raise UserError("--out is missing: name the folder for the training")
    if resume:
        _refuse_others(ctx)
        show_training(None, out, dry_run=dry_run, trust_remote_code=options["trust_remote_code"])
        return
    options |= _recipe(ctx, options["model"])
    show_training(settings_of(**options), out, dry_run=dry_run)


def _recipe(ctx: click.Context, model: str | None) -> dict[str, Any]:
    """Returns the settings of the model's own recipe, except those that the user has given."""
    from proactive_agent.terminal.console import console
    from proactive_agent.training.recipes import recipe_for

    own = {
        name: value
        for name, value in recipe_for((model or "").removeprefix(LOCAL)).items()
        if ctx.get_parameter_source(name) == click.core.ParameterSource.DEFAULT
    }
    if own:
        shown = " ".join(_words(option, own) for option in ctx.command.params if option.name in own)
        console.print(f"options for {model}: {shown}", markup=False, soft_wrap=True)
    return own


def _words(option: click.Parameter, values: dict[str, Any]) -> str:
    """Returns an option as it would be typed."""
    value = values[option.name or ""]
    each = value if isinstance(value, tuple) else (value,)
    return " ".join(f"{option.opts[0]} {one}" for one in each)


def settings_of(
    *,
    model: str | None,
    data: str | None,
    scenarios: tuple[str, ...],
    eval_data: Path | None,
    **options: Any,
) -> "TrainingSettings":
    """Returns the settings for the options. Raises UserError."""
    from proactive_agent.scenarios.open_data import canonical_name
    from proactive_agent.scenarios.registry import find_scenarios
    from proactive_agent.tools import UserError
    from proactive_agent.training.settings import TrainingSettings

    if model is None or data is None:
        missing = (
            "--model is missing: name a model"
            if model is None
            else ("--data is missing: name a train split")
        )
        raise UserError(missing)
    return TrainingSettings.of(
        model=_place(model.removeprefix(LOCAL)),
        data=_data(data),
        scenarios=tuple(find_scenarios(scenarios)),
        eval_data=canonical_name(eval_data),
        **options,
    )


def _data(text: str) -> str:
    """Returns an absolute path, or the full name of generated scenes. Raises UserError."""
    from proactive_agent.scenarios.fresh.source import is_fresh, parse_train_source

    return str(parse_train_source(text)) if is_fresh(text) else _place(text)


def _place(text: str) -> str:
    """Returns an absolute path, so that --resume works from any folder; other names unchanged."""
    path = Path(text).expanduser()
    return str(path.resolve()) if path.exists() else text


def _refuse_others(ctx: click.Context) -> None:
    """Raises UserError for options that a resumed training takes from its `train.json`."""
    from proactive_agent.tools import UserError

    given = [
        option.opts[0]
        for option in ctx.command.params
        if ctx.get_parameter_source(option.name or "") == click.core.ParameterSource.COMMANDLINE
        and option.name not in {"out", "resume", "dry_run", "trust_remote_code"}
    ]
    if given:
        raise UserError(
            f"--resume continues with the settings of the training; drop {', '.join(given)}"
        )
