"""Scenario mvp-n: an object on a table in several poses; the last view shows what it is."""

from __future__ import annotations

import math
import random
from pathlib import Path

import bpy
import rooms
import studio
from catalogue import chosen
from mathutils import Matrix
from rooms import ROOMS, STAGES
from studio import PlacedModel
from work import RenderJob, save_record

SHARE = (0.58, 0.58)


def jobs() -> list[RenderJob]:
    """One job per item. The random choice of the room ignores the class."""
    rng = random.Random("mvp-n")
    plan: list[RenderJob] = []
    for letter in "mn":  # the second batch was added later: the first one keeps its rooms
        episodes = chosen(letter)
        places = [number % len(ROOMS) for number in range(len(episodes))]
        rng.shuffle(places)
        for item, place in zip(episodes, places, strict=True):
            plan.append(RenderJob(len(plan), item, place, "table"))
    return plan


def pose(view: str, yaw: float) -> tuple[Matrix, float]:
    """The pose of the object for a view, and its rotation on the table."""
    if view == "bottom":  # on its back, the underside towards the camera
        return Matrix.Rotation(math.radians(-90), 3, "X"), 0.0
    if view == "top":  # on its front, the top towards the camera
        return Matrix.Rotation(math.radians(90), 3, "X"), 0.0
    turns = {"back": 180.0, "edge": 90.0, "edge2": -90.0, "final": yaw}
    return Matrix.Identity(3), turns[view]


def render(job: RenderJob, out: Path, furniture: list[tuple[rooms.Piece, PlacedModel]]) -> None:
    """Render the views of a job, all at the same scale."""
    folder = out / "mvp-n" / job.name
    plate = rooms.plate(out, job.room, job.stage, furniture)
    thing = studio.load(job.item.model.path, job.item.model.rotation)
    ray = studio.sun_ray(*ROOMS[job.room].sun[:2])
    scales = []
    for view in job.item.views:
        turn, yaw = pose(view, job.item.yaw)
        thing.pose(turn)
        studio.put(thing, (0, 0, 0), yaw, SHARE)
        scales.append(thing.root.scale[0])
    frames = []
    for number, view in enumerate(job.item.views):
        turn, yaw = pose(view, job.item.yaw)
        thing.pose(turn)
        studio.put(thing, (0, 0, 0), yaw, SHARE)
        thing.root.scale = (min(scales[number], 1.6 * min(scales)),) * 3
        bpy.context.view_layer.update()
        box = studio.shadow_box(thing.world_points(), ray, 0.0, 0.06)
        picture = rooms.blend(plate, studio.shoot(folder / "part.tmp.png", box), box)
        picture.save(folder / f"{number}_{view}.png")
        wide, high = plate.size
        left, top, right, bottom = thing.frame_box()
        outline = [round(left * wide), round(top * high), round(right * wide), round(bottom * high)]
        frames.append({"file": f"{number}_{view}.png", "view": view, "box": outline})
    thing.remove()
    (folder / "part.tmp.png").unlink()
    save_record(folder, job, {
        "frames": frames, "size": STAGES["table"].size, "plate": f"table_{job.room}",
    })  # fmt: skip
