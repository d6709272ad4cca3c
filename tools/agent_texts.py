"""Texts that only agents read, which play over MCP.

Agents also read the texts in `texts.py`. A change of any text needs a new `VERSION`, which
the run's manifest records.
"""

VERSION = "agent v1"

PROMPT = (
    "A user shows you a picture and asks a question about it. Call the tool look to see the "
    "question and the picture. Respond only by calling the tools of this server, until a result "
    "says that the episode has ended."
)
PROMPT_SEPARATE = (
    "A user shows you a picture and asks a question about it. Call the tool read_question to read "
    "the question and the tool look to see the picture. Respond only by calling the tools of this "
    "server, until a result says that the episode has ended."
)

LOOK = "Shows the user's question and the picture as it is now."
LOOK_SEPARATE = "Shows the picture as it is now."
READ_QUESTION = "Shows the user's question."
CALL_LOOK = "Call look to see the picture."
ENDED = "The episode has ended."
BUSY = "Too many calls are waiting. Wait for their results first."

NEXT_EPISODE = "Begins the next episode and shows its question and its picture."
CALL_NEXT = "Call next_episode for the next one."
VALUES = "In this episode the tools take these values: {tools}"
NONE_LEFT = "No episode is left."
FIRST_NEXT = "No episode is being played. Call next_episode."
SERVE_PROMPT = (
    "A user shows pictures and asks a question about each of them. Call the tool next_episode to "
    "see the next question and its picture. Respond only by calling the tools of this server. When "
    "a result says that the episode has ended, call next_episode again, until no episode is left."
)
