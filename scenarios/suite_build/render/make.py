"""Render the materials of the embedded suite: `make.py --out DIR [--only NAME] [--part 0/2]`."""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path
from typing import Protocol

import covers
import index
import layers
import reveal
import rooms
import single
import sketch
import views
import wide
from rooms import STAGES, Piece
from studio import PlacedModel
from work import RenderJob, done


class Render(Protocol):
    """Renders one job into its folder."""

    def __call__(
        self, job: RenderJob, out: Path, furniture: list[tuple[Piece, PlacedModel]]
    ) -> None: ...


def plan(scenario: str) -> tuple[list[RenderJob], Render]:
    """The jobs of a scenario and the function that renders them."""
    if scenario == "coco":
        return wide.jobs(), wide.render
    if scenario == "mvp-n":
        return views.jobs(), views.render
    return single.jobs(scenario), partial(single.render, scenario)


SCENARIOS = ("coco", "rod", "changeit", "mvp-n", "vsod", "imagenet-c")


def shared(out: Path, threads: int) -> None:
    """Render the covers that episodes of three scenarios share, and draw the sketches."""
    layers.walls(out, threads)
    covers.render(out, threads)
    layers.passers(out, threads)
    sketch.render(out)


def finish(out: Path) -> None:
    """Compose the frames of changeit, and write `materials.json` and `ATTRIBUTION.md`."""
    reveal.compose(out)
    found = index.build(out)
    pieces = {piece for room in rooms.ROOMS for piece in room.pieces}
    furniture = {model.key for piece in pieces if (model := rooms.model_of(piece))}
    page = index.attribution(found, furniture)
    (out / "ATTRIBUTION.md").write_text(page, encoding="utf-8")
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (out / "materials.json").write_text(text + "\n", encoding="utf-8")
    for scenario, kept in found["scenarios"].items():
        print(f"{scenario}: {len(kept)} episodes")


def main() -> None:
    """Read the arguments and render everything that is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=SCENARIOS, action="append")
    parser.add_argument("--part", default="0/1", help="this process's share of the rooms, as i/n")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="stop after so many jobs (0: all)")
    parser.add_argument("--shared", action="store_true", help="render only what is shared")
    parser.add_argument("--finish", action="store_true", help="only compose and write the index")
    options = parser.parse_args()
    if options.shared:
        shared(options.out, options.threads)
        return
    if options.finish:
        finish(options.out)
        return
    episodes(options)


def episodes(options: argparse.Namespace) -> None:
    """Render the missing episodes room by room, so that each room is built only once."""
    part, parts = (int(number) for number in options.part.split("/"))
    count = 0
    for scenario in options.only or SCENARIOS:
        planned, render = plan(scenario)
        for room in range(part, len(rooms.ROOMS), parts):
            todo = [job for job in planned if job.room == room]
            todo = [job for job in todo if not done(options.out, scenario, job)]
            if not todo:
                continue
            furniture = rooms.build(room, STAGES[todo[0].stage], options.threads)
            for job in todo:
                begin = time.monotonic()
                render(job, options.out, furniture)
                print(f"{scenario} {job.name} room {room}: {time.monotonic() - begin:.1f} s",
                      flush=True)  # fmt: skip
                count += 1
                if options.first and count >= options.first:
                    return


if __name__ == "__main__":
    main()
