"""`providers`: lists the installed providers and checks a model."""

import sys
from typing import TYPE_CHECKING, Any

import click

from proactive_agent.cli.run_options import options_of

if TYPE_CHECKING:
    from rich.table import Table


@click.group(invoke_without_command=True)
@click.pass_context
def providers(ctx: click.Context) -> None:
    """List the installed providers and the keys that are set (never their values)."""
    if ctx.invoked_subcommand is None:
        from proactive_agent.terminal.console import console

        console.print(_overview())


_CHECKED_WITH = (
    "api", "reasoning", "extra_body", "header", "price", "dtype", "device", "attention",
    "pictures", "isolated", "agent_usage", "agent_env", "quantize", "revision", "template_options",
    "trust_remote_code", "engine_arg", "start_timeout", "episode_timeout",
)  # fmt: skip


@providers.command(params=[*options_of(*_CHECKED_WITH, scoped=True)])
@click.argument("spec", metavar="NAME:MODEL")
@click.option(
    "--max-tokens", type=click.IntRange(min=16), default=512, show_default=True, metavar="N",
    help="Longest answer, in tokens.",
)  # fmt: skip
def check(
    spec: str,
    max_tokens: int,
    price: str | None,
    start_timeout: float,
    episode_timeout: float,
    **options: Any,
) -> None:
    """Send one request with a picture and a tool, and report what works.

    For a local model also: its template, how tools are offered and read, several pictures in a
    conversation and in the result of a call, whether a batch gives the same replies as single
    requests, the limit of a reply, and an episode of each protocol.

    For an agent: whether it sees two pictures, the second one in the result of a tool call.

    Exits with 1 if something fails.
    """
    from proactive_agent.providers import ApiAccess, ProviderOptions, create_provider
    from proactive_agent.providers.api.prices import parse_price
    from proactive_agent.runs.provider_check import check_now
    from proactive_agent.terminal.console import console, plain

    access = ApiAccess(
        start_timeout=start_timeout,
        episode_timeout=episode_timeout,
        tries=3,
        price=None if price is None else parse_price(price),
    )
    provider = create_provider(spec, ProviderOptions(**options, access=access))
    findings = check_now(provider, max_tokens)
    marks = {True: "works", False: "FAILS", None: ""}
    for what, works, detail in findings:
        line = f"{what:<8} {marks[works]:<5} {detail}"
        console.print(plain(line), markup=False, soft_wrap=True)
    if any(finding.works is False for finding in findings):
        sys.exit(1)


def _overview() -> "Table":
    from rich import box
    from rich.table import Table

    from proactive_agent.providers.registry import provider_names
    from proactive_agent.terminal.console import safe

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("provider", "installed", "key"):
        table.add_column(heading)
    for name in provider_names():
        table.add_row(name, safe(_installed(name)), _key(name))
    return table


def _installed(name: str) -> str:
    import importlib.metadata

    from proactive_agent.providers.registry import traits
    from proactive_agent.tools import UserError
    from proactive_agent.tools.install import install_command

    try:
        found = traits(name)
    except UserError as error:
        return f"no: {error}"
    if found.library is None:
        return "yes"
    try:
        installed = f"{found.library} {importlib.metadata.version(found.library)}"
    except importlib.metadata.PackageNotFoundError:
        return f"no: {install_command(found.extra)}" if found.extra else "no"
    return _vllm(installed) if name == "vllm" else installed


def _vllm(client: str) -> str:
    """The client library, and the program `vllm`, which may belong to another environment."""
    from proactive_agent.providers.vllm.server import require_program
    from proactive_agent.tools import UserError

    try:
        return f"{client}, {require_program()}"
    except UserError as error:
        return f"no: {error}"


def _key(name: str) -> str:
    from proactive_agent.providers.api.keys import NAMES, environment, find_key
    from proactive_agent.providers.api.server import OWN_SERVER_KEY

    if name == "litellm":
        own = {*NAMES.values(), OWN_SERVER_KEY}
        others = [n for n, value in environment().items() if n.endswith("_API_KEY") and value]
        found = sorted(set(others) - own)
        return ", ".join(f"{key} is set" for key in found) or "that of the API it asks"
    if name not in NAMES:
        return ""
    return f"{NAMES[name]} is {'set' if find_key(NAMES[name]) else 'missing'}"
