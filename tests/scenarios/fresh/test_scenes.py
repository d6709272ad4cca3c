"""Generated scenes are valid samples whose frames show what is claimed."""

import pickle
from collections import Counter
from functools import cache

import pytest

from proactive_agent.scenarios import SCENARIOS, ImageError, ImageRef
from proactive_agent.scenarios.environment import Environment
from proactive_agent.scenarios.fresh.catalogue import SCENES
from proactive_agent.scenarios.fresh.data import FreshData
from proactive_agent.scenarios.fresh.framed import FramedScene
from proactive_agent.scenarios.fresh.pack import load_pack
from proactive_agent.scenarios.fresh.source import FreshSource
from proactive_agent.scenarios.images import StoredImage
from proactive_agent.scenarios.verify import Fault, verify
from proactive_agent.tools import Answer

SIZE = 128
SAMPLES = 24
EVERY = [name for name in SCENARIOS if FreshData(FreshSource(1)).has(name)]


@cache
def data(difficulty: str = "normal", seed: int = 1) -> FreshData:
    return FreshData(FreshSource(seed, difficulty, samples=SAMPLES, size=SIZE))  # type: ignore[arg-type]


def test_every_scenario_has_scenes() -> None:
    assert list(SCENES) == list(SCENARIOS)


@pytest.mark.parametrize("difficulty", ["easy", "normal", "hard"])
@pytest.mark.parametrize("scenario", EVERY)
def test_every_frame_of_every_sample_can_be_shown(scenario: str, difficulty: str) -> None:
    found = list(verify(f"fresh:3:{difficulty}:n=12:px={SIZE}", [scenario], workers=1))
    assert not [one for one in found if isinstance(one, Fault)]


@pytest.mark.parametrize("difficulty", ["easy", "normal", "hard"])
@pytest.mark.parametrize("scenario", [name for name in EVERY if name != "coco"])
def test_the_first_frame_hides_the_thing_and_the_reference_frame_shows_it(
    scenario: str, difficulty: str
) -> None:
    for sample in data(difficulty).samples(scenario):
        scene = data(difficulty).scene(scenario, int(sample.id))
        state = data(difficulty).environment(scenario, sample)
        first, reference = (
            scene.visible(ref.path.rpartition("/")[2].removesuffix(".jpg"))
            for ref in (state.image(), state.reference_image())
        )
        assert first == 0, sample.id
        assert reference >= (0.9 if scenario == "imagenet-c" else 0.95), sample.id


@pytest.mark.parametrize("difficulty", ["easy", "normal", "hard"])
def test_a_first_crop_misses_the_thing_and_the_last_one_holds_it(difficulty: str) -> None:
    found = FreshData(FreshSource(1, difficulty, samples=60, size=SIZE))  # type: ignore[arg-type]
    for sample in found.samples("coco"):
        scene = found.scene("coco", int(sample.id))
        assert isinstance(scene, FramedScene)
        shares = scene.shares(sample)
        assert shares[0] <= 0.25
        if sample.model_dump()["direction"] == "zoom":
            assert shares[0] == 0, "a first crop inside the thing would show its colour"
        assert shares[-1] == 1
        assert shares == sorted(shares)


@pytest.mark.parametrize("scenario", [name for name in EVERY if name != "coco"])
def test_informative_frames_show_about_half_of_the_thing(scenario: str) -> None:
    # The rule is about width, box or length of lines, which is quick to compute; not about pixels.
    for sample in data().samples(scenario):
        scene = data().scene(scenario, int(sample.id))
        numbers = {int(name.rpartition("_")[2]): scene.visible(name) for name in scene.names()}
        assert sample.enough
        assert sample.first_image not in sample.enough
        assert sample.reference_image in sample.enough
        least = 0.5 if scenario in ("imagenet-c", "quickdraw") else 0.3
        assert min(numbers[number] for number in sample.enough) >= least


def fewest(scenario: str, difficulty: str) -> float:
    """Returns the mean number of suggestions to the reference frame, and plays the answer."""
    total = 0
    for sample in data(difficulty).samples(scenario):
        state: Environment = data(difficulty).environment(scenario, sample)  # type: ignore[type-arg]
        while state.stop is None:
            total += not isinstance(action := state.best_action(), Answer)
            informed = state.is_informative()
            state.step(action)
        assert state.correct, sample.id
        assert informed, sample.id
    return total / SAMPLES


@pytest.mark.parametrize("scenario", [name for name in EVERY if name != "imagenet-c"])
def test_steps_rise_with_the_difficulty_and_the_oracle_stays_right(scenario: str) -> None:
    means = [fewest(scenario, difficulty) for difficulty in ("easy", "normal", "hard")]
    assert means == sorted(means)
    assert means[0] < means[1] < means[2]


def test_fewer_severities_show_enough_with_the_difficulty() -> None:
    shown = [
        sum(len(sample.enough or ()) for sample in data(difficulty).samples("imagenet-c"))
        for difficulty in ("easy", "normal", "hard")
    ]
    assert shown[0] > shown[1] > shown[2]


@pytest.mark.parametrize("scenario", EVERY)
def test_categories_come_in_groups_and_each_is_the_answer_once(scenario: str) -> None:
    samples = list(data().samples(scenario))
    for group in (samples[start : start + 4] for start in range(0, SAMPLES, 4)):
        assert Counter(s.answer for s in group) == Counter(group[0].categories)
        columns = zip(*(s.categories for s in group), strict=True)
        assert all(len(set(column)) == 4 for column in columns)
        assert {s.categories.index(s.answer) for s in group} == {0, 1, 2, 3}


@pytest.mark.parametrize("scenario", EVERY)
def test_seen_scenes_hold_no_thing_that_is_held_out(scenario: str) -> None:
    held_out = {t.name for g in load_pack().groups if g.held_out for t in g.things}
    for things in ("seen", "unseen"):
        source = FreshSource(5, "hard", things, samples=8, size=SIZE)  # type: ignore[arg-type]
        found = FreshData(source)
        for sample in found.samples(scenario) if found.has(scenario) else ():
            assert sample.unseen is (things == "unseen")
            scene = found.scene(scenario, int(sample.id))
            parts = [*getattr(scene, "others", ()), *getattr(scene, "parts", ())]
            names = {part.actor.thing.name for part in parts}
            assert things == "unseen" or not names & held_out


def test_another_size_shows_the_same_scene() -> None:
    small, large = (FreshData(FreshSource(2, samples=4, size=size)) for size in (112, 448))
    for scenario in EVERY:
        for one, other in zip(small.samples(scenario), large.samples(scenario), strict=True):
            ignored = {"crop", "horizontal_step", "vertical_step", "enough"}
            if scenario == "coco":
                ignored |= {"direction", "granularity", "options"}
            assert one.model_dump(exclude=ignored) == other.model_dump(exclude=ignored)


def test_a_pickled_picture_is_its_source_and_opens_the_same_pixels() -> None:
    store = FreshData(FreshSource(4, samples=4, size=SIZE)).images
    ref = ImageRef("Realistic-Occlusion-Dataset/000001/3.jpg")
    content = pickle.dumps(StoredImage(store, ref))
    assert len(content) < 1000
    assert pickle.loads(content)().tobytes() == store.open(ref).image.tobytes()


@pytest.mark.parametrize(
    "path",
    [
        "Realistic-Occlusion-Dataset/000004/3.jpg", "Realistic-Occlusion-Dataset/000001/14.jpg",
        "Realistic-Occlusion-Dataset/x/3.jpg", "nothing/000001/3.jpg", "coco2014/000001/1.jpg",
        "../000001/3.jpg",
    ],
)  # fmt: skip
def test_a_frame_that_does_not_exist_is_an_error(path: str) -> None:
    with pytest.raises(ImageError):
        FreshData(FreshSource(4, samples=4, size=SIZE)).images.open(ImageRef(path))


@pytest.mark.parametrize("scenario", ["rod", "vsod"])
def test_a_free_view_to_the_other_side_is_informative_too(scenario: str) -> None:
    """The reference frame is on one side, and moving the occluder to the other one is as good."""
    for sample in data().samples(scenario):
        state = data().environment(scenario, sample)
        way = state.toward_reference()
        other = next(wish for wish in state.possible_interventions() if wish != way)
        while not state.is_informative():
            assert state.step(other).stop is None
        assert state.frame != sample.reference_image
        state.step(Answer(sample.answer))
        assert state.correct
