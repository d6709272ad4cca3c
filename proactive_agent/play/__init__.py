"""Plays one episode: the agent loop, protocols, conditions, judges, the simulated user."""
