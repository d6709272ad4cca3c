"""`trace --plain`: lists of episodes, episodes turn by turn, and two runs side by side, as text.

All text that a model wrote goes through `terminal.console.safe`.
"""
