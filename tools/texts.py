"""All texts of the tool interface that a model reads.

The descriptions say what a tool does, never that it should be used, because the benchmark measures
whether a model asks for help. A change of any text needs a new `VERSION`. Each run's manifest
contains the hash of all texts.
"""

import hashlib
import json

VERSION = "tools v3"

DESCRIPTIONS = {
    "move_object": "The user moves the object in the foreground one step to the given side.",
    "seek_video": "The user goes back in the video (rewind) or lets it play on (wait), "
    "and shows the frame found there.",
    "rotate_object": "The user turns the object or takes the picture from another side.",
    "enhance_image": "The user applies one step of the given enhancement to the picture.",
    "add_details": "The user draws one more stroke.",
    "move_camera": "The user moves the camera one step in the given direction; "
    "'farther' steps back from the scene.",
    "ask_clarification": "The user reads the question or request and does the first thing that it "
    "asks for, if that is possible.",
    "answer": "Gives the final answer to the user's question.",
    "abstain": "Ends the conversation without an answer.",
}

PARAMETERS = {
    "direction": "Where to.",
    "operation": "Which enhancement.",
    "question": "What to ask the user or to request from them, in one sentence.",
    "category": "The answer.",
    "reason": "Why no answer is given.",
}

OPERATIONS = {
    "brightness": "correct the brightness",
    "contrast": "correct the contrast",
    "saturation": "correct the saturation",
    "deblur": "remove blur",
    "denoise": "remove noise",
    "compression": "undo compression",
    "resolution": "raise the resolution",
    "artifacts": "remove artifacts",
}

IN_THE_USERS_WORDS = "In the user's words: {wording}"

INSTRUCTION = "Respond by calling exactly one of the tools."

DONE = "The user did this: {what}. This is what the picture shows now."
NOT_POSSIBLE = "The user says that this is not possible here. The picture has not changed."
ASKED_BACK = (
    "The user asks: what exactly should I do? Nothing was done, and the picture has not changed."
)
RIGHT = "The user says that this is right."
IMAGE_FOLLOWS = "The picture that belongs to the tool result above:"

TEXT_PROTOCOL = """\
The following tools can be called:
{tools}

To call a tool, write its name and its arguments as one JSON object between these marks:
<tool_call>{example}</tool_call>"""


def texts_hash() -> str:
    """SHA-256 of all texts, for the manifest."""
    everything = [
        VERSION, DESCRIPTIONS, PARAMETERS, OPERATIONS, IN_THE_USERS_WORDS, INSTRUCTION,
        DONE, NOT_POSSIBLE, ASKED_BACK, RIGHT, IMAGE_FOLLOWS, TEXT_PROTOCOL,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()
