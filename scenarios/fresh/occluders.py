"""Drawn occluders: a wall of blocks, a folding screen, the sides of a box, and cloth."""

import random
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from proactive_agent.scenarios.fresh.paint import bell_noise
from proactive_agent.scenarios.fresh.raster import Pixels, scaled

Tones = npt.NDArray[np.int32]

Draw = Callable[[random.Random, int, int], Pixels]
"""Draws an opaque occluder of a width and height in pixels."""


def block_wall(rng: random.Random, width: int, height: int) -> Pixels:
    """Draws bevelled blocks in running bond."""
    rows = rng.randint(4, 7)
    colours = [[rng.randint(40, 235) for _ in range(3)] for _ in range(rng.randint(3, 5))]
    lengths = [rng.randint(130, 240) for _ in range(64)]
    wall = np.zeros((3, height, width), np.int32)
    block = -(-height // rows)
    for row in range(rows):
        top, bottom = row * block, min((row + 1) * block, height)
        if top >= height:
            break
        left = -(block * rng.randint(20, 120)) // 100
        for length in rng.sample(lengths, len(lengths)):
            if left >= width:
                break
            right = left + max(block * length // 100, 4)
            if right <= 0:
                left = right
                continue
            shade = _bevelled(right - left, bottom - top)[:, max(-left, 0) : width - left]
            tone = _tone(rng.choice(colours)) * rng.randint(93, 107) // 100
            wall[:, top:bottom, max(left, 0) : right] = shade * tone >> 8
            left = right
    return _with_texture(wall, rng, 14)


def _bevelled(width: int, height: int) -> Tones:
    """Returns the light on a block, in 256ths."""
    bevel = max(2, height // 9)
    down = np.arange(height, dtype=np.int32)[:, None]
    along = np.arange(width, dtype=np.int32)[None, :]
    light = 262 - 26 * down // height + 0 * along
    light = light + np.where(down < bevel, 52 * (bevel - down) // bevel, 0)
    under, right = height - 1 - down, width - 1 - along
    light = light - np.where(under < bevel, 84 * (bevel - under) // bevel, 0)
    light = light - np.where(right < bevel, 66 * (bevel - right) // bevel, 0)
    light = light + np.where(along < bevel, 22 * (bevel - along) // bevel, 0)
    rim = np.minimum(np.minimum(down, under), np.minimum(along, right)) < max(1, height // 40)
    return np.where(rim, light * 5 >> 3, light).astype(np.int32)


def screen(rng: random.Random, width: int, height: int) -> Pixels:
    """Draws a folding screen: upright panels with frames."""
    panels = rng.randint(3, 5)
    paper = _tone([rng.randint(110, 225) for _ in range(3)])
    wood = _tone([rng.randint(60, 130), rng.randint(40, 90), rng.randint(25, 65)])
    along = np.arange(width, dtype=np.int32)[None, :]
    down = np.arange(height, dtype=np.int32)[:, None]
    panel, within = along * panels // width, along * panels % width * 256 // width
    frame = max(3, height // 28)
    rim = (within < 18) | (within > 238) | (down < frame) | (height - 1 - down < frame)
    bars = rng.randint(1, 3)
    rim = rim | (down * (bars + 1) % height < frame * (bars + 1) * 2 // 3)
    fold = np.where(panel % 2 == 0, 236 + within // 8, 272 - within // 8)
    light = fold - 34 * down // height
    colours = np.where(rim, wood, paper)
    return _with_texture(light * colours >> 8, rng, 10)


def planks(rng: random.Random, width: int, height: int) -> Pixels:
    """Draws boards that are nailed side by side, upright or lying."""
    lying = rng.choice((True, False))
    long, wide = (width, height) if lying else (height, width)
    boards = rng.randint(4, 7)
    wood = _tone([rng.randint(120, 190), rng.randint(84, 136), rng.randint(50, 90)])
    across = np.arange(wide, dtype=np.int32)[:, None]
    along = np.arange(long, dtype=np.int32)[None, :]
    board, within = across * boards // wide, across * boards % wide * 256 // wide
    tones = np.array([rng.randint(216, 268) for _ in range(boards)], np.int32)[board]
    veins = np.clip(bell_noise(rng, wide, max(long // 24, 2)) // 3 + 128, 0, 255)
    grain = scaled(veins.astype(np.uint8), long, wide).astype(np.int32) - 128
    light = tones + (grain >> 1) + 0 * along
    light = np.where((within < 8) | (within > 248), light * 9 >> 4, light)
    light = np.where((within >= 8) & (within < 22), light * 17 >> 4, light)
    light = light if lying else light.T
    down = np.arange(height, dtype=np.int32)[:, None]
    return _clipped((light - 30 * down // height) * wood >> 8)


def cardboard(rng: random.Random, width: int, height: int) -> Pixels:
    """Draws a side of a carton with a strip of tape."""
    paper = _tone([rng.randint(165, 205), rng.randint(130, 160), rng.randint(88, 118)])
    down = np.arange(height, dtype=np.int32)[:, None]
    along = np.arange(width, dtype=np.int32)[None, :]
    light = 262 - 34 * down // height + 0 * along
    middle, tape = width // 2 + rng.randint(-20, 20) * width // 200, max(width // 12, 3)
    taped = (np.abs(along - middle) < tape // 2 + 1) & (down < height * rng.randint(30, 100) // 100)
    colours = np.where(taped, paper * 18 >> 4, paper)
    rim = np.minimum(np.minimum(down, height - 1 - down), np.minimum(along, width - 1 - along))
    light = np.where(rim < max(height // 60, 1), light * 13 >> 4, light)
    return _with_texture(light * colours >> 8, rng, 8)


def cloth(rng: random.Random, width: int, height: int) -> Pixels:
    """Draws hanging cloth with folds."""
    colour = _tone([rng.randint(50, 215) for _ in range(3)])
    along = np.arange(width, dtype=np.int32)[None, :] * 4096 // width
    down = np.arange(height, dtype=np.int32)[:, None] * 4096 // height
    folds = rng.randint(5, 10)
    sway = _wave(down * rng.randint(20, 60) // 100 + rng.randrange(4096))
    wide = _wave(along * folds + sway + rng.randrange(4096))
    fine = _wave(along * (folds * 2 + 1) + sway * 2 + rng.randrange(4096))
    light = 205 + (wide * 52 >> 10) + (fine * 17 >> 10) + 14 - 36 * down // 4096
    return _with_texture(light * colour >> 8, rng, 12)


def _wave(phase: Tones) -> Tones:
    """Returns a smooth wave from -1024 to 1024 with a period of 4096, made of parabolas."""
    half = phase & 2047
    arc = half * (2048 - half) >> 10
    return np.where(phase & 2048, -arc, arc)


def _tone(colour: list[int]) -> Tones:
    return np.array(colour, np.int32)[:, None, None]


def _with_texture(tones: Tones, rng: random.Random, strength: int) -> Pixels:
    height, width = tones.shape[-2:]
    noise = bell_noise(rng, -(-height // 2), -(-width // 2))
    noise = np.repeat(np.repeat(noise, 2, axis=0), 2, axis=1)[:height, :width]
    return _clipped(tones + (noise.astype(np.int32) * strength >> 9))


def _clipped(tones: Tones) -> Pixels:
    return np.clip(tones, 0, 255).astype(np.uint8)
