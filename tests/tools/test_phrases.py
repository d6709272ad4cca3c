import pytest

from tools import Intervention
from tools.phrases import gives_up, requests_in

ASKS = [
    ("Please move the block to the left.", {"move_object(left)"}),
    ("Could you push that red wall to the right a bit?", {"move_object(right)"}),
    ("Remove the obstacle so that I can see what is behind.", {"move_object()"}),
    ("Can you move it?", {"move_object()"}),
    ("Move the block so the view is clear", {"move_object()"}),
    ("Slide the blocks left or right.", {"move_object(left)", "move_object(right)"}),
    ("Please rewind the video.", {"seek_video(rewind)"}),
    ("Can I see an earlier frame?", {"seek_video(rewind)"}),
    ("Play the video back a little", {"seek_video(rewind)"}),
    ("Wait until the person has passed", {"seek_video(wait)"}),
    ("Show me the next frame", {"seek_video(wait)"}),
    ("Rotate the object, please", {"rotate_object()"}),
    ("I'd like a different angle", {"rotate_object()"}),
    ("Could you turn it around?", {"rotate_object()"}),
    ("Denoise the image", {"enhance_image(denoise)"}),
    ("The image is dark; increase the brightness", {"enhance_image(brightness)"}),
    ("Please provide a higher resolution picture", {"enhance_image(resolution)"}),
    ("Can you sharpen it?", {"enhance_image(deblur)"}),
    ("Remove the noise and raise the contrast",
     {"enhance_image(denoise)", "enhance_image(contrast)"}),
    ("Undo the JPEG compression.", {"enhance_image(compression)"}),
    ("Add more details to the drawing", {"add_details()"}),
    ("Could you draw a few more strokes?", {"add_details()"}),
    ("Please finish your sketch", {"add_details()"}),
    ("Move the camera to the left", {"move_camera(left)"}),
    ("pan the camera up and right", {"move_camera(up)", "move_camera(right)"}),
    ("Could you point the camera elsewhere?", {"move_camera()"}),
    ("Zoom out, please", {"move_camera(farther)"}),
    ("Please step back from the scene", {"move_camera(farther)"}),
    ("Show me the whole picture", {"move_camera(farther)"}),
    ("move_camera(direction='left')", {"move_camera(left)"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "interventions"), ASKS)
def test_a_request_is_understood(text: str, interventions: set[str]) -> None:
    assert {str(i) for i in requests_in(text)} == interventions


@pytest.mark.parametrize(
    "text",
    [
        "I do not know.",
        "I cannot tell what this is.",
        "What is it?",
        "The picture is too blurry to say.",
        "It may be a mug or a bowl.",
        "Don't move the block.",
        "There is no need to rewind the video.",
        "This is a noisy picture.",
        "The object on the left is hidden.",
        "",
    ],
)
def test_what_is_no_request_asks_for_nothing(text: str) -> None:
    assert requests_in(text) == []


def test_a_request_after_a_statement_of_inability_counts() -> None:
    text = "I can't see the object. Please move the block."
    assert requests_in(text) == [Intervention("move_object")]


@pytest.mark.parametrize(
    ("text", "given_up"),
    [
        ("I do not know.", True),
        ("I can't tell what this is.", True),
        ("There is not enough information to answer.", True),
        ("It is impossible to clearly identify it", True),
        ("I cannot see it. Could you help me?", False),
        ("I cannot see it; please move the block.", False),
        ("A mug or a bowl.", False),
        ("", False),
    ],
)
def test_giving_up_asks_for_nothing(text: str, given_up: bool) -> None:
    assert gives_up(text) is given_up
