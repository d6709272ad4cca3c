"""Scenario coco: a wide furnished room with the object in question and two others."""

from __future__ import annotations

import random
from pathlib import Path

import bpy
import numpy as np
import rooms
import studio
from catalogue import CatalogueItem, chosen, items
from PIL import Image
from rooms import ROOMS, STAGES
from studio import PlacedModel
from work import RenderJob, save_record

# direction in which the camera has to move: position of the object (x, y, height of its plinth)
SLOTS = {
    "left": (-3.1, 0.4, 0.55),
    "right": (3.1, 0.4, 0.55),
    "up": (0.0, 0.9, 1.85),
    "down": (0.0, -2.2, 0.0),
    "left_up": (-2.9, 0.9, 1.75),
    "right_up": (2.9, 0.9, 1.75),
    "left_down": (-1.75, -2.3, 0.0),
    "right_down": (1.75, -2.3, 0.0),
    "zoom": (0.0, 0.0, 0.35),
}
COLUMNS = (("left", "left_up", "left_down"), ("up", "zoom", "down"),
           ("right", "right_up", "right_down"))  # fmt: skip


def jobs() -> list[RenderJob]:
    """One job per item. The random choice of room and place ignores the class."""
    rng = random.Random("coco")
    episodes = chosen("c")
    directions = [list(SLOTS)[number % len(SLOTS)] for number in range(len(episodes))]
    places = [number % len(ROOMS) for number in range(len(episodes))]
    rng.shuffle(directions)
    rng.shuffle(places)
    plan = []
    for number, item in enumerate(episodes):
        other = [it for it in items() if it.kind != item.kind and it.label not in item.near]
        others = rng.sample([it for it in other if "c" in it.scenarios], 2)
        if others[0].kind == others[1].kind:
            others[1] = next(it for it in other if it.kind != others[0].kind)
        slot = directions[number]
        free = [column for column in COLUMNS if slot not in column]
        spots = [slot, *(rng.choice(column) for column in free)]
        extra = {"slots": spots, "others": [it.slug for it in others]}
        plan.append(RenderJob(number, item, places[number], "wide", extra))
    return plan


def _stand(
    item: CatalogueItem, slot: str, rng: random.Random
) -> tuple[PlacedModel, bpy.types.Object | None]:
    """Place an item in its slot, on a plinth if the slot is high."""
    thing = studio.load(item.model.path, item.model.rotation)
    x, y, height = SLOTS[slot]
    x, y = x + rng.uniform(-0.15, 0.15), y + rng.uniform(-0.15, 0.15)
    share = rng.uniform(0.92, 1.08)
    studio.put(thing, (x, y, height), item.yaw - x * 6, (0.19 * share, 0.25 * share))
    if not height:
        return thing, None
    points = thing.world_points()
    low, high = points.min(0), points.max(0)
    paint = studio.paint(rng.choice([(236, 233, 226), (120, 90, 64), (88, 96, 104)]), 0.6)
    plinth = studio.block(
        (float(low[0]) - 0.06, float(low[1]) - 0.06, 0),
        (float(high[0]) + 0.06, float(high[1]) + 0.06, height),
        paint,
        0.01,
    )
    return thing, plinth


def render(job: RenderJob, out: Path, furniture: list[tuple[rooms.Piece, PlacedModel]]) -> None:
    """Render the scene of a job as three parts over the plate of its room."""
    folder = out / "coco" / job.name
    picture = rooms.plate(out, job.room, "wide", furniture)
    rng = random.Random(f"coco{job.number}")
    by_slug = {item.slug: item for item in items()}
    shown = [job.item, *(by_slug[slug] for slug in job.extra["others"])]
    stood = [_stand(item, slot, rng) for item, slot in zip(shown, job.extra["slots"], strict=True)]
    boxes = []
    ray = studio.sun_ray(*ROOMS[job.room].sun[:2])
    for thing, plinth in stood:
        points = thing.world_points()
        if plinth is not None:
            corners = np.array([corner[:] for corner in plinth.bound_box])
            points = np.concatenate([points, corners])
        boxes.append(studio.shadow_box(points, ray, 0.0, 0.03))
    for box in boxes:
        picture = rooms.blend(picture, studio.shoot(folder / "part.tmp.png", box), box)
    objects = []
    for place, (item, (thing, _)) in enumerate(zip(shown, stood, strict=True)):
        box = boxes[place]
        alpha = studio.silhouette(folder / "part.tmp.png", [thing], box)
        seen = alpha.point([0] * 8 + [255] * 248)
        mask = Image.new("L", picture.size)
        mask.paste(seen, box[:2])
        if place == 0:
            mask.save(folder / "mask.png")
        objects.append({"label": item.label, "kind": item.kind, "box": mask.getbbox(),
                        "slot": job.extra["slots"][place], "asked": place == 0})  # fmt: skip
    for thing, plinth in stood:
        thing.remove()
        if plinth is not None:
            bpy.data.objects.remove(plinth, do_unlink=True)
    (folder / "part.tmp.png").unlink()
    picture.save(folder / "scene.png")
    save_record(folder, job, {
        "scene": "scene.png", "mask": "mask.png", "size": STAGES["wide"].size,
        "direction": job.extra["slots"][0], "objects": objects, "plate": f"wide_{job.room}",
    })  # fmt: skip
