"""Draws occluders: a wall of coloured blocks and a bus."""

import random

from PIL import Image, ImageDraw

from proactive_agent.scenarios.builder.items import Box
from proactive_agent.scenarios.builder.picture import Layer

RGB = tuple[int, int, int]

BLOCKS: tuple[RGB, ...] = (
    (196, 60, 48), (52, 110, 176), (226, 178, 52), (70, 142, 84), (122, 82, 150), (214, 120, 44),
)  # fmt: skip
COACHWORK: tuple[RGB, ...] = (
    (190, 44, 40), (58, 116, 160), (206, 202, 190), (66, 104, 92), (226, 178, 52), (84, 74, 110),
)  # fmt: skip


def block_wall(rng: random.Random, width: int, height: int) -> Layer:
    """Draws an opaque wall of bevelled blocks in running bond, of that size in pixels."""
    wall = Image.new("RGBA", (width, height), (60, 60, 60, 255))
    draw = ImageDraw.Draw(wall)
    block = max(10, height // rng.randint(5, 9))
    colours = rng.sample(BLOCKS, 4)
    top = 0
    for row in range(height // block + 1):
        left = -block if row % 2 else 0
        while left < width:
            right = left + round(block * rng.choice((1.4, 1.8, 2.2)))
            _block(draw, Box(left, top, right, top + block), rng.choice(colours))
            left = right
        top += block
    return wall


def _block(draw: ImageDraw.ImageDraw, box: Box, colour: RGB) -> None:
    left, top, right, bottom = box.left, box.top, box.right - 1, box.bottom - 1
    bevel = max(1, box.height // 11)
    draw.rectangle((left, top, right, bottom), fill=colour)
    draw.rectangle((left, top, right, top + bevel), fill=_lit(colour, 1.25))
    draw.rectangle((left, bottom - bevel, right, bottom), fill=_lit(colour, 0.66))
    draw.rectangle((right - bevel, top, right, bottom), fill=_lit(colour, 0.66))


def bus(rng: random.Random, width: int, height: int) -> tuple[Layer, Box]:
    """Draws a bus from the side. Returns it and its opaque body, which has that size in pixels."""
    radius = max(4, height // 8)
    layer = Image.new("RGBA", (width + 2 * radius, height + 2 * radius))
    draw = ImageDraw.Draw(layer)
    body = (0, 0, layer.width - 1, height + radius)
    colour = rng.choice(COACHWORK)
    draw.rounded_rectangle(body, radius=radius, fill=colour)
    # The windows are opaque and mirror the sky.
    panes = max(2, round(2.4 * layer.width / height))
    pane = layer.width / (panes + 0.5)
    glass, shine = rng.choice((((92, 112, 128), (132, 152, 166)), ((70, 84, 96), (110, 126, 138))))
    for index in range(panes):
        left, right = round(pane * (index + 0.35)), round(pane * (index + 1.2))
        top, bottom = height // 7, height // 2
        draw.rounded_rectangle((left, top, right, bottom), radius=radius // 3, fill=glass)
        third = (right - left) / 3
        corners = [(left, bottom), (left + third, top), (left + 2 * third, top)]
        draw.polygon([*corners, (left + third, bottom)], fill=shine)
    stripe = height * 3 // 5
    draw.rectangle((0, stripe, body[2], stripe + radius // 2), fill=_lit(colour, 1.5))
    draw.rectangle((radius, body[3] - radius // 2, body[2] - radius, body[3]), fill=(40, 40, 44))
    for centre in (layer.width // 5, layer.width * 4 // 5):
        for reach, fill in ((radius, (28, 28, 30)), (radius // 2, (150, 150, 155))):
            middle = layer.height - 1 - radius
            draw.ellipse((centre - reach, middle - reach, centre + reach, middle + reach), fill)
    # The body is opaque everywhere between the rounded corners at the top and the wheels.
    return layer, Box(radius, 0, radius + width, height)


def _lit(colour: RGB, factor: float) -> RGB:
    red, green, blue = (min(255, round(value * factor)) for value in colour)
    return red, green, blue
