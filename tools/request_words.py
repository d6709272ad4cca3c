"""The words with which people ask for an intervention, as regular expressions.

Each intervention has two kinds of phrases. A *deed* is a request by itself ("move the block"). A
*wish* names the wanted thing ("another angle") and is a request only in a sentence that asks for
something.
"""

import re
from typing import NamedTuple

from proactive_agent.tools.actions import Intervention


class Words(NamedTuple):
    """The phrases of one intervention. The default of `wish` matches nothing."""

    deed: re.Pattern[str]
    wish: re.Pattern[str] = re.compile(r"(?!)")


_NEVER = re.compile(r"(?!)")
_FEW = r"(?:[\w'-]+,? ){0,3}?"
"""Up to three words between a verb and its object: "move that big red block"."""
_SOME = r"(?:[\w'-]+ ){0,5}?"
_BE = r"(?:be|were|is|are|get|gets) (?:\w+ )?"


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"\b(?:{phrase})" for phrase in phrases))


# What hides an object -----------------------------------------------------------------------------

_OCCLUDER = (
    r"(?:blocks?|occlu\w+|obstruct\w+|obstacles?|barriers?|walls?|screens?|panels?|box(?:es)?|"
    r"objects?|things?|items?|bricks?|cubes?|pieces?|towers?|stacks?|covers?|foreground|it|that|them|"
    r"what(?:ever)? (?:is|stands|covers|hides|blocks))\b"
)
_PILE = r"(?:blocks?|bricks?|cubes?|pieces?|obstacles?|occluders?|obstructions?|towers?|stacks?)\b"
_MOVED = (
    r"(?:re)?moved|shifted|slid|pushed|pulled|lifted|cleared|taken (?:away|off|out|aside)|dragged|"
    r"nudged|(?:re)?positioned|relocated|displaced|raised|separated"
)
MOVE_OBJECT = Words(
    deed=_any(
        r"(?:(?:re)?mov(?:e|ing)|slid(?:e|ing)|tak(?:e|ing)|drag(?:ging)?|nudg(?:e|ing)|"
        r"rais(?:e|ing)|(?:shift|push|pull|lift|clear|reposition)(?:ing)?|relocat(?:e|ing)|"
        rf"displac(?:e|ing)|separat(?:e|ing)|get(?:ting)?(?: rid of)?|"
        rf"put(?:ting)?(?! (?:it|the object) (?:upright|on its))|uncover(?:ing)?|"
        rf"unveil(?:ing)?|expos(?:e|ing)|knock(?:ing)?|toppl(?:e|ing)|dismantl(?:e|ing)) "
        rf"{_FEW}{_OCCLUDER}",
        rf"(?:move|remove|tak(?:e|ing)|push|pull|lift|slide|shift|clear|get) {_SOME}{_PILE}",
        r"(?:clear|free|unblock|open up) (?:the |my )?(?:way|path|view|line of sight)\b",
        r"(?:clear|resolve) (?:the |this |that )?(?:occlusion|obstruction|blockage)\b",
        rf"(?:set|lay|sweep|brush) {_FEW}{_OCCLUDER} (?:aside|away)\b",
        rf"(?:change|adjust) (?:the )?(?:position|placement|location) of {_FEW}{_PILE}",
        rf"part(?:ing)? (?:the |those |these ){_PILE}",
    ),
    wish=_any(
        rf"{_OCCLUDER} {_SOME}{_BE}(?:{_MOVED}|gone|out of the way)\b",
        rf"(?:like|want|need|have|get) {_FEW}{_OCCLUDER} (?:to be )?(?:{_MOVED}|out of the way)\b",
        r"without (?:[\w'-]+ ){1,4}?(?:in front|in the way|in between)\b",
        rf"(?:if|once|unless|until) {_FEW}(?:{_MOVED}) {_FEW}{_OCCLUDER}",
    ),
)
MOVE_PILE = _any(
    rf"(?:move|remove|tak(?:e|ing)|push|pull|lift|slide|shift|clear|get) {_FEW}{_PILE}"
)
"""Names what hides the object, so that it cannot mean the camera."""

# The camera ---------------------------------------------------------------------------------------

_CAMERA = r"(?:camera|viewpoint|view|perspective|frame|shot|lens|picture|photo)\b"
_CAMERA_ITSELF = r"(?:camera|viewpoint|perspective|lens|photographer)"
MOVE_CAMERA = Words(
    deed=_any(
        rf"(?:mov|shift|pan|turn|tilt|point|aim|swing|angl|rotat)\w* {_FEW}{_CAMERA}",
        rf"(?:adjust|position|reposition|place|direct|lower|raise|put)(?:ing)? {_FEW}"
        rf"{_CAMERA_ITSELF}\b",
        r"(?:re-?fram|re-?compos|re-?aim)(?:e|ing)\b",
        r"(?:walk|go|move|circle|step) around\b",
        r"move (?:over )?there\b",
        r"(?:scan|sweep|survey) (?:the |this )?(?:\w+ )?(?:room|scene|area|surroundings)\b",
    ),
    wish=_any(
        rf"{_CAMERA_ITSELF} {_SOME}{_BE}"
        r"(?:moved|shifted|turned|tilted|pointed|aimed|panned|angled|placed|positioned|set)\b",
        r"(?:you|photographer|camera(?:man)?|we|i) (?:\w+ ){0,2}?"
        r"(?:step|move|walk|go|stand)\w* (?:\w+ ){0,2}?(?:left|right|aside|sideways|other side)\b",
        r"(?:another|different|second) camera\b",
    ),
)
LOOK = _any(
    r"look\b(?! (?:\w+ ){0,2}?from\b)",
    r"(?:pan|tilt)(?:n?ing)?\b",
    r"(?:turn|swing|swivel) (?:\w+ ){0,3}?(?=left|right|up|down)",
    r"(?:show|see|view|include|capture|reveal) (?:me )?"
    r"(?:what|more|the (?:left|right|upper|lower|top|bottom))\b",
    r"(?:show|see|view|include|capture|reveal) (?:me )?(?:the |an? )?(?:\w+ ){0,3}?"
    r"(?:area|part|region|side|space|section|portion|half|surroundings)\b",
    r"(?:extend|expand|enlarge|scroll) (?:[\w'-]+ ){0,3}?"
    r"(?=picture|image|view|frame|crop|photo|left|right|up|down|to the)",
    r"^(?:is there|is anything|what's|what is) (?:\w+ ){0,3}?"
    r"(?=(?:to|on) the (?:left|right)\b|above|below)",
)
"""Asks to move the camera if the sentence also names a direction."""
LOOK_ELSEWHERE = _any(r"look (?:there|elsewhere|around)\b")
FARTHER = Words(
    deed=_any(
        r"zoom\w* (?:\w+ )?out\b",
        rf"(?:mov(?:e|ing)|step(?:ping)?|pull(?:ing)?|back(?:ing)?) {_FEW}"
        r"(?:farther|further|back|away)\b(?! (?:[\w'-]+ ){0,3}?(?:frames?|seconds?|moments?)\b)",
        r"(?:get|take|gain|keep) (?:some |more |a little )*distance\b",
        r"(?:increase|enlarge) (?:the |your )?distance\b",
        r"back up\b(?! (?:the |this )?(?:video|clip))",
        rf"(?:widen|broaden) {_FEW}(?:view|shot|frame|angle|field|picture|image)\b",
    ),
    wish=_any(
        r"(?:wider|broader|larger|bigger|whole|full|entire|complete|uncropped) (?:\w+ )?"
        r"(?:view|shot|picture|image|photo|scene|frame|area|field|angle|room)\b",
        r"more of (?:the|this|that|its|your) (?:\w+ )?"
        r"(?:room|scene|surroundings|environment|area|picture|image|photo|view|background)\b",
        r"(?:larger|bigger|greater|wider) (?:part|portion|section|piece|area|fraction) of\b",
        r"(?:original|uncut|zoomed[- ]out|wide[- ]angle) (?:\w+ )?"
        r"(?:picture|image|photo|shot|view)\b",
        r"from (?:farther|further) (?:away|back|off)\b|from a (?:\w+ )?distance\b",
        r"(?:whole|full|entire|complete) (?:\w+ )?(?:object|thing|item|animal|body)\b",
        r"in its entirety\b",
        r"(?:see|show|seeing|includ\w+|captur\w+) (?:me )?(?:more|the rest) of (?:it|what|the)\b",
        rf"{_CAMERA_ITSELF} {_SOME}{_BE}(?:farther|further|moved) (?:back|away)\b",
    ),
)
DIRECTIONS = {
    "left": re.compile(r"\bleft\w*"),
    "right": re.compile(r"\bright(?:wards?)?\b"),
    "up": re.compile(r"\b(?:up|upwards?|upper|top|higher|above|rais(?:e|ing)|overhead)\b"),
    "down": re.compile(r"\b(?:down|downwards?|lower(?:ing)?|bottom|below|beneath|underneath)\b"),
}

LOCATION = re.compile(r"\b(?:on|at|in) (?:the |its |your |my )?(?:\w+ )?$")
"""Words before a direction that tells where something is, not where to move it."""

# Another view: the thing may be turned, or the camera moved ---------------------------------------

_SIDE = (
    r"(?:front|back|rear|top|bottom|underside|reverse|face|"
    r"(?:other|opposite|another) (?:side|end))\b"
)
_FROM = (
    r"from (?:the |a |its )?(?:\w+ )?"
    r"(?:side|above|below|behind|top|front|back|left|right|elsewhere|there)\b"
)
OTHER_VIEW = Words(
    deed=_any(
        rf"(?:chang|vary|switch|adjust|alter)\w* {_FEW}"
        r"(?:angles?|views?|viewpoints?|perspectives?|orientations?)\b",
        r"look(?:ing)? (?:at it )?from (?:another|a different|some other) \w+",
    ),
    wish=_any(
        r"(?:another|different|other|better|new|second|more|additional|further|extra|several|"
        r"multiple|alternat(?:iv)?e) (?:\w+ )?"
        r"(?:angles?|views?|viewpoints?|perspectives?|orientations?|sides?|faces?|positions?|"
        r"vantage points?)\b",
        r"(?:bird's[- ]eye|top[- ]down|overhead|aerial|frontal|front|side|rear|back|top|head-on) "
        r"(?:view|shot|angle|perspective|picture|photo|image)\b",
        r"(?:photo|picture|image|shot|view|look|one|see|show|try|again|it)\w* (?:\w+ ){0,2}?"
        rf"{_FROM}",
        rf"look like (?:at|from|on|in) the {_SIDE}",
        rf"(?:taken|seen|shot|photographed) {_FROM}",
        r"(?:from |taken )?(?:all around|all sides|every side|both sides)\b",
        r"without (?:a |any )?(?:\w+ )?view of\b",
        r"view of its \w+",
        rf"(?:show|see|seeing|view|viewing|look at) (?:me )?(?:[\w'-]+ ){{0,6}}?{_SIDE}",
    ),
)
ROTATE = Words(
    deed=_any(
        rf"(?:rotat|spin|turn|flip|swivel|twist|pivot|reorient)\w* {_FEW}"
        r"(?:it|objects?|item|thing|around|over)\b",
        r"(?:the )?other way (?:a)?round\b",
        r"(?:rotate|rotating|spin|spinning|flip|flipping|turn|turning) (?:the|this|that|your) "
        r"(?!(?:brightness|contrast|saturation|light|page)\b)\w+",
        r"(?:put|set|place|stand|lay) (?:it|the object|the item|the thing) "
        r"(?:upright|upside down|on its)\b",
    ),
    wish=_any(rf"{_BE}(?:rotated|turned|spun|flipped)\b"),
)

# A video ------------------------------------------------------------------------------------------

_VIDEO = r"(?:video|clip|footage|recording|film|movie|playback|sequence|stream)\b"
GO_ON = r"(?:go on|keep going|carry on|continue)(?= ?(?:$|[,:?]| please| until| so\b| and\b))"
"""Has no object, so it can mean the video or the drawing."""
_MOMENT = (
    r"(?:\w+ )?(?:frames?|moments?|parts?|scenes?|seconds?|points?|sections?|segments?|shots?)\b"
)
REWIND = Words(
    deed=_any(
        r"rewind\w*",
        r"(?:go|play|run|seek|skip|scrub|scroll|jump|wind)\w* "
        r"(?:the (?:video|clip) |it |a bit |(?:\w+ ){0,2}frames? )?back(?:wards?)?\b",
        rf"(?:back up|reverse|turn back) (?:\w+ )?{_VIDEO}",
        r"restart\w*|start over\b|backtrack\w*|replay\w*",
        r"(?:step|go|move|jump|skip|seek)\w* back(?:wards?)? (?:[\w'-]+ ){0,3}?"
        r"(?:frames?|seconds?|moments?|steps?|time)\b",
        r"(?:return|go|jump|switch|move|skip) (?:back )?to (?:the |an? )?(?:\w+ )?"
        r"(?:previous|earlier|prior|preceding|beginning|start|first|last frame)\b",
    ),
    wish=_any(
        rf"(?:earlier|previous|prior|preceding) {_MOMENT}",
        r"from the (?:beginning|start)\b",
        r"(?:earlier|further back) in (?:the |this )?(?:\w+ )?"
        r"(?:video|clip|footage|recording|time)\b",
        r"what (?:happened|came|was (?:there|shown|visible)|it looked like) (?:[\w'-]+ ){0,3}?"
        r"(?:before|earlier|previously)\b",
        r"(?:frames?|seconds?|moments?) ago\b",
        r"look(?:ed)? like (?:\w+ ){0,3}?(?:before|earlier|previously)\b",
        r"(?:frames?|moments?|seconds?|footage|video) (?:[\w'-]+ ){0,5}?(?:before|earlier)\b",
        r"(?:show|see|return to|back to|go to) (?:me )?the (?:beginning|start|opening)\b",
        r"before (?:the |that |this )\w+ "
        r"(?:came|passed|arrived|covered|appeared|got|drove|hid|was)\b",
    ),
)
WAIT = Words(
    deed=_any(
        r"(?<!i shall )(?<!i will )(?<!i'll )wait\b",
        r"(?:suggest|recommend|try|consider|by) waiting\b",
        r"waiting (?:\w+ ){0,6}?(?:would|could|might|may|will|helps?)\b",
        r"fast[- ]?forward\w*", r"keep playing", r"play on\b",
        r"play\w* (?:\w+ )?(?:forwards?|further|ahead|onwards?)\b",
        r"(?:proceed|progress|move on|continue) (?:\w+ )?(?:to|with|through) (?:the |a )?(?:\w+ )?"
        r"(?:next|later|following|subsequent|video|clip|playback|frames?|scene)\b",
        r"keep watching\b",
        r"(?:advanc|proceed|progress)\w* (?:[\w'-]+ ){0,4}?(?:frames?|seconds?)\b",
        r"(?:give|allow) (?:it|me|them) (?:\w+ ){0,3}?(?:moments?|seconds?|more time)\b",
        r"let (?:it|the (?:video|clip)) (?:play|run|go|continue)",
        r"(?:skip|jump|go|mov|advanc|scroll|seek)\w* (?:\w+ ){0,2}?(?:ahead|forwards?)\b",
        rf"(?:advanc|forward|progress)\w* {_FEW}{_VIDEO}",
        r"(?:skip|jump|go|move|advance|seek) (?:\w+ )?to (?:the )?(?:end|point|part|moment)\b",
        rf"(?:continue|resume|go on|carry on|keep)\b (?:\w+ ){{0,3}}?(?:{_VIDEO}|watching)",
        r"watch(?:ing)? (?:\w+ ){0,3}?(?:further|longer|more|on)\b",
        rf"play(?:ing)? (?:the |this )?(?:\w+ of )?(?:the |this )?{_VIDEO}(?! (?:back|from))",
        r"hold on (?:until|till)\b",
        GO_ON,
    ),
    wish=_any(
        rf"(?:later|next|following|subsequent) {_MOMENT}",
        r"(?:later|further) (?:in|into) (?:the |this )?(?:\w+ )?"
        r"(?:video|clip|footage|recording|sequence)\b",
        r"later (?:time|stage|state|image|picture|view)\b"
        r"(?! of (?:the |your |this )?(?:drawing|sketch|doodle))",
        r"look like (?:\w+ ){0,3}?(?:later|afterwards?|next|after that)\b",
        rf"more (?:\w+ ){{0,3}}?(?:{_VIDEO}|seconds?\b)",
        r"(?:see|show|watch|know) (?:\w+ )?what (?:happens|comes|follows)\b",
        rf"(?:{_VIDEO}|it) (?:\w+ )?(?:continues|goes on|plays|runs on|progresses|proceeds)\b",
        rf"rest of (?:the|this|your) {_VIDEO}",
        r"(?:frames?|moments?|seconds?|footage|video) (?:[\w'-]+ ){0,5}?(?:after|later)\b",
        r"(?:see|know|learn|find out) what (?:[\w'-]+ ){1,8}?(?:next|afterwards?|then|later)\b",
        r"(?:once|when|until|after|as soon as) (?:[\w'-]+ ){1,6}?(?:pulled|moved|pushed|driven|"
        r"carried|taken|lifted|opened|drawn|removed|uncovered|cleared|revealed)\b",
        r"(?:show|see|go to|play) (?:me )?the (?:end|ending|rest|last part)\b",
        r"(?:once|when|until|after|as soon as) (?:[\w'-]+ ){1,4}?"
        r"(?:is|are|has|have|gets?|moves?|passe[sd]|drives?|leaves?|clears?) (?:\w+ )?"
        r"(?:out of the way|gone|passed|past|away|by|off|left)\b",
    ),
)  # fmt: skip
SEEK = Words(
    deed=_NEVER,
    wish=_any(
        r"(?:another|different|other|more|additional|further|clearer|better) (?:\w+ )?"
        r"(?:frames?|moments?|stills?|screenshots?)\b"
    ),
)
"""Asks for another moment of the video, earlier or later."""

# A drawing ----------------------------------------------------------------------------------------

_STROKES = (
    r"(?:details?|strokes?|lines?|features?|elements?|drawings?|sketch|sketches|quickdraw|"
    r"doodles?)\b"
)
ADD_DETAILS = Words(
    deed=_any(
        rf"(?:add(?:ing)?|draw|sketch|includ(?:e|ing)|provid(?:e|ing)) "
        rf"(?:(?!these|those|this\b)[\w'-]+ ){{0,4}}?{_STROKES}",
        rf"(?:finish|complet|continu)(?:e|ing)? (?:[\w'-]+ ){{0,3}}?{_STROKES}",
        r"(?:finish|complete|continue) (?:the |your |this )?(?:picture|image|figure|outline|it)\b",
        r"(?:draw|sketch) (?:\w+ )?(?:more|on|further|rest|it out)\b",
        r"drawing (?:more|further)\b",
        r"(?:keep|go on|continue|carry on) (?:\w+ )?(?:draw|sketch)ing\b",
        r"(?:go on|go ahead|keep going|carry on|proceed) with (?:the |your |this )?"
        r"(?:drawing|sketch|doodle|picture)\b",
        rf"(?:develop|refine|detail) {_FEW}(?:drawing|sketch|doodle|picture)\b",
        r"add to (?:the |your |this )?(?:drawing|sketch|doodle|it)\b",
        r"what (?:else |more )?(?:would|will|do|are) you (?:going to )?draw",
        r"draw (?:the|an?|some|its|in) (?!line\b|conclusion)\w+",
        rf"(?:flesh out|fill in|elaborate|extend|expand) {_FEW}"
        r"(?:drawing|sketch|doodle|picture|it)\b",
        GO_ON,
    ),
    wish=_any(
        r"(?:more|further|extra|additional|missing|other|enough) (?:\w+ )?"
        r"(?:details?|strokes?|lines?|features?)\b",
        r"(?:more|rest) of (?:the|this|your) (?:drawing|sketch|doodle|figure)\b",
        r"(?:add|added|adding|draw|drawn|fill\w* in) (?:in )?(?:the |some |any )?"
        r"(?:missing|remaining|other|more) (?:parts?|pieces?|bits?)\b",
        r"(?:finished|completed?|full|whole|later state of the|fuller) (?:drawing|sketch|doodle)\b",
        r"(?:finished|completed|more complete) (?:picture|image|version)\b",
        r"how (?:it|this|the (?:drawing|sketch)) (?:continues|goes on|ends|evolves)\b",
        r"more to come\b",
        r"(?:next|another|further|following) (?:\w+ )?(?:strokes?|lines?|(?:steps?|stages?|parts?) "
        r"(?:of|in) (?:the |your |this )?(?:drawing|sketch|doodle))\b",
        r"more (?:detailed|elaborate|developed|finished|complete) (?:\w+ )?"
        r"(?:drawing|sketch|doodle|version|outline)\b",
        rf"(?:show|give|need|see) (?:me )?(?:[\w'-]+ ){{0,3}}?(?:more|few) {_STROKES}",
    ),
)

SIMPLE = {
    Intervention("seek_video", "rewind"): REWIND,
    Intervention("seek_video", "wait"): WAIT,
    Intervention("seek_video"): SEEK,
    Intervention("rotate_object"): ROTATE,
    Intervention("add_details"): ADD_DETAILS,
}
"""Interventions that are found independently of the rest of the sentence."""

# A picture's quality ------------------------------------------------------------------------------

IMPROVE = re.compile(
    r"\b(?:enhanc|improv|increas|decreas|reduc|remov|fix|correct|adjust|chang|rais|lower|undo|"
    r"revers|boost|restor|clean|clear|apply|turn|de-?nois|de-?blur|sharpen|brighten|darken|upscal|"
    r"unpixelat|decompress|saturat|desaturat|lighten|refocus|filter|eliminat|repair|normali[sz]|"
    r"crank|dial|lift)\w*"
)
"""Verbs that change a picture. Without one, "a blurry picture" is a statement."""
GIVE_BETTER = re.compile(
    r"\b(?:mak(?:e|ing)|get(?:ting)?|provid(?:e|ing)|send|show|shar(?:e|ing)|bring|use|take|have|"
    r"less|more|higher|better|sharper|brighter|lighter|clearer|need|version|original|available)\b"
)
"""Words that ask for a better picture, in a sentence that asks for something."""

ENHANCEMENTS = {
    "brightness": re.compile(
        r"\bbright\w*|\b(?:too|very|so) dark\b|\bdark(?:en|er)\b|\bexposure\b|"
        r"\b(?:more )?light(?:en|ing|er)?\b|\bunderexpos\w*|\boverexpos\w*|\billuminat\w*"
    ),
    "contrast": re.compile(r"\bcontrast\w*"),
    "saturation": re.compile(r"\b(?:de)?saturat\w*|\bcolou?rs?\b"),
    "deblur": re.compile(
        r"\b(?:de-?|un)?blur\w*|\bsharp(?:en|er|ness)\w*|\b(?:out of |re-?|in )focus\b"
        r"|\bcrisp\w*"
    ),
    "denoise": re.compile(r"\b(?:de-?)?nois\w*|\bgrain\w*|\bstatic\b|\bspeckl\w*"),
    "compression": re.compile(r"\b(?:de|un)?compress\w*|\bjpe?g\b|\blossless\w*"),
    "resolution": re.compile(
        r"\bresolution\b|\b(?:number of|more) pixels\b|\bpixel count\b|\bhi(?:gh(?:er)?)?-res\b|"
        r"\bupscal\w*|\bsuper-?res\w*|"
        r"\b(?:un)?pixelat\w*"
    ),
    "artifacts": re.compile(r"\bart[ei]facts?\b|\bsnow\b|\bfrost\b|\bfog\b|\bdistort\w*"),
}
FAULT_BEFORE = re.compile(
    r"\b(?:fix|correct|remove|reduce|filter|improve|adjust|undo|eliminate|address|resolve|repair|"
    r"get rid of|clean|help with|do something about) (?:\w+ )?(?:it|this|that|these|those|them)\b"
)
"""Asks to mend a fault that the sentence before names ("It is blurry. Can you fix that?")."""
WITHOUT_FAULT = re.compile(
    r"\b(?:isn't|is not|aren't|not|less|without(?: the| any)?|free of|no) (?:so |as |too |that )?$"
)
"""Words before the name of a fault that ask for its absence ("a picture that is not blurry")."""

# Wishes without a concrete change -----------------------------------------------------------------

_PICTURE = (
    r"(?:views?|looks?|pictures?|images?|photos?|shots?|versions?|visuals?|quality|glimpse)\b"
)
HELP = _any(
    r"(?:can|could|would|will) (?:you|someone) (?:\w+ )?(?:help|assist)\b",
    r"(?:help|assist) (?:me|us|out)\b",
    r"(?:need|any|some|your|more|further|for) (?:help|assistance)\b",
    rf"(?:clear|better|close|proper|detail|complete|full|good|large|big)\w* (?:\w+ )?{_PICTURE}",
    r"(?:more|additional|further|extra|other|any) (?:\w+ )?"
    r"(?:information|info|context|details?|clues?|hints?|evidence|data|material|input)\b",
    r"(?:hint|clue|tip)\b",
    r"(?:provid|giv|shar|send|offer)\w* (?:[\w'-]+ ){0,4}?"
    r"(?:details?|information|info|context|description)\b",
    r"(?:show|see|make|view|present|display|reveal) (?:[\w'-]+ ){0,5}?"
    r"(?:clear(?:er|ly)?|more|better|closer|properly)\b",
    rf"(?:another|new|different|other) {_PICTURE}",
    r"(?:improve|increase|enhance|better|fix|upload|send|share|provide|retake) "
    rf"(?:[\w'-]+ ){{0,4}}?(?:clarity|visibility|{_PICTURE})",
    r"(?:more|less) (?:clear|visible|recogni[sz]able)\b",
    r"(?:something|anything) (?:else|more)\b",
    rf"(?:original|actual) {_PICTURE}",
    r"clarify\b",
)
"""Asks for help, more information or a better picture."""

# Whole sentences ----------------------------------------------------------------------------------

REQUESTS = {
    Intervention("move_object", "left"): "Please move what is in front to the left.",
    Intervention("move_object", "right"): "Please move what is in front to the right.",
    Intervention("seek_video", "rewind"): "Please rewind the video.",
    Intervention("seek_video", "wait"): "Please wait and let the video play on.",
    Intervention("rotate_object"): "Please rotate the object.",
    Intervention("enhance_image", "brightness"): "Please correct the brightness of the picture.",
    Intervention("enhance_image", "contrast"): "Please correct the contrast of the picture.",
    Intervention("enhance_image", "saturation"): "Please correct the saturation of the picture.",
    Intervention("enhance_image", "deblur"): "Please deblur the picture.",
    Intervention("enhance_image", "denoise"): "Please denoise the picture.",
    Intervention("enhance_image", "compression"): "Please undo the compression of the picture.",
    Intervention("enhance_image", "resolution"): "Please increase the resolution of the picture.",
    Intervention("enhance_image", "artifacts"): "Please remove the artifacts from the picture.",
    Intervention("add_details"): "Please add more details to the drawing.",
    Intervention("move_camera", "left"): "Please move the camera to the left.",
    Intervention("move_camera", "right"): "Please move the camera to the right.",
    Intervention("move_camera", "up"): "Please move the camera up.",
    Intervention("move_camera", "down"): "Please move the camera down.",
    Intervention("move_camera", "farther"): "Please step back from the scene with the camera.",
}
"""A sentence that asks for each intervention; baselines say it."""
