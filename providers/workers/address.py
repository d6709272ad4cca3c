"""Addresses of Ray clusters, read without Ray."""

import os

from proactive_agent.tools import UserError

AUTO = "auto"
"""The address that lets Ray find the cluster: by RAY_ADDRESS, or on this machine."""


def host_and_port(address: str) -> tuple[str, int] | None:
    """Splits the address of a cluster; None for `auto`. Raises UserError."""
    if address == AUTO:
        return None
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdecimal() and int(port) < 65536):
        raise UserError(f"--ray {address!r} is not the address of a cluster: use HOST:PORT or auto")
    return host.strip("[]"), int(port)


def cluster_name(address: str) -> str:
    """Names a cluster in messages."""
    if address != AUTO:
        return f"the Ray cluster at {address}"
    if named := os.environ.get("RAY_ADDRESS"):
        return f"the Ray cluster at {named} (RAY_ADDRESS)"
    return "the Ray cluster to which this machine belongs"
