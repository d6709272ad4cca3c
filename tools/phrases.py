"""What a message asks for, or that it gives up: rules over words, no model.

The rules serve the simulated user behind `ask_clarification` and replies that call no tool.
An intervention without an argument means that the sentence leaves it open ("move the block").
"""

import re
from collections.abc import Iterator

from tools.actions import Intervention

_FEW = r"(?:[\w'-]+,? ){0,2}?"
"""Up to two words between a verb and its object: "move that red block"."""

_OCCLUDER = (
    r"(?:blocks?|occlu\w+|obstruct\w+|obstacles?|barriers?|walls?|screens?|panels?|box(?:es)?|"
    r"objects?|things?|items?|bricks?|covers?|foreground|it|that|them)"
)
_MOVE_OBJECT = re.compile(
    r"\b(?:mov(?:e|ing)|slid(?:e|ing)|remov(?:e|ing)|tak(?:e|ing)|nudge|drag(?:ging)?|"
    rf"(?:shift|push|pull|lift|clear)(?:ing)?|get|put) {_FEW}{_OCCLUDER}\b"
)
_MOVE_CAMERA = re.compile(
    r"\b(?:mov|shift|pan|turn|tilt|point|aim|swing|angl|rotat)\w* "
    rf"{_FEW}(?:camera|viewpoint|view|perspective|frame|shot|lens|picture|photo)\b"
)
_LOOK = re.compile(r"\b(?:look|pan|tilt)\w*\b")
_FARTHER = re.compile(
    r"\bzoom\w* (?:\w+ )?out\b"
    rf"|\b(?:mov|step|pull|back)\w* {_FEW}(?:farther|further|back|away)\b"
    r"|\b(?:wider|broader|larger|bigger|whole|full|entire) "
    r"(?:view|shot|picture|image|scene|frame)\b"
)
_DIRECTIONS = {
    "left": re.compile(r"\bleft\w*"),
    "right": re.compile(r"\bright(?:wards?)?\b"),
    "up": re.compile(r"\b(?:up|upwards?|higher|above)\b"),
    "down": re.compile(r"\b(?:down|downwards?|lower|below)\b"),
}
_SIDEWAYS = ("left", "right")

_MOMENT = r"(?:\w+ )?(?:frames?|moments?|part)\b"
_SIMPLE = {
    Intervention("seek_video", "rewind"): re.compile(
        r"\brewind\w*"
        r"|\b(?:go|play|run|seek|skip)\w* (?:the video |it |a bit |\w+ frames? )?"
        r"back(?:wards?)?\b"
        rf"|\b(?:earlier|previous|prior) {_MOMENT}"
    ),
    Intervention("seek_video", "wait"): re.compile(
        r"\bwait\w*"
        rf"|\b(?:later|next|following|subsequent) {_MOMENT}"
        r"|\b(?:fast[- ]?forward|keep playing|play on|let (?:it|the video) (?:play|run))"
    ),
    Intervention("rotate_object"): re.compile(
        rf"\b(?:rotat|spin|turn|flip)\w* {_FEW}(?:it|objects?|item|thing|around|over)\b"
        r"|\b(?:another|different|other|better|new|second|more \w+|alternative) (?:\w+ )?"
        r"(?:angles?|views?|viewpoints?|perspectives?|orientations?|sides?)\b"
    ),
    Intervention("add_details"): re.compile(
        r"\b(?:add|draw|sketch|finish|complet|continu|show|provid|need|giv|see|includ)\w* "
        r"(?:[\w'-]+ ){0,3}?(?:details?|strokes?|lines?|drawings?|sketch\w*|quickdraw)\b"
        r"|\b(?:draw|sketch)\w* (?:\w+ )?(?:more|on)\b"
        r"|\b(?:more|further|extra|additional) (?:details?|strokes?|lines?)\b"
    ),
}

_IMPROVE = re.compile(
    r"\b(?:enhanc|improv|increas|decreas|reduc|remov|fix|correct|adjust|chang|rais|lower|undo|"
    r"revers|boost|restor|clean|clear|apply|mak|get|provid|send|show|shar|turn|less|more|higher|"
    r"better|de-?nois|de-?blur|sharpen|brighten|darken|upscal|unpixelat|decompress|saturat|"
    r"desaturat|lighten|refocus)\w*"
)
"""A verb that changes a picture: "a blurry picture" only states a fact."""

_ENHANCEMENTS = {
    "brightness": re.compile(
        r"\bbright\w*|\b(?:too|very|so) dark\b|\bdark(?:en|er)\b|\bexposure\b|\blight(?:en|ing)\b"
    ),
    "contrast": re.compile(r"\bcontrast\w*"),
    "saturation": re.compile(r"\b(?:de)?saturat\w*|\bcolou?rs?\b"),
    "deblur": re.compile(
        r"\b(?:de-?)?blur\w*|\bsharp(?:en|er|ness)\w*|\b(?:out of |re-?|in )focus\b"
    ),
    "denoise": re.compile(r"\b(?:de-?)?nois\w*|\bgrain\w*"),
    "compression": re.compile(r"\b(?:de)?compress\w*|\bjpe?g\b"),
    "resolution": re.compile(r"\bresolution\b|\bupscal\w*|\bsuper-?res\w*|\b(?:un)?pixelat\w*"),
    "artifacts": re.compile(r"\bart[ei]facts?\b|\bsnow\b|\bfrost\b|\bfog\b|\bdistort\w*"),
}

_NEGATION = re.compile(r"(?:\bnot|n't|\bnever|\bwithout|\bno need to|\binstead of) (?:\w+ ){0,2}$")


_GIVES_UP = re.compile(
    r"\b(?:can't|cannot|can not|could not|couldn't|unable to|not able to|impossible to) "
    r"(?:\w+ ){0,3}?(?:tell|determine|identify|say|see|answer|know|recogni[sz]e|make out|discern)\b"
    r"|\b(?:do not|don't) know\b|\bno idea\b|\bnot sure\b"
    r"|\b(?:not enough|insufficient) (?:\w+ )?(?:information|detail|context)\b"
)


def gives_up(text: str) -> bool:
    """Whether a text says that no answer can be given, and asks for nothing."""
    return "?" not in text and bool(_GIVES_UP.search(_plain(text))) and not requests_in(text)


def requests_in(text: str) -> list[Intervention]:
    """The interventions that a text asks for, without repeats."""
    found: dict[Intervention, None] = {}
    for sentence in re.split(r"[.;!?\n]+", _plain(text)):
        words = " ".join(sentence.split())
        for intervention in (*_moves(words), *_simple(words), *_enhancements(words)):
            found[intervention] = None
    return list(found)


def _plain(text: str) -> str:
    return text.casefold().replace("_", " ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def _moves(sentence: str) -> Iterator[Intervention]:
    directions = [name for name, rule in _DIRECTIONS.items() if rule.search(sentence)]
    if _asked(_FARTHER, sentence):
        yield Intervention("move_camera", "farther")
    elif _asked(_MOVE_CAMERA, sentence) or (directions and _asked(_LOOK, sentence)):
        yield from _towards("move_camera", directions)
    elif _asked(_MOVE_OBJECT, sentence):
        yield from _towards("move_object", [d for d in directions if d in _SIDEWAYS])


def _simple(sentence: str) -> Iterator[Intervention]:
    for intervention, rule in _SIMPLE.items():
        if _asked(rule, sentence):
            yield intervention


def _enhancements(sentence: str) -> Iterator[Intervention]:
    if _asked(_IMPROVE, sentence):
        for operation, rule in _ENHANCEMENTS.items():
            if _asked(rule, sentence):
                yield Intervention("enhance_image", operation)


def _asked(rule: re.Pattern[str], sentence: str) -> bool:
    """Whether the rule stands in the sentence without a negation right before it."""
    return any(not _NEGATION.search(sentence[: match.start()]) for match in rule.finditer(sentence))


def _towards(tool: str, directions: list[str]) -> Iterator[Intervention]:
    if not directions:
        yield Intervention(tool)
    for direction in directions:
        yield Intervention(tool, direction)
