import pytest

from proactive_agent.scenarios import SCENARIOS, DataFolder
from proactive_agent.scenarios.builder import wording
from proactive_agent.tools import Intervention
from proactive_agent.tools.phrases import first_request, gives_up, requests_in

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
    ("I'd like a different angle", {"rotate_object()", "move_camera()"}),
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
    ("Without moving the blocks I cannot tell.", {"move_object()"}),
    ("The blocks would have to be removed.", {"move_object()"}),
    ("If you pushed the block aside, I could see.", {"move_object()"}),
    ("The camera should be moved away.", {"move_camera(farther)"}),
    ("Could you show more of the room?", {"move_camera(farther)"}),
    ("Please keep drawing.", {"add_details()"}),
    ("More details are required.", {"add_details()"}),
    ("Please go on!", {"add_details()", "seek_video(wait)"}),
    ("Please play the clip from the beginning.", {"seek_video(rewind)"}),
    ("Skip ahead to the next scene, please", {"seek_video(wait)"}),
    ("Ask me again, please, once the bus has moved away.", {"seek_video(wait)"}),
    ("Please show me another frame.", {"seek_video()"}),
    ("A picture from above would help.", {"rotate_object()", "move_camera()"}),
    ("I need a version that isn't blurry.", {"enhance_image(deblur)"}),
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
        "The blocks have been moved to the left.",
        "A man is waiting for the bus.",
        "I shall wait for your next question.",
        "No need to wait for the next frame.",
        "Reducing the brightness will not help.",
        "The photo has been edited to increase its contrast.",
        "This could be the top view of a boat.",
        "The picture was taken from above and shows a bag.",
        "If I had to guess, I would say that the next frame shows a dog.",
        "The drawing has few details.",
        "What tool did you use to draw these lines?",
        "Please upload a clearer image.",
        "I would need more information.",
        "The image is a wide view of the whole room.",
        "",
    ],
)
def test_what_is_no_request_asks_for_nothing(text: str) -> None:
    assert requests_in(text) == []


def test_every_suggestion_of_the_builder_is_understood() -> None:
    given = {
        Intervention("rotate_object"): wording.ROTATE,
        Intervention("add_details"): wording.DETAILS,
        Intervention("seek_video", "wait"): (
            *wording.APPEAR, *(text for texts in wording.WAIT.values() for text in texts),
        ),
        **{Intervention("enhance_image", o): texts for o, texts in wording.ENHANCE.items()},
    }  # fmt: skip
    missed = [t for wanted, texts in given.items() for t in texts if wanted not in requests_in(t)]
    assert missed == []


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


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_first_request_of_a_suggestion_of_the_suite_is_its_intervention(scenario: str) -> None:
    texts = {text for sample in DataFolder().samples(scenario) for text in sample.suggestions}
    for text in texts:
        assert SCENARIOS[scenario].intervention(text) in first_request(text).interventions, text
