"""All kinds of scenes, and their samples in the official layout."""

import json
import random
from functools import lru_cache
from typing import Any

from proactive_agent.scenarios.builder.categories import category
from proactive_agent.scenarios.builder.wording import texts_for
from proactive_agent.scenarios.fresh.corrupted import CorruptedScene
from proactive_agent.scenarios.fresh.drawn import DrawnScene
from proactive_agent.scenarios.fresh.draws import choice_of, generator
from proactive_agent.scenarios.fresh.framed import FramedScene
from proactive_agent.scenarios.fresh.pack import Pack
from proactive_agent.scenarios.fresh.reveal import RevealScene
from proactive_agent.scenarios.fresh.scene import Scene
from proactive_agent.scenarios.fresh.sliding import RodScene, VsodScene
from proactive_agent.scenarios.fresh.source import FreshSource
from proactive_agent.scenarios.fresh.turned import TurnedScene
from proactive_agent.scenarios.registry import SCENARIOS

SUFFIX = ".jpg"
"""Suffix of the frames' names. `data fresh` writes JPEG files."""

SCENES: dict[str, type[Scene]] = {
    scene.name: scene
    for scene in (
        RodScene, VsodScene, TurnedScene, CorruptedScene, DrawnScene, RevealScene, FramedScene
    )
}  # fmt: skip


def scene_of(pack: Pack, source: FreshSource, scenario: str, index: int) -> Scene:
    """Returns the scene of a sample. No pixel is computed yet."""
    return SCENES[scenario](pack, source, choice_of(pack, source, scenario, index), index)


def folder_of(scenario: str, index: int) -> str:
    """Returns the folder of a sample's frames, relative to the data file."""
    return f"{SCENARIOS[scenario].stem}/{index:06d}"


def line_of(scene: Scene) -> bytes:
    """Returns a sample's line of the data file."""
    rng: random.Random = generator(scene.source, scene.name, "texts", scene.index)
    fields = scene.fields()
    folder = folder_of(scene.name, scene.index)
    suggestions = scene.suggestions(rng)
    drawn = texts_for(scene.name, suggestions, rng, question=scene.question(rng), thing=scene.thing)
    options = [*drawn.suggestions, drawn.abstention]
    rng.shuffle(options)
    line: dict[str, Any] = {
        "id": scene.index,
        **fields,
        "image_template": f"{folder}/{fields['image_template']}{SUFFIX}",
        "prompt": drawn.question,
        "options": options,
        "categories": [category(name, name) for name in scene.choice.names],
        "answer": category(scene.choice.name, scene.choice.name),
        "unseen": scene.choice.unseen,
    }
    if scene.name == "imagenet-c":
        line["quality_answer"] = suggestions[0]
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


@lru_cache(maxsize=32)
def kept_scene(pack: Pack, source: FreshSource, scenario: str, index: int) -> Scene:
    """Returns the scene of a sample; the most recent ones keep their pixels."""
    return scene_of(pack, source, scenario, index)
