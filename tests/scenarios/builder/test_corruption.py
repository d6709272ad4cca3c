"""The eight families of corruption."""

import random

import pytest

pytest.importorskip("imagecorruptions", reason="needs the extra `build`")

import numpy as np
from PIL import Image

from proactive_agent.scenarios.builder.corruption import FAMILIES
from proactive_agent.scenarios.builder.imagenet_c import build_imagenet_c
from proactive_agent.scenarios.imagenet_c import OPERATIONS
from tests.scenarios.builder.material import photo

NAMES = [name for family in FAMILIES.values() for name in family]


def distance(image: Image.Image, clean: Image.Image) -> float:
    change = np.asarray(image).astype(float) - np.asarray(clean).astype(float)
    return float(np.sqrt(np.mean(change**2)))


def test_there_is_a_family_for_every_enhancement() -> None:
    assert tuple(FAMILIES) == OPERATIONS


@pytest.mark.parametrize("name", NAMES)
def test_every_step_comes_nearer_to_the_clean_picture(name: str) -> None:
    clean = photo(5)
    built = build_imagenet_c(clean, name, random.Random(1))
    distances = {frame.name: distance(frame.image, clean) for frame in built.frames}
    assert list(distances) == ["5", "4", "3", "2", "1"]
    assert list(distances.values()) == sorted(distances.values(), reverse=True)
    assert distances["1"] < 0.9 * distances["5"]


@pytest.mark.parametrize("name", NAMES)
def test_the_frames_depend_on_the_given_generator_alone(name: str) -> None:
    first = [f.image for f in build_imagenet_c(photo(5), name, random.Random(1), side=64).frames]
    np.random.seed(77)
    again = [f.image for f in build_imagenet_c(photo(5), name, random.Random(1), side=64).frames]
    assert first == again


@pytest.mark.parametrize("name", ["gaussian_blur", "pixelate", "jpeg_compression"])
def test_hardness_makes_the_worst_frame_worse(name: str) -> None:
    clean = photo(5)
    worst = {}
    for hardness in (1.0, 3.0):
        built = build_imagenet_c(clean, name, random.Random(1), hardness=hardness)
        worst[hardness] = distance(next(iter(built.frames)).image, clean)
    assert worst[3.0] > worst[1.0]


@pytest.mark.parametrize("size", [(640, 40), (33, 300), (224, 225)])
def test_odd_proportions_are_no_trouble(size: tuple[int, int]) -> None:
    for name in NAMES:
        frames = list(build_imagenet_c(photo(2, size), name, random.Random(0)).frames)
        assert len(frames) == 5
