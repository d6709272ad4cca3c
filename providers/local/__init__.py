"""`local:MODEL`: open-weight models through transformers, with batched generation."""

from proactive_agent.providers.local.provider import Local

__all__ = ["Local"]
