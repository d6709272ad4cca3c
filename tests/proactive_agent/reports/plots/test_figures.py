"""The content and the legibility of plots."""

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from proactive_agent.metrics import PlayedRun
from proactive_agent.records.episode import EpisodeRecord, JudgedAnswerRecord, JudgementRecord
from proactive_agent.reports.plots import FIGURES, OF_PAPER, Drawing, draw, png, svg
from proactive_agent.reports.published import LABEL, NOTE, find, table
from proactive_agent.scenarios import SCENARIOS
from proactive_agent.tools import UserError
from tests.proactive_agent.reports.comparison.playing import (
    EMBEDDED_NOTE,
    OFFICIAL,
    answers,
    played,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

CONDITIONS = (
    "zero-shot", "hint", "reference", "history", "icl:1", "icl:3", "random-suggestions", "clear",
)  # fmt: skip
LONG_NAMES = (
    "litellm:openrouter/somebody/a-model-with-quite-a-long-name-72b-instruct",
    "openai:my-model-of-the-second-generation@http://localhost:8000/v1",
    "replay:/home/somebody/experiments/replies-of-the-big-model.jsonl",
)
WITH_PUBLISHED = {"recognition", "hint", "open-ended-hint", "acc-psr"}
PLOTS = (*FIGURES, *OF_PAPER)
FILTER = ("filter-models", "filter-thresholds")
ONE_CONDITION = ("shares", "shares-by-scenario", "hint-shares", "hint-shares-by-scenario")


def figure(name: str, runs: Sequence[PlayedRun], *, with_published: bool = True) -> "Figure":
    """The figure of a plot, without its caption and the notes on left-out runs."""
    return draw(name, runs, with_published=with_published).figure


def runs_of(
    rights: Sequence[str] = ("1A0",), conditions: Sequence[str] = CONDITIONS, **more: Any
) -> list[PlayedRun]:
    """Runs of one model whose accuracy alternates between conditions."""
    runs = []
    for number, condition in enumerate(conditions):
        known = ("rod", "mvp-n") if condition.startswith("icl") else tuple(SCENARIOS)
        right = rights[number % len(rights)]
        episodes = [e for scenario in known for e in answers(right, scenario=scenario)]
        settings = {"provider": "a:one", "protocol": "mcqa", "condition": condition} | more
        runs.append(played(condition, episodes, **settings))
    return runs


def open_ended(conditions: Sequence[str] = ("zero-shot", "hint")) -> list[PlayedRun]:
    """Runs of open-ended questions: without a hint no first answer asks, with one half of them."""
    runs = []
    for condition in conditions:
        episodes = [
            judged(found, asks=condition == "hint" and found.sample_id in (0, 1))
            for scenario in SCENARIOS
            for found in answers("0000", scenario)
        ]
        settings = {"provider": "a:one", "protocol": "oeg", "condition": condition}
        runs.append(played(f"oeg-{condition}", episodes, **settings))
    return runs


def judged(record: EpisodeRecord, *, asks: bool) -> EpisodeRecord:
    """The episode with a judge's reading of its first turn."""
    read = JudgementRecord(
        judge="rules", answers=[JudgedAnswerRecord(text="Wait", kind="proactive", met=asks)]
    )
    first, *others = record.turns
    turns = [first.model_copy(update={"judgement": read}), *others]
    return record.model_copy(update={"turns": turns, "protocol": "oeg"})


def covering(run: PlayedRun) -> PlayedRun:
    """The run with data that hold only the samples that it has played."""
    data = run.manifest.data
    files = {
        name: data.files[name].model_copy(update={"samples": number, "kept": number})
        for name, table in run.tables.items()
        for number in [len(table.samples().ids)]
    }
    manifest = run.manifest.model_copy(update={"data": data.model_copy(update={"files": files})})
    return replace(run, manifest=manifest)


def renamed(runs: Sequence[PlayedRun], *providers: str) -> list[PlayedRun]:
    """Equal runs for each of these models."""
    copies = []
    for provider in providers:
        for run in runs:
            settings = replace(run.manifest.settings, provider=provider)
            manifest = run.manifest.model_copy(update={"settings": settings})
            copies.append(replace(run, manifest=manifest))
    return copies


def of_condition(runs: Sequence[PlayedRun], *conditions: str) -> list[PlayedRun]:
    return [run for run in runs if run.manifest.settings.condition in conditions]


@pytest.fixture(scope="module")
def one() -> list[PlayedRun]:
    return list(map(covering, [*runs_of(["0011", "AAA1", "1111"]), *open_ended()]))


@pytest.fixture(scope="module")
def many(one: list[PlayedRun]) -> list[PlayedRun]:
    return renamed(one, *LONG_NAMES, *(f"openai:model-{number}" for number in range(19)))


Drawings = Callable[[str], Drawing]
Drawn = Callable[[str], "Figure"]


@pytest.fixture(scope="module")
def drawings(one: list[PlayedRun]) -> Drawings:
    """Every plot of one model, drawn once per session."""
    return cache(lambda name: draw(name, one))


@pytest.fixture(scope="module")
def drawn(drawings: Drawings) -> Drawn:
    """The figures of these plots."""
    return lambda name: drawings(name).figure


def panel(figure: "Figure", title: str) -> "Axes":
    (found,) = (axes for axes in figure.axes if axes.get_title(loc="left") == title)
    return found


def points(axes: "Axes", marker: str = "o", colour: str = "#0072B2") -> list[tuple[float, float]]:
    """The positions of all markers of this style."""
    lines = [
        line for line in axes.lines
        if line.get_marker() == marker and line.get_color() == colour and len(line.get_xdata()) == 1
    ]  # fmt: skip
    return [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in lines]


def written(figure: "Figure") -> list[str]:
    """The texts on the sheet outside the panels and the legend."""
    return [text.get_text() for text in figure.texts]


# Content -----------------------------------------------------------------------------------------


def test_recognition_plots_reference_accuracy_on_x(
    drawn: Drawn,
) -> None:
    made = drawn("recognition")
    assert points(panel(made, "coco")) == [(100.0, 50.0)]
    assert points(panel(made, "mean")) == [(100.0, 50.0)]


def test_published_models_are_drawn_at_the_values_of_their_tables(drawn: Drawn) -> None:
    able, asked = find("table6", "InternVL3-1B"), find("table1", "InternVL3-1B")
    assert able is not None
    assert asked is not None
    grey = points(panel(drawn("recognition"), "rod"), colour="#767676")
    assert (100 * able.values["rod"]["acc"], 100 * asked.values["rod"]["acc"]) in grey
    assert len(grey) == 21


def test_the_hollow_marker_is_without_and_the_filled_one_with_a_hint(drawn: Drawn) -> None:
    acc, psr = drawn("hint").axes
    after, before = points(acc)[:2]
    assert (before[0], after[0]) == (50.0, 100.0)
    after, before = points(psr)[:2]
    assert (before[0], after[0]) == (0.0, 0.75)
    assert acc.texts[0].get_text().startswith("+50.0")
    assert acc.get_yticklabels()[1].get_text() == "LLaVA-1.5-7B"


def test_a_significant_change_has_stars() -> None:
    runs = runs_of(["0" * 12, "1" * 12], ["zero-shot", "hint"])
    assert figure("hint", runs).axes[0].texts[0].get_text() == "+100.0***"


def test_the_change_is_computed_on_common_samples() -> None:
    longer = runs_of(["0011"], ["zero-shot"])
    shorter = runs_of(["01"], ["hint"])
    made = figure("hint", [*longer, *shorter], with_published=False)
    assert made.axes[0].texts[0].get_text().startswith("+50.0")


def test_published_effects_are_the_differences_of_their_tables(drawn: Drawn) -> None:
    changes = [text.get_text() for text in drawn("hint").axes[0].texts]
    assert len(changes) == 1 + 22
    assert changes[1] == "+8.0"  # LLaVA-1.5-7B: 24.8 → 32.8
    assert changes[9] == "\N{MINUS SIGN}0.7"  # InstructBLIP-7B: 12.1 → 11.4


def test_solved_examples_are_shown_for_the_scenarios_that_have_them(drawn: Drawn) -> None:
    made = drawn("icl")
    assert [axes.get_title(loc="left") for axes in made.axes] == ["rod", "rod", "mvp-n", "mvp-n"]
    assert points(made.axes[0], "^", "#D55E00") == [(100.0, 0.0)]


def test_random_suggestions_compare_shares_of_turns() -> None:
    runs = runs_of(["AA00", "A000"], ["zero-shot", "random-suggestions"])
    panels = figure("random-suggestions", runs).axes
    assert [axes.get_xlabel() for axes in panels] == [
        "turns that ask (%)", "turns that abstain (%)", "turns that predict (%)",
    ]  # fmt: skip
    # Of 6 turns 2 ask, of 5 turns 1.
    assert [x for x, _ in points(panels[0])] == pytest.approx([20.0, 100 / 3])
    changes = [[text.get_text() for text in axes.texts] for axes in panels]
    assert changes == [["\N{MINUS SIGN}40%"], ["\N{EN DASH}"], ["+20%"]]


@pytest.mark.parametrize(
    ("name", "titles", "right"),
    [
        ("shares", ["mean of the 7 scenarios"], 100.0),
        ("shares-by-scenario", list(SCENARIOS), 100.0),
        ("hint-shares", ["mean of the 7 scenarios"], 400 / 7),
        ("hint-shares-by-scenario", list(SCENARIOS), 400 / 7),
    ],
)
def test_shares_of_one_condition_are_drawn_on_average_or_by_scenario(
    name: str, titles: list[str], right: float, one: list[PlayedRun]
) -> None:
    panels = figure(name, one).axes
    assert [axes.get_title(loc="left") for axes in panels] == titles
    for axes in panels:
        widths = [bar.get_width() for bar in axes.patches]
        assert widths == pytest.approx([100 - right, 0, 0, right, 0])


def test_the_filter_shows_samples_by_the_number_of_models_that_are_right_at_once() -> None:
    rights = ["0011", "0001", "0001", "000A"]
    runs = [
        covering(played("m", answers(right, "coco"), provider=f"local:{n}", protocol="mcqa"))
        for n, right in enumerate(rights)
    ]
    made, caption, _ = draw("filter-models", runs)
    bars = panel(made, "coco").patches
    # Two samples that no model has right at once, one that one has, one that three have.
    assert [bar.get_height() for bar in bars] == [50.0, 25.0, 0.0, 25.0, 0.0]
    assert len({bar.get_facecolor() for bar in bars[1:]}) == 1, "one of four models is enough"
    assert bars[0].get_facecolor() != bars[1].get_facecolor()
    assert any("2 of 4 samples stay" in sentence for sentence in caption)
    (axes,) = figure("filter-thresholds", runs).axes
    (line,) = (line for line in axes.lines if len(line.get_xdata()) == 4)
    assert list(line.get_xdata()) == [25.0, 50.0, 75.0, 100.0]
    assert list(line.get_ydata()) == [50.0, 75.0, 75.0, 100.0]


def test_random_suggestions_by_scenario_have_a_row_of_panels_for_each(drawn: Drawn) -> None:
    titles = [axes.get_title(loc="left") for axes in drawn("random-suggestions-by-scenario").axes]
    assert titles == [name for name in SCENARIOS for _ in range(3)]


def test_the_open_ended_hint_compares_ps_with_tables_8_and_9(drawn: Drawn) -> None:
    (axes,) = drawn("open-ended-hint").axes
    assert axes.get_xlabel() == "ps (%)"
    after, before = points(axes)[:2]
    assert (before[0], after[0]) == (0.0, 50.0)
    changes = [text.get_text() for text in axes.texts]
    assert len(changes) == 1 + 17
    assert changes[:2] == ["+50.0", "+6.9"]  # LLaVA-1.5-7B: 2.1 → 9.0


@pytest.mark.parametrize("name", ["recognition", "hint", "acc-psr"])
def test_published_figures_are_shown_beside_the_same_experiment_only(name: str) -> None:
    runs = runs_of(conditions=["zero-shot", "hint", "reference"], protocol="tools")
    made, caption, _ = draw(name, runs)
    assert NOTE not in caption
    assert not any(LABEL in t.get_text() for legend in made.legends for t in legend.get_texts())


def test_bars_of_actions_are_shares_of_turns(one: list[PlayedRun]) -> None:
    bars = panel(figure("actions", of_condition(one, "hint")), "rod").patches
    widths = [bar.get_width() for bar in bars]  # A A A 1: three turns that ask, four that answer
    assert widths == pytest.approx([100 * 3 / 7, 0, 0, 100 * 4 / 7, 0])


def test_help_seeking_plots_needless_asking_on_x_and_needed_asking_on_y() -> None:
    made = figure("help-seeking", runs_of(["AA10", "A111"], ["zero-shot", "clear"]))
    assert points(panel(made, "vsod")) == [(25.0, 50.0)]


def test_tradeoff_plots_psr_on_x_and_accuracy_on_y(one: list[PlayedRun]) -> None:
    (axes,) = figure("acc-psr", of_condition(one, "hint")).axes
    assert points(axes) == [(0.75, 100.0)]


def test_known_intervals_are_drawn(one: list[PlayedRun]) -> None:
    estimate = of_condition(one, "zero-shot")[0].summary.scenarios["rod"].acc
    axes = panel(figure("recognition", one), "rod")
    (upright,) = (
        segment[0] for bars in axes.collections for segment in [bars.get_segments()]
        if segment[0][0][0] == segment[0][1][0]
    )  # fmt: skip
    assert [y for _, y in upright] == pytest.approx([100 * estimate.low, 100 * estimate.high])


def test_one_scenario_has_no_panel_of_means() -> None:
    runs = [
        played(c, answers("1A"), provider="a:one", condition=c) for c in ("zero-shot", "reference")
    ]
    assert [a.get_title(loc="left") for a in figure("recognition", runs).axes] == ["rod"]


# Captions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLOTS)
def test_the_caption_warns_of_the_embedded_suite_and_the_picture_holds_no_note(
    name: str, drawings: Drawings
) -> None:
    made, caption, _ = drawings(name)
    assert EMBEDDED_NOTE in caption
    assert not set(caption) & set(written(made))


def test_runs_on_the_official_data_carry_no_warning() -> None:
    caption = draw("hint", runs_of(conditions=["zero-shot", "hint"], data=OFFICIAL)).caption
    assert EMBEDDED_NOTE not in caption
    assert NOTE in caption


def test_the_caption_is_in_the_metadata_of_both_files(one: list[PlayedRun]) -> None:
    made, caption, _ = draw("hint", one)
    document = ElementTree.fromstring(svg(made, caption))
    (description,) = document.iter("{http://purl.org/dc/elements/1.1/}description")
    assert description.text == "\n".join(caption)
    with Image.open(io.BytesIO(png(made, caption))) as picture:
        assert picture.info["Description"] == "\n".join(caption)


def test_control_characters_of_a_name_are_replaced_in_the_caption() -> None:
    short = renamed(runs_of(["10"], ["zero-shot", "hint"], limit=2), "openai:a\x1b[2J")
    other = runs_of(["10"], ["zero-shot", "hint"])
    made, caption, _ = draw("hint", [*short, *other])
    assert any("a\N{REPLACEMENT CHARACTER}[2J" in sentence for sentence in caption)
    ElementTree.fromstring(svg(made, caption))


@pytest.mark.parametrize("name", sorted(WITH_PUBLISHED))
def test_published_figures_are_marked_in_the_legend(name: str, drawn: Drawn) -> None:
    (legend,) = drawn(name).legends
    assert any(LABEL in text.get_text() for text in legend.get_texts())


@pytest.mark.parametrize("name", PLOTS)
def test_plots_without_published_figures_do_not_mention_them(
    name: str, one: list[PlayedRun]
) -> None:
    made, caption, _ = draw(name, one, with_published=False)
    legends = [text.get_text() for legend in made.legends for text in legend.get_texts()]
    said = [*caption, *written(made), *legends]
    assert not any("ublished" in text for text in said if text != EMBEDDED_NOTE)


@pytest.mark.parametrize(
    "name", sorted({*FIGURES, *OF_PAPER} - {"actions", "acc-psr", *ONE_CONDITION, *FILTER})
)
def test_runs_that_do_not_make_a_plot_are_refused(name: str, one: list[PlayedRun]) -> None:
    with pytest.raises(UserError, match="a:one has no run of"):
        draw(name, of_condition(one, "zero-shot"))


def test_the_history_plot_refuses_the_tools_protocol() -> None:
    runs = runs_of(conditions=["zero-shot", "history"], protocol="tools")
    with pytest.raises(UserError, match="protocol is tools"):
        draw("history", runs)


# Published points --------------------------------------------------------------------------------


def test_numbers_name_the_published_models_in_a_key(drawn: Drawn) -> None:
    made = drawn("recognition")
    assert "\N{FIGURE SPACE}1  LLaVA-1.5-7B" in written(made)
    assert "21  o4-mini" in written(made)
    for axes in made.axes:
        assert sorted(number for text in axes.texts for number in numbers(text)) == [*range(1, 22)]


def test_coincident_points_share_a_label(drawn: Drawn) -> None:
    never = {
        number
        for number, row in enumerate(table("table6"), 1)
        if row.values["rod"]["acc"] == 1 and find("table1", row.model).values["rod"]["acc"] == 0
    }
    assert len(never) > 5
    shared = max((numbers(text) for text in panel(drawn("recognition"), "rod").texts), key=len)
    assert never <= set(shared)


@pytest.mark.parametrize("name", ["recognition", "acc-psr"])
@pytest.mark.parametrize("amount", [1, 8])
def test_numbers_cover_no_points(name: str, amount: int, many: list[PlayedRun]) -> None:
    runs = looked_at(name, many)
    made = figure(name, runs[: amount * len(runs) // 22])
    for axes in made.axes:
        for line in axes.lines:
            if line.get_marker() != "None":
                (point,) = axes.transData.transform(line.get_xydata())
                for text in axes.texts:
                    assert not text.get_window_extent().contains(*point), text.get_text()


def numbers(text: "Text") -> list[int]:
    """The numbers of a label."""
    return [int(number) for number in text.get_text().split(",")]


# Legibility --------------------------------------------------------------------------------------


def shown_texts(figure: "Figure") -> Iterator["Text"]:
    from matplotlib.text import Text

    beyond = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if not low <= tick.get_loc() <= high:
                    beyond.add(tick.label1)
    for text in figure.findobj(Text):
        if text.get_text().strip() and text.get_visible() and text not in beyond:
            yield text


def looked_at(name: str, runs: list[PlayedRun]) -> list[PlayedRun]:
    """Plots that show every run get runs of a single condition."""
    return of_condition(runs, "zero-shot") if name in ("actions", "acc-psr") else runs


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("amount", [1, 22])
def test_texts_neither_overlap_nor_leave_the_sheet(
    name: str, amount: int, many: list[PlayedRun], drawn: Drawn
) -> None:
    made = drawn(name) if amount == 1 else figure(name, looked_at(name, many))
    places = [(text.get_text(), text.get_window_extent()) for text in shown_texts(made)]
    for (first, one), (second, other) in combinations(places, 2):
        over = one.overlaps(other) and min(one.x1, other.x1) - max(one.x0, other.x0) > 1
        tall = min(one.y1, other.y1) - max(one.y0, other.y0) > 1
        assert not (over and tall), f"{first!r} over {second!r}"
    for text, place in places:
        assert place.x0 >= 0, text
        assert place.y0 >= 0, text
        assert place.x1 <= made.bbox.x1 + 1, text
        assert place.y1 <= made.bbox.y1 + 1, text


@pytest.mark.parametrize("name", PLOTS)
def test_no_text_is_smaller_than_8_points(name: str, drawn: Drawn) -> None:
    assert min(text.get_fontsize() for text in shown_texts(drawn(name))) >= 8


def test_22_models_look_different() -> None:
    from proactive_agent.reports.plots.style import marker_style

    assert len({marker_style(number) for number in range(56)}) == 56


def test_names_are_not_markup_and_long_ones_are_cut_in_the_middle(one: list[PlayedRun]) -> None:
    runs = renamed(one, "openai:$x^2$", LONG_NAMES[0])
    labels = figure("hint", runs, with_published=False).axes[0].get_yticklabels()
    texts = [label.get_text() for label in labels]
    assert texts[0] == "openai:$x^2$"
    assert not labels[0].get_parse_math()
    assert texts[1].startswith("litellm:openrouter")
    assert texts[1].endswith("72b-instruct")
    assert len(texts[1]) == 40


def test_characters_that_the_font_lacks_are_accepted(one: list[PlayedRun]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert png(*draw("hint", renamed(one, "openai:模型"))[:2])


# Files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLOTS)
def test_the_same_runs_give_the_same_well_formed_svg(
    name: str, one: list[PlayedRun], drawings: Drawings
) -> None:
    first = svg(*drawings(name)[:2])
    assert ElementTree.fromstring(first).tag == "{http://www.w3.org/2000/svg}svg"
    assert svg(*draw(name, one)[:2]) == first


def test_the_order_of_writing_changes_nothing(one: list[PlayedRun]) -> None:
    made, caption, _ = draw("hint", one)
    first = svg(made, caption)
    assert png(made, caption) == png(*draw("hint", one)[:2])
    assert svg(made, caption) == first


def test_positions_of_panels_are_rounded(drawn: Drawn) -> None:
    for axes in drawn("recognition").axes:
        for number in axes.get_position(original=True).get_points().flat:
            assert number == round(number, 6)


def test_a_users_own_matplotlib_settings_change_nothing(
    one: list[PlayedRun], drawings: Drawings
) -> None:
    import matplotlib as mpl

    first = svg(*drawings("recognition")[:2])
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "black", "svg.hashsalt": "other"}):
        assert svg(*draw("recognition", one)[:2]) == first
