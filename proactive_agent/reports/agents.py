"""Notes on runs of agents, which tables keep apart from runs of models."""

from collections.abc import Sequence

from proactive_agent.records.manifest import Manifest
from proactive_agent.settings.agent_names import names_agent, short_name


def agent_notes(manifests: Sequence[Manifest]) -> list[str]:
    """Returns the notes that every table with agents prints."""
    agents = [m for m in manifests if names_agent(m.settings.provider)]
    if not agents:
        return []
    notes = []
    if len(agents) < len(manifests):
        notes.append(
            "Warning: agents and models are shown together. The system prompt, the tools and the "
            "scaffolding of an agent are its own, so its numbers are not those of its model."
        )
    for manifest in _distinct(agents):
        client = manifest.provider.get("client")
        if client:
            name = short_name(manifest.settings.provider)
            notes.append(f"{name} played over MCP with the client {client}.")
    for isolation, fault in (
        ("no", "was not isolated"),
        ("unknown", "was not stated to be isolated"),
    ):
        found = [m for m in _distinct(agents) if _isolation(m) == isolation]
        if found:
            names = ", ".join(short_name(m.settings.provider) for m in found)
            notes.append(f"Warning: {names} {fault}, so it may have read the answers on the disk.")
    ranked = [m for m in agents if m.unranked]
    if ranked:
        names = ", ".join(dict.fromkeys(short_name(m.settings.provider) for m in ranked))
        notes.append(f"Warning: {names} was played as a demonstration (serve) and is unranked.")
    return notes


def _isolation(manifest: Manifest) -> str:
    return manifest.settings.provider_settings.isolated


def _distinct(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Leaves out further runs of the same agent."""
    found: dict[object, Manifest] = {}
    for manifest in manifests:
        facts = (manifest.settings.provider, manifest.provider.get("client"), _isolation(manifest))
        found.setdefault(facts, manifest)
    return list(found.values())
