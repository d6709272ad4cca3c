"""How suggestions change each scenario's picture. All expectations were derived by hand."""

import pytest

from proactive_agent.scenarios.wording import OWN
from proactive_agent.tools import Intervention
from tests.scenarios.test_environments import (
    CAMERA,
    CONTRAST,
    DENOISE,
    DETAILS,
    LEFT,
    REWIND,
    RIGHT,
    RIGHT_ANSWER,
    ROTATE,
    WAIT,
    make,
    paths,
    texts,
)

Box = tuple[float, float, float, float]


class TestRod:
    def test_left_is_back_and_right_ahead(self) -> None:
        shown = paths(make("rod"), LEFT, RIGHT, RIGHT)
        assert shown == ["rod/x-s7.png", "rod/x-s6.png", "rod/x-s7.png", "rod/x-s8.png"]

    def test_frames_form_a_ring(self) -> None:
        assert paths(make("rod", first_image=0), LEFT)[-1] == "rod/x-s13.png"
        assert paths(make("rod", first_image=13), RIGHT)[-1] == "rod/x-s0.png"

    def test_not_even_the_right_category_counts_in_the_first_turn(self) -> None:
        environment = make("rod")
        outcome = environment.step(RIGHT_ANSWER)
        assert (outcome.verdicts, outcome.stop) == (("mismatch", "wrong"), "answered")
        assert not environment.correct

    def test_it_counts_from_the_second_turn(self) -> None:
        environment = make("rod")
        environment.step(LEFT)
        assert environment.step(RIGHT_ANSWER).verdicts == ("mismatch", "correct")

    @pytest.mark.parametrize(
        ("first", "moves", "shown"),
        [(7, [LEFT], "s5"), (5, [RIGHT], "s7"), (6, [], "s7"), (8, [LEFT, LEFT], "s5")],
    )
    def test_the_corrupt_frame_is_replaced_by_the_next_one_on_the_way(
        self, first: int, moves: list[Intervention], shown: str
    ) -> None:
        name = "natural_bluebl_greenr-banana"
        environment = make("rod", image_template=f"rod/{name}-s{{image}}.png", first_image=first)
        assert paths(environment, *moves)[-1] == f"rod/{name}-{shown}.png"

    def test_the_same_frame_of_another_object_is_shown(self) -> None:
        template = "rod/natural_bluebl_greenr-apple-s{image}.png"
        assert paths(make("rod", image_template=template), LEFT)[-1].endswith("-s6.png")


class TestVsod:
    def test_rewind_is_back_and_wait_ahead_in_a_ring(self) -> None:
        shown = paths(make("vsod"), REWIND, WAIT, WAIT)
        assert shown == ["vsod/0000.png", "vsod/0004.png", "vsod/0000.png", "vsod/0001.png"]

    def test_the_right_category_counts_at_once(self) -> None:
        assert make("vsod").step(RIGHT_ANSWER).verdicts == ("mismatch", "correct")


class TestMvpN:
    def test_shows_the_sample_s_views_the_informative_one_last(self) -> None:
        shown = paths(make("mvp-n"), ROTATE, ROTATE)
        assert shown == ["mvp/0_0008.png", "mvp/0_0002.png", "mvp/1_0030.png"]

    def test_no_list_of_views_means_all_in_order(self) -> None:
        shown = paths(make("mvp-n", valid_images=[], first_image=0), ROTATE, ROTATE)
        assert shown == ["mvp/0_0000.png", "mvp/0_0001.png", "mvp/1_0002.png"]

    def test_one_view_is_informative_from_the_start(self) -> None:
        environment = make("mvp-n", num_images=1, valid_images=[8])
        assert paths(environment) == ["mvp/1_0008.png"]

    def test_a_lost_turn_does_not_turn_the_object(self) -> None:
        environment = make("mvp-n")
        environment.step(Intervention("move_piano"), forgiving=True)
        assert paths(environment, ROTATE) == ["mvp/0_0008.png", "mvp/0_0002.png"]


class TestImageNetC:
    def test_the_valid_enhancement_lowers_the_severity(self) -> None:
        shown = paths(make("imagenet-c"), DENOISE, DENOISE, DENOISE, DENOISE)
        assert shown == [f"in/{level}.png" for level in (5, 4, 3, 2, 1)]

    def test_another_enhancement_is_wrong_though_offered(self) -> None:
        outcome = make("imagenet-c").step(CONTRAST)
        assert (outcome.verdicts, outcome.stop) == (("wrong", "mismatch"), "invalid")


class TestQuickDraw:
    def test_one_stroke_per_suggestion(self) -> None:
        assert paths(make("quickdraw"), DETAILS, DETAILS) == [
            "qd/0000.png",
            "qd/0001.png",
            "qd/0002.png",
        ]


class TestChangeIt:
    def test_a_step_is_several_frames(self) -> None:
        shown = paths(make("changeit"), WAIT, REWIND)
        assert shown == ["cit/2.png", "cit/4.png", "cit/2.png"]

    @pytest.mark.parametrize(("first", "offered"), [(2, True), (1, False)])
    def test_rewind_is_not_offered_where_it_leaves_the_video(
        self, first: int, offered: bool
    ) -> None:
        start = make("changeit", first_image=first)
        assert ("Rewind the video." in texts(start)) == offered
        assert "Wait for the object to appear." in texts(start)
        assert (start.step(REWIND).verdicts.suggestion == "correct") == offered

    @pytest.mark.parametrize(("first", "offered"), [(6, True), (7, False)])
    def test_wait_is_not_offered_where_it_leaves_the_video(self, first: int, offered: bool) -> None:
        end = make("changeit", first_image=first)
        assert ("Wait for the object to appear." in texts(end)) == offered
        assert "Rewind the video." in texts(end)

    def test_in_a_video_shorter_than_a_step_only_rewind_is_dropped(self) -> None:
        short = make("changeit", first_image=0, num_images=2, step_size=2)
        assert texts(short) == ["Wait for the object to appear.", "I cannot tell."]


def crops(direction: str, *actions: Intervention, **changes: object) -> list[Box | None]:
    options = {
        "zoom": ["Move farther from the object."],
        "left_up": ["Move the camera to the left.", "Move the camera up."],
        "right": ["Move the camera to the right."],
        "down": ["Move the camera down."],
        "up": ["Move the camera up."],
        "left": ["Move the camera to the left."],
    }[direction]
    environment = make("coco", direction=direction, options=[*options, "I do not know."], **changes)
    shown = [environment.observe().image.crop]
    for action in actions:
        environment.step(action)
        shown.append(environment.observe().image.crop)
    return shown


class TestCoco:
    """The initial crop is (left 40, top 20, width 60, height 48); steps are 10 wide and 5 high."""

    @pytest.mark.parametrize(
        ("direction", "boxes"),
        [
            ("left", [(30, 20, 60, 48), (20, 20, 60, 48), (10, 20, 60, 48)]),
            ("right", [(40, 20, 70, 48), (40, 20, 80, 48), (40, 20, 90, 48)]),
            ("up", [(40, 15, 60, 48), (40, 10, 60, 48), (40, 5, 60, 48)]),
            ("down", [(40, 20, 60, 53), (40, 20, 60, 58), (40, 20, 60, 63)]),
        ],
    )
    def test_the_edge_moves_one_step_from_the_first_turn_on(
        self, direction: str, boxes: list[Box]
    ) -> None:
        assert crops(direction, CAMERA[direction], CAMERA[direction]) == boxes

    def test_two_axes_move_apart(self) -> None:
        assert crops("left_up", CAMERA["up"], CAMERA["left"], CAMERA["up"]) == [
            (30, 15, 60, 48),
            (30, 10, 60, 48),
            (20, 10, 60, 48),
            (20, 5, 60, 48),
        ]

    def test_farther_moves_all_edges_and_adds_the_start(self) -> None:
        assert crops("zoom", CAMERA["farther"]) == [(30, 15, 110, 73), (20, 10, 120, 78)]

    @pytest.mark.parametrize(
        ("step", "moves", "edge"),
        # 0.1 * 4 would be 0.4, and 0.01 * 2 / 1 * 3 / 2 * 4 / 3 … 0.06000000000000001.
        [(0.1, 3, 0.4000000000000001), (0.01, 5, 0.06)],
    )
    def test_the_step_grows_in_the_published_order_of_operations(
        self, step: float, moves: int, edge: float
    ) -> None:
        start = {"left": 0, "top": 20, "width": 60, "height": 48}
        way = [CAMERA["left"]] * moves
        boxes = crops("left", *way, horizontal_step=step, granularity=9, crop=start)
        assert boxes[-1] == (-edge, 20, 60, 48)

    def test_a_move_is_not_offered_once_its_axis_is_at_the_end(self) -> None:
        options = ["Move the camera to the left.", "Move the camera up.", "I do not know."]
        environment = make("coco", direction="left_up", options=options)
        environment.step(CAMERA["left"])
        assert texts(environment) == options
        environment.step(CAMERA["left"])
        assert texts(environment) == options[1:]
        assert environment.step(CAMERA["left"]).verdicts.suggestion == "wrong"

    def test_farther_is_not_offered_at_its_last_step(self) -> None:
        options = ["Move farther from the object.", "I do not know."]
        environment = make("coco", direction="zoom", granularity=1, options=options)
        assert texts(environment) == options
        environment.step(CAMERA["farther"])
        assert texts(environment) == ["I do not know."]

    def test_rounding_can_keep_farther_on_offer(self) -> None:
        # The step becomes 0.4000000000000001, but the largest allowed step is 0.1 * 4 = 0.4.
        options = ["Move farther from the object.", "I do not know."]
        environment = make("coco", direction="zoom", horizontal_step=0.1, options=options)
        for _ in range(3):
            environment.step(CAMERA["farther"])
        assert texts(environment) == options
        assert environment.step(CAMERA["farther"]).stop == "turn_limit"

    def test_an_axis_without_a_direction_has_no_moves(self) -> None:
        options = ["Move the camera to the left.", "Move the camera up.", "I do not know."]
        assert texts(make("coco", options=options)) == [options[0], options[2]]

    @pytest.mark.parametrize(
        ("direction", "option", "key"),
        [
            ("zoom", "Move farther from the object.", "coco-zoom"),
            ("left", "Move the camera to the left.", "coco"),
        ],
    )
    def test_has_two_hints(self, direction: str, option: str, key: str) -> None:
        environment = make("coco", direction=direction, options=[option, "I do not know."])
        assert environment.observe().hint == OWN.hints[key]
