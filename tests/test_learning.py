"""`benchmarks/learning`: its measures, and the tables in `results/learning`."""

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("datasets", reason="needs the extra `train`")

from benchmarks.learning.__main__ import kept, pack_model
from benchmarks.learning.arms import ARMS, OWN, Arm
from benchmarks.learning.evaluate import MEASURES, Measured, measure, play, samples_of
from benchmarks.learning.outcome import ArmFigures, Figures, aims, readme
from proactive_agent.metrics.statistics import Estimate

RESULTS = Path(__file__).parents[1] / "results" / "learning"
NO = (0.0,) * 8
SEEN = (1.0, 1.0)
"""A sample of one model that has a clear frame."""


def test_measures_pool_models_over_the_same_samples() -> None:
    asking = {
        "rod": {
            0: (1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, *SEEN),
            1: (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, *SEEN),
        },
        "coco": {2: (1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)},
    }
    silent = {
        "rod": {0: (*NO[:7], 1.0, *SEEN), 1: (*NO[:6], 1.0, 0.0, *SEEN)},
        "coco": {2: (0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0)},
    }
    found = measure([asking, silent], ("rod", "coco"))
    assert (found.samples, found.clear_samples) == (3, 2)
    values = (found.asks, found.valid, found.solves, found.informed, found.unanswered)
    assert [one.value for one in values] == pytest.approx([1 / 2, 1 / 3, 1 / 2, 1 / 6, 1 / 6])
    assert found.over_asks.value == pytest.approx(1 / 4)
    assert found.clear_accuracy.value == pytest.approx(3 / 4)
    assert measure([asking, silent], ("coco",)).over_asks.value is None


def test_the_oracle_is_informed_and_guesses_are_not(tmp_path: Path) -> None:
    found = {}
    for name in ("oracle", "never-ask", "always-ask"):
        play(f"baseline:{name}", "fresh:3:seen:n=2", tmp_path / name)
        found[name] = measure([samples_of(tmp_path / name)], ("quickdraw", "rod", "vsod"))
    oracle, guesses, asks = found.values()
    shares = (oracle.asks, oracle.informed, oracle.whole, oracle.over_asks, oracle.unanswered)
    assert [one.value for one in shares] == [1, 1, 1, 0, 0]
    assert (guesses.asks.value, guesses.informed.value) == (0, 0)
    assert (asks.asks.value, asks.unanswered.value, asks.over_asks.value) == (1, 1, 1)


def test_a_stopped_experiment_keeps_complete_folders_only(tmp_path: Path) -> None:
    def make(out: Path) -> None:
        out.mkdir()
        (out / "model").write_text("weights")

    def stopped(out: Path) -> None:
        make(out)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path / "first", stopped)
    assert not (tmp_path / "first").exists()
    assert (kept(tmp_path / "first", make) / "model").read_text() == "weights"
    kept(tmp_path / "first", stopped)


def test_a_packed_model_has_the_files_of_the_bundled_one(tmp_path: Path) -> None:
    bundled = RESULTS.parents[1] / "proactive_agent/providers/local/bundled/nano-asks"
    model = Path(shutil.copytree(bundled, tmp_path / "quickdraw-rod-0.5-seed-0"))
    (model / "checkpoints" / "checkpoint-40").mkdir(parents=True)
    (model / "train.json.lock").touch()
    steps = [{"phase": "grpo", "step": step, "reward": 0.5} for step in (1, 2)]
    (model / "log.jsonl").write_text("".join(f"{json.dumps(step)}\n" for step in steps))
    pack_model(model, tmp_path / "nano-asks")
    packed, there = (
        {file.name: file.read_bytes() for file in folder.iterdir()}
        for folder in (tmp_path / "nano-asks", bundled)
    )
    assert packed.pop("curves.svg") != there.pop("curves.svg")  # drawn from the two steps
    assert packed == there


def figures(**shares: float) -> ArmFigures:
    """Returns figures in which every row has the same shares; before, the model guesses."""
    before = dict.fromkeys(MEASURES, 0.0) | {"solves": 0.25, "clear_accuracy": 0.9}
    after = before | shares
    arm = Arm(OWN, 0.5)

    def rows(values: dict[str, float]) -> dict[str, Measured]:
        estimates = {name: Estimate(value=value) for name, value in values.items()}
        return {row: Measured(samples=8, clear_samples=8, **estimates) for row in arm.rows}

    return ArmFigures(
        trained=OWN,
        reward=0.5,
        adapter="",
        options=(),
        before=rows(before),
        after=rows(after),
        seeds={
            f"{row}/{name}": [value, value]
            for row in ("trained", "unseen", "all")
            for name, value in after.items()
        },
    )


REACHED = {"asks": 0.96, "solves": 0.5, "informed": 0.45, "over_asks": 0.03, "clear_accuracy": 0.88}


def test_all_aims_are_met_at_their_limits() -> None:
    assert [aim.met for aim in aims(figures(**REACHED))] == [True] * 6


@pytest.mark.parametrize(
    ("name", "value", "missed"),
    [
        ("asks", 0.94, [0]),
        ("asks", 0.79, [0, 1]),
        ("over_asks", 0.04, [2]),
        ("clear_accuracy", 0.86, [3]),
        ("solves", 0.49, [4]),
        ("informed", 0.43, [5]),
    ],
)
def test_an_aim_is_missed_alone(name: str, value: float, missed: list[int]) -> None:
    found = list(aims(figures(**REACHED | {name: value})))
    assert [number for number, aim in enumerate(found) if not aim.met] == missed


def test_each_arm_leaves_five_scenarios_unseen() -> None:
    assert {len(arm.unseen) for arm in ARMS} == {5}
    assert len({arm.slug for arm in ARMS}) == len(ARMS)


def test_the_committed_tables_match_the_committed_figures() -> None:
    figures = Figures.model_validate_json((RESULTS / "figures.json").read_text())
    assert (RESULTS / "README.md").read_text() == readme(figures)


def test_the_docs_show_the_curves_of_the_bundled_model() -> None:
    root = RESULTS.parents[1]
    (curves,) = (root / "proactive_agent/providers/local/bundled/nano-asks").glob("*.svg")
    assert (root / "docs/pictures/nano-curves.svg").read_bytes() == curves.read_bytes()
