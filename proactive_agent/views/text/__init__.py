"""What a model did, as text: lists of episodes, episodes turn by turn, two runs side by side.

Everything that a model wrote goes through `terminal.safe`.
"""
