"""Makes `docs/pictures/fresh.webp`: first and reference frames of generated scenes.

python docs/make_fresh_picture.py [fresh:7]
"""

from pathlib import Path

from PIL import Image, ImageDraw

from proactive_agent.scenarios import SCENARIOS
from proactive_agent.scenarios.open_data import open_data

FILE = Path(__file__).parent / "pictures" / "fresh.webp"
SOURCE = "fresh:7"

TILE = 132
"""Width and height of a tile in pixels."""

EACH = 4
"""Samples per scenario, a row each."""

GAP, TITLE = 4, 66


def text() -> str:
    """Returns a line per scenario with the right categories."""
    data = open_data(SOURCE)
    lines = [
        f"{environment.title}: {' '.join(s.answer for s in data.samples(scenario, EACH))}"
        for scenario, environment in SCENARIOS.items()
    ]
    return "\n".join(lines) + "\n"


def sheet() -> Image.Image:
    """Draws a row per scenario: pairs of a first frame and a reference frame."""
    data = open_data(SOURCE)
    width = TITLE + EACH * (2 * TILE + 3 * GAP)
    picture = Image.new("RGB", (width, len(SCENARIOS) * (TILE + GAP)), "white")
    draw = ImageDraw.Draw(picture)
    for row, (scenario, environment) in enumerate(SCENARIOS.items()):
        top = row * (TILE + GAP)
        draw.text((4, top + TILE // 2), environment.title, fill="black")
        for column, sample in enumerate(data.samples(scenario, EACH)):
            state = data.environment(scenario, sample)
            for place, ref in enumerate((state.image(), state.reference_image())):
                frame = data.images.open(ref).image.copy()
                frame.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
                left = TITLE + column * (2 * TILE + 3 * GAP) + place * (TILE + GAP)
                spare = TILE - frame.width, TILE - frame.height
                picture.paste(frame, (left + spare[0] // 2, top + spare[1] // 2))
    return picture


if __name__ == "__main__":
    sheet().save(FILE, "WEBP", quality=78, method=6)
    FILE.with_suffix(".txt").write_text(text(), encoding="utf-8")
    print(f"written: {FILE}")
