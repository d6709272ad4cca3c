"""The same build gives the same bytes for any number of workers and any order."""

from pathlib import Path

import pytest

from proactive_agent.scenarios.builder import Appearance
from tests.scenarios.builder.material import all_sources, built, content, lines_of, photo_folder

pytest.importorskip("imagecorruptions", reason="needs the extra `build`")
pytest.importorskip("datasets", reason="needs the extra `build`")

OPTIONS = {"seed": 3, "train_share": 0.3}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return all_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def once(sources: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("once") / "out"
    built(out, sources, **OPTIONS)
    return content(out)


def test_two_runs_give_the_same_bytes(
    sources: dict[str, Path], once: dict[str, bytes], tmp_path: Path
) -> None:
    built(tmp_path / "out", sources, **OPTIONS)
    assert content(tmp_path / "out") == once


def test_the_number_of_workers_does_not_matter(
    sources: dict[str, Path], once: dict[str, bytes], tmp_path: Path
) -> None:
    built(tmp_path / "out", sources, workers=2, **OPTIONS)
    assert content(tmp_path / "out") == once


def test_another_seed_gives_other_frames(
    sources: dict[str, Path], once: dict[str, bytes], tmp_path: Path
) -> None:
    built(tmp_path / "out", {"imagenet-c": sources["imagenet-c"]}, seed=4)
    mine = content(tmp_path / "out")
    frames = [name for name in mine if name.endswith("/5.webp")]
    assert frames
    assert any(mine[name] != once.get(name) for name in frames)


def test_a_corruption_does_not_depend_on_the_pictures_before(tmp_path: Path) -> None:
    every = photo_folder(tmp_path / "every")
    built(tmp_path / "a", {"imagenet-c": every}, Appearance(variants=8))
    (every / "blue vase" / "0.png").unlink()
    built(tmp_path / "b", {"imagenet-c": every}, Appearance(variants=8))
    last = lines_of(tmp_path / "a", "ImageNet-C")[-1]["image_template"]
    same = lines_of(tmp_path / "b", "ImageNet-C")[-1]["image_template"]
    a, b = content(tmp_path / "a" / "test"), content(tmp_path / "b" / "test")
    for level in range(1, 6):
        assert a[last.format(level=level)] == b[same.format(level=level)]
