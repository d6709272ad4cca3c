"""Scenarios with one object in a room: rod, vsod, imagenet-c, and the scenes of changeit."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import bpy
import rooms
import studio
from catalogue import chosen
from PIL import Image
from rooms import ROOMS, STAGES
from studio import PlacedModel
from work import RenderJob, save_record


@dataclass(frozen=True)
class Placement:
    """The size and position of a scenario's object."""

    letters: str  # a second batch was added later: the first one keeps its rooms
    stage: str
    share: tuple[float, float]
    x: tuple[float, float]
    y: float


KINDS = ("curtain", "box", "door", "push", "lid")
SPRITES = ("box", "push")

LOOKS = {
    "rod": Placement("rR", "rod", (0.31, 0.42), (-0.12, 0.12), 0.0),
    "vsod": Placement("v", "vsod", (0.31, 0.40), (-0.35, 0.35), 0.5),
    "imagenet-c": Placement("i", "table", (0.72, 0.66), (-0.05, 0.05), 0.1),
    "changeit": Placement("tT", "table", (0.48, 0.42), (0.0, 0.0), 0.0),
}


def jobs(scenario: str) -> list[RenderJob]:
    """One job per item. The random choice of the room ignores the class."""
    look = LOOKS[scenario]
    rng = random.Random(scenario)
    plan: list[RenderJob] = []
    for letter in look.letters:
        episodes = chosen(letter)
        places = [number % len(ROOMS) for number in range(len(episodes))]
        rng.shuffle(places)
        kinds = [KINDS[number % len(KINDS)] for number in range(len(episodes))]
        rng.shuffle(kinds)
        for item, place, kind in zip(episodes, places, kinds, strict=True):
            extra = {"x": rng.uniform(*look.x), "turn": rng.uniform(-8, 8), "kind": kind}
            plan.append(RenderJob(len(plan), item, place, look.stage, extra))
    return plan


def stand(job: RenderJob, look: Placement) -> tuple[PlacedModel, studio.Box]:
    """Put the object of a job into the room."""
    thing = studio.load(job.item.model.path, job.item.model.rotation)
    yaw = job.item.yaw + job.extra["turn"]
    studio.put(thing, (job.extra["x"], look.y, 0), yaw, look.share)
    ray = studio.sun_ray(*ROOMS[job.room].sun[:2])
    return thing, studio.shadow_box(thing.world_points(), ray, 0.0, 0.06)


def cutout(path: Path, thing: PlacedModel, box: studio.Box) -> Image.Image:
    """The object with transparency, lit by the room, which is not visible."""
    scene = bpy.context.scene
    others = [o for o in scene.objects if o.type == "MESH" and o not in thing.meshes]
    for other in others:
        other.visible_camera = False
    scene.render.film_transparent = True
    scene.render.image_settings.color_mode = "RGBA"
    picture = studio.shoot(path, box)
    scene.render.film_transparent = False
    for other in others:
        other.visible_camera = True
    return picture


def render(
    scenario: str, job: RenderJob, out: Path, furniture: list[tuple[rooms.Piece, PlacedModel]]
) -> None:
    """Render a job: scene.png, mask.png, and for changeit the object alone (sprite.png)."""
    look = LOOKS[scenario]
    folder = out / scenario / job.name
    plate = rooms.plate(out, job.room, job.stage, furniture)
    thing, box = stand(job, look)
    part = studio.shoot(folder / "part.tmp.png", box)
    scene = rooms.blend(plate, part, box)
    alpha = studio.silhouette(folder / "part.tmp.png", [thing], box)
    mask = Image.new("L", plate.size)
    mask.paste(alpha.point([0] * 8 + [255] * 248), box[:2])
    if scenario == "changeit" and job.extra["kind"] in SPRITES:
        sprite = Image.new("RGBA", plate.size)
        sprite.paste(cutout(folder / "part.tmp.png", thing, box), box[:2])
        sprite.save(folder / "sprite.png")
    thing.remove()
    (folder / "part.tmp.png").unlink()
    scene.save(folder / "scene.png")
    mask.save(folder / "mask.png")
    extra = {"reveal": job.extra["kind"]} if scenario == "changeit" else {}
    save_record(folder, job, {
        **extra, "scene": "scene.png", "mask": "mask.png", "size": STAGES[job.stage].size,
        "box": mask.getbbox(), "plate": f"{job.stage}_{job.room}",
    })  # fmt: skip
