"""Endless pictures for the tower: cut-outs of things on empty rooms, and random changes."""

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from proactive_agent.scenarios.fresh.pack import load_pack

FILLED = 0.92
"""Longer side of a cut-out at full size, in sides of the picture."""
ROOM_SIDE = 1.5
"""Side of a room, in sides of the picture. Pictures show a part of it."""


class SpriteMaker:
    """Pastes cut-outs of all things that may be in a train split on rooms."""

    def __init__(self, labels: list[str], side: int) -> None:
        """`labels` are the names of all things and drawings; the labels are their numbers."""
        pack = load_pack()
        number = {label: i for i, label in enumerate(labels)}
        sprites, things, fours = [], [], []
        for group in pack.groups:
            if group.held_out:
                continue
            four = [number[thing.name] for thing in group.things]
            for thing in group.things:
                for view in (view for model in thing.models for view in model.views):
                    sprites.append(_cut_out(pack.pixels(view.file), view.box, side))
                    things.append(number[thing.name])
                    fours.append(four)
        self.side = side
        self._sprites = torch.from_numpy(np.stack(sprites)).permute(0, 3, 1, 2).contiguous()
        self._things, self._fours = torch.tensor(things), torch.tensor(fours)
        rooms = [_room(pack.pixels(plate.file), round(ROOM_SIDE * side)) for plate in pack.plates]
        self._rooms = torch.from_numpy(np.stack(rooms)).permute(0, 3, 1, 2).contiguous()

    def batch(self, count: int, least: float, generator: Any) -> tuple[Any, Any, Any]:
        """Returns pictures, the labels of their things, and the labels of the four similar things.

        Pictures have values from 0 to 1: (count, 3, side, side). `least` is the smallest size of a
        cut-out, in sides of the picture.
        """
        which = torch.randint(len(self._sprites), (count,), generator=generator)
        room = torch.randint(len(self._rooms), (count,), generator=generator)
        size = least + (0.95 - least) * torch.rand(count, generator=generator)
        free = (1 - 0.8 * size).clamp(min=0.05)
        across, down = ((2 * torch.rand(count, generator=generator) - 1) * free for _ in range(2))
        tilt = (2 * torch.rand(count, generator=generator) - 1) * 0.08
        mirror = _mirror(count, generator)
        place = torch.zeros(count, 2, 3)
        place[:, 0] = torch.stack([mirror, tilt, -across * mirror], 1) / size[:, None]
        place[:, 1] = torch.stack([-tilt * mirror, torch.ones(count), -down], 1) / size[:, None]
        sprite = self._sampled(self._sprites[which], place)
        zoom = 0.45 + 0.5 * torch.rand(count, generator=generator)
        place = torch.zeros(count, 2, 3)
        place[:, 0, 0], place[:, 1, 1] = zoom * _mirror(count, generator), zoom
        shift = 2 * torch.rand(count, 2, generator=generator) - 1
        place[:, :, 2] = shift * (1 - zoom)[:, None]
        behind = self._sampled(self._rooms[room], place)
        pictures = behind * (1 - sprite[:, 3:]) + sprite[:, :3]
        return pictures.clamp(0, 1), self._things[which], self._fours[which]

    def _sampled(self, pixels: Any, place: Any) -> Any:
        size = (len(pixels), pixels.shape[1], self.side, self.side)
        grid = functional.affine_grid(place, list(size), align_corners=False)
        return functional.grid_sample(pixels.float() / 255, grid, align_corners=False)


def _cut_out(pixels: Any, box: tuple[int, int, int, int], side: int) -> Any:
    """Returns a cut-out in the middle of a picture, with premultiplied alpha."""
    image = Image.fromarray(pixels).crop(box).convert("RGBa")
    scale = FILLED * side / max(image.size)
    width, height = (max(2, round(length * scale)) for length in image.size)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    whole = Image.new("RGBa", (side, side))
    whole.paste(image, ((side - width) // 2, (side - height) // 2))
    return np.asarray(whole)


def _room(pixels: Any, side: int) -> Any:
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR))


def _mirror(count: int, generator: Any) -> Any:
    return torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)


def varied(pictures: Any, generator: Any) -> Any:
    """Mirrors, shifts and zooms pictures (values from 0 to 1) and changes their colours."""
    count = len(pictures)
    zoom = 0.85 + 0.27 * torch.rand(count, generator=generator)
    place = torch.zeros(count, 2, 3)
    place[:, 0, 0], place[:, 1, 1] = zoom * _mirror(count, generator), zoom
    place[:, :, 2] = (2 * torch.rand(count, 2, generator=generator) - 1) * 0.16
    grid = functional.affine_grid(place, list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures, grid, align_corners=False, padding_mode="reflection")
    return recoloured(moved, generator)


def recoloured(pictures: Any, generator: Any) -> Any:
    """Changes brightness, tint and contrast of pictures (values from 0 to 1), and adds noise."""
    count = len(pictures)
    pictures = pictures * (0.8 + 0.4 * torch.rand(count, 1, 1, 1, generator=generator))
    pictures = pictures * (0.92 + 0.16 * torch.rand(count, 3, 1, 1, generator=generator))
    mean = pictures.mean((2, 3), keepdim=True)
    contrast = 0.8 + 0.4 * torch.rand(count, 1, 1, 1, generator=generator)
    noise = torch.randn(pictures.shape, generator=generator)
    strength = 0.02 * torch.rand(count, 1, 1, 1, generator=generator)
    return ((pictures - mean) * contrast + mean + strength * noise).clamp(0, 1)
