"""Speed of the generator of fresh scenes: scenes and frames per second and core.

    python -m benchmarks.fresh_scenes [--scenes 30] [--size 448]

Computes all frames of a scene without encoding them. The baseline is encoding the same frames as
JPEG, which every request to an API needs.
"""

import argparse
import io
import time

from proactive_agent.scenarios.fresh.catalogue import SCENES, scene_of
from proactive_agent.scenarios.fresh.pack import load_pack
from proactive_agent.scenarios.fresh.raster import as_image
from proactive_agent.scenarios.fresh.source import FreshSource

WARM_UP = 5
"""Scenes that are computed before the clock starts, because they decode the pack's pictures."""


def main() -> None:
    """Prints one line per scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=30)
    parser.add_argument("--size", type=int, default=448)
    options = parser.parse_args()
    pack, source = load_pack(), FreshSource(1, size=options.size)
    print("scenario     scenes/s  frames/s  time for JPEG / time for the scene")
    for scenario in SCENES:
        seconds = encoding = 0.0
        frames = 0
        for index in range(-WARM_UP, options.scenes):
            started = time.process_time()
            scene = scene_of(pack, source, scenario, index + WARM_UP)
            pictures = [scene.frame(name) for name in scene.names()]
            computed = time.process_time()
            for picture in pictures:
                as_image(picture).save(io.BytesIO(), "JPEG", quality=90)
            if index >= 0:
                seconds += computed - started
                encoding += time.process_time() - computed
                frames += len(pictures)
        rates = f"{options.scenes / seconds:8.1f}  {frames / seconds:8.1f}"
        print(f"{scenario:12s} {rates}  {encoding / seconds:5.2f}", flush=True)


if __name__ == "__main__":
    main()
