#!/bin/sh
# Claude Code plays one episode, locked down to the tools of the episode. Arguments: URL PROMPT.
#
#   export ANTHROPIC_API_KEY=…
#   python -m proactive_agent run --agent-env ANTHROPIC_API_KEY --agent-usage - \
#       --provider "agent:sh $PWD/examples/agents/claude_code.sh {url} '{prompt}'"
#
# --tools "" removes its own tools (shell, files, web). --strict-mcp-config removes MCP servers and
# tools of the user's configuration. Its own system prompt remains.
exec claude -p "$2" \
    --tools "" \
    --strict-mcp-config \
    --mcp-config "{\"mcpServers\": {\"user\": {\"type\": \"http\", \"url\": \"$1\"}}}" \
    --allowedTools "mcp__user" \
    --output-format json
