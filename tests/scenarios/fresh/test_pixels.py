"""The same seed gives the same pixels, on every machine and with every version of Pillow.

After a change of the generator or the pack, raise its version and renew the hashes:
`UPDATE_GOLDEN=1 python -m pytest tests/scenarios/fresh/test_pixels.py`.
"""

import hashlib
import json
import os
import random
from pathlib import Path

import numpy as np
import pytest

from proactive_agent.scenarios.fresh.catalogue import scene_of
from proactive_agent.scenarios.fresh.data import FreshData
from proactive_agent.scenarios.fresh.pack import load_pack
from proactive_agent.scenarios.fresh.paint import bell_noise
from proactive_agent.scenarios.fresh.raster import SHARP, box_blurred, scaled
from proactive_agent.scenarios.fresh.source import VERSION, parse_source

GOLDEN = Path(__file__).parent / "golden.json"
SOURCES = ("fresh:7:n=4", "fresh:11:hard:n=2:px=128")


def hashes(text: str) -> dict[str, str]:
    """Returns by scenario a hash over the lines and all frames of a source."""
    data = FreshData(parse_source(text))
    found = {}
    for scenario in data.scenarios():
        digest = hashlib.sha256()
        for sample in data.samples(scenario):
            digest.update(sample.model_dump_json().encode())
            scene = data.scene(scenario, int(sample.id))
            for name in scene.names():
                digest.update(scene.frame(name).tobytes())
        found[scenario] = digest.hexdigest()[:24]
    return found


def test_the_pixels_are_the_recorded_ones() -> None:
    found = {
        "generator": VERSION,
        "pack": load_pack().sha256,
        "pixels": {text: hashes(text) for text in SOURCES},
    }
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    recorded = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert found["pack"] == recorded["pack"], "another pack: renew the hashes"
    assert found["pixels"] == recorded["pixels"]


def test_frames_do_not_depend_on_the_order_in_which_they_are_asked_for() -> None:
    source = parse_source("fresh:9:n=2:px=96")
    for scenario in FreshData(source).scenarios():
        ahead, back = (scene_of(load_pack(), source, scenario, 0) for _ in range(2))
        names = ahead.names()
        forwards = [ahead.frame(name).tobytes() for name in names]
        backwards = [back.frame(name).tobytes() for name in reversed(names)]
        assert forwards == backwards[::-1]


def test_scaling_keeps_a_plain_picture_plain_and_does_nothing_at_the_same_size() -> None:
    plain = np.full((3, 37, 53), 201, np.uint8)
    for width, height in ((53, 37), (10, 90), (200, 3), (2, 2)):
        assert (scaled(plain, width, height) == 201).all()
    noise = np.random.default_rng(0).integers(0, 256, (3, 21, 34), np.uint8)
    assert (scaled(noise, 34, 21) == noise).all()
    assert scaled(noise, 34, 21, 4 * SHARP).std() < noise.std() / 2


def test_a_blur_is_the_mean_of_a_square() -> None:
    picture = np.zeros((9, 9), np.uint8)
    picture[4, 4] = 250
    blurred = box_blurred(picture, 1)
    assert blurred[3:6, 3:6].min() >= 27
    assert blurred.sum() <= 9 * 28


def test_noise_is_that_of_the_seed() -> None:
    noise = bell_noise(random.Random(1), 100, 100)
    assert abs(int(noise.sum())) < 100_000
    assert 140 < noise.std() < 156
    assert noise[0, :4].tolist() == pytest.approx(bell_noise(random.Random(1), 100, 100)[0, :4])
