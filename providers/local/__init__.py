"""`local:MODEL`: open-weight models through transformers, many episodes to a batch."""

from proactive_agent.providers.local.provider import Local

__all__ = ["Local"]
