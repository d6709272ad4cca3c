"""Plays runs of many episodes: plans, sessions, cost estimates, rejudging."""
