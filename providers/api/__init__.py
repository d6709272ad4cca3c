"""Models behind an API: OpenAI, Anthropic, whatever litellm knows, and servers that speak alike."""
