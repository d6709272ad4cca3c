"""`vllm:MODEL`: open-weight models in a vLLM server that the program starts and stops."""

from proactive_agent.providers.vllm.provider import Vllm

__all__ = ["Vllm"]
