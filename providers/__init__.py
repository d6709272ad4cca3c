"""One interface over API models, local transformers models and scripted baselines."""

from providers.base import Provider, ProviderError, ProviderOptions
from providers.messages import (
    AssistantMessage,
    Choice,
    ImagePart,
    Message,
    Part,
    Reply,
    Request,
    RequestKey,
    Sampling,
    TextPart,
    ToolMessage,
    Usage,
    UserMessage,
)
from providers.registry import create_provider, provider_names

__all__ = [
    "AssistantMessage",
    "Choice",
    "ImagePart",
    "Message",
    "Part",
    "Provider",
    "ProviderError",
    "ProviderOptions",
    "Reply",
    "Request",
    "RequestKey",
    "Sampling",
    "TextPart",
    "ToolMessage",
    "Usage",
    "UserMessage",
    "create_provider",
    "provider_names",
]
