"""One interface over API models, local models, Python functions and scripted baselines."""

from proactive_agent.providers.added_parts import content_parts
from proactive_agent.providers.base import (
    Finding,
    Preview,
    Provider,
    ProviderError,
    ProviderOptions,
    StoppedError,
)
from proactive_agent.providers.desk import Desk
from proactive_agent.providers.function import (
    FunctionProvider,
    ModelFunction,
    PaidFunctionProvider,
)
from proactive_agent.providers.messages import (
    AssistantMessage,
    Choice,
    ImagePart,
    Message,
    Part,
    Reply,
    Request,
    RequestKey,
    SentImage,
    ServedBy,
    TextPart,
    ToolFormat,
    ToolMessage,
    Usage,
    UserMessage,
)
from proactive_agent.providers.registry import create_provider, provider_names, register_provider
from proactive_agent.settings import ApiAccess, Sampling

__all__ = [
    "ApiAccess",
    "AssistantMessage",
    "Choice",
    "Desk",
    "Finding",
    "FunctionProvider",
    "ImagePart",
    "Message",
    "ModelFunction",
    "PaidFunctionProvider",
    "Part",
    "Preview",
    "Provider",
    "ProviderError",
    "ProviderOptions",
    "Reply",
    "Request",
    "RequestKey",
    "Sampling",
    "SentImage",
    "ServedBy",
    "StoppedError",
    "TextPart",
    "ToolFormat",
    "ToolMessage",
    "Usage",
    "UserMessage",
    "content_parts",
    "create_provider",
    "provider_names",
    "register_provider",
]
