"""`agent:COMMAND`: a whole agent plays each episode, over MCP."""

from proactive_agent.providers.agent.provider import AgentProvider

__all__ = ["AgentProvider"]
