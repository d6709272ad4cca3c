#!/bin/sh
# Codex plays one episode. Arguments: URL PROMPT.
#
#   export CODEX_API_KEY=…
#   python -m proactive_agent run --agent-env CODEX_API_KEY --agent-usage - \
#       --provider "agent:sh $PWD/examples/agents/codex.sh {url} '{prompt}'"
#
# Its shell and its web search remain available, so it can read files: isolate it (see Dockerfile).
exec codex exec --json --skip-git-repo-check --sandbox read-only \
    -c "mcp_servers.user.url=\"$1\"" -c 'mcp_servers.user.default_tools_approval_mode="approve"' "$2"
