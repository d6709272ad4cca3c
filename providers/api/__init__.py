"""Models behind an API: OpenAI, Anthropic, litellm, and servers with compatible APIs."""
