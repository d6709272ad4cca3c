"""What a run folder may not decide: running a model's code, and which server gets a key.

`run --resume` takes its settings from `run.json`, and the folder may come from someone else. So
consent comes from the command line (or the Python call) that resumes the run, never from the
folder. A command line and a plan that name a model or a server themselves are the user's choice.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from proactive_agent.play.judges.choose import RULES
from proactive_agent.providers.api.keys import find_key
from proactive_agent.providers.api.server import OWN_SERVER_KEY, parse_target
from proactive_agent.records.manifest import Settings
from proactive_agent.settings.agent_names import names_agent
from proactive_agent.tools import UserError


@dataclass(frozen=True)
class Trust:
    """What the user allows a resumed run. By default nothing."""

    remote_code: bool = False
    """Whether code from the model's repository may run, and code that engine arguments name."""
    hosts: frozenset[str] = frozenset()
    """Hosts that may get a key: `HOST` for every port of it, or `HOST:PORT`."""


class Addressee(NamedTuple):
    """A server that a run sends pictures and prompts to."""

    spec: str
    """The model, judge or simulated user."""
    host: str
    """Host name or address, in lower case."""
    port: int | None
    gets_key: bool
    """Whether a key is set that would be sent."""

    @property
    def shown(self) -> str:
        """The host, with its port if the address names one."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    def is_trusted(self, trust: Trust) -> bool:
        """Whether the user has named this host."""
        hosts = {host.lower() for host in trust.hosts}
        return not hosts.isdisjoint({self.host, self.shown})


def addressees(settings: Settings) -> list[Addressee]:
    """Returns the servers that a run names by address, for its model, judge and simulated user."""
    found = []
    for spec in models_of(settings):
        address = parse_target(spec).base_url
        if address is not None:
            parts = urlsplit(address)
            has_key = find_key(OWN_SERVER_KEY) is not None
            found.append(Addressee(spec, parts.hostname or "", parts.port, has_key))
    return found


def models_of(settings: Settings) -> list[str]:
    """Returns the specs of the model and, if they are others, of the judge and the user."""
    others = {"oeg": settings.judge, "tools": settings.user}
    other = others.get(settings.protocol, RULES)
    return list(dict.fromkeys([settings.provider, *([other] if other != RULES else [])]))


def runs_foreign_code(settings: Settings) -> str:
    """Returns how these settings can run code that the user has not chosen; empty if they cannot.

    Completes "the model …".
    """
    if names_agent(settings.provider):
        return "is a command that would be run on this machine"
    if settings.provider_settings.trust_remote_code:
        return "runs code from the model's repository"
    if given := settings.provider_settings.engine_arg:
        # Some arguments of vLLM name a module or a file that it runs.
        return f"is started with --engine-arg {', '.join(given)}, which can run code"
    return ""


def resume_options(settings: Settings) -> list[str]:
    """Returns the options by which a user who trusts these settings resumes them."""
    hosts = dict.fromkeys(one.shown for one in addressees(settings) if one.gets_key)
    options = ["--trust-remote-code"] if runs_foreign_code(settings) else []
    return options + [word for host in hosts for word in ("--trust-host", host)]


def check_trust(settings: Settings, trust: Trust, folder: Path) -> None:
    """Refuses to go on with settings that need more trust. Raises UserError."""
    if (reason := runs_foreign_code(settings)) and not trust.remote_code:
        raise UserError(
            f"{folder}: its model {settings.provider} {reason}; "
            "--resume --dry-run shows what would be loaded, and --trust-remote-code allows it"
        )
    for server in addressees(settings):
        if server.gets_key and not server.is_trusted(trust):
            raise UserError(
                f"{folder} names the server {server.shown}, which would get the key "
                f"{OWN_SERVER_KEY}; if you trust it with the key, pass --trust-host {server.shown}"
            )
