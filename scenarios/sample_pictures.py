"""The pictures that a sample can show."""

from collections.abc import Iterator
from typing import Any

from proactive_agent.scenarios.environment import Environment, ImageRef, SampleError
from proactive_agent.scenarios.registry import EnvironmentType
from proactive_agent.scenarios.sample import Sample
from proactive_agent.scenarios.wording import OWN
from proactive_agent.tools import Intervention


def pictures(environment: EnvironmentType, sample: Sample) -> Iterator[ImageRef]:
    """Yields every picture that a sample can show, the reference frame last, with repeats.

    Plays each suggestion from the start for as long as it is accepted. Mixed suggestions reach no
    other file. At the end, raises SampleError if a suggestion leads to a frame that the sample
    lacks.
    """
    fault: SampleError | None = None
    wishes = dict.fromkeys(environment.intervention(text) for text in sample.suggestions)
    for wish in wishes or [None]:
        try:
            yield from _straight_way(environment(sample, OWN), wish)
        except SampleError as error:
            fault = error
    yield environment(sample, OWN).reference_image()
    if fault:
        raise fault


def _straight_way(state: Environment[Any], wish: Intervention | None) -> Iterator[ImageRef]:
    going_on = True
    while going_on:
        yield state.image()
        accepted = map(state.intervention, state.accepted_suggestions())
        going_on = wish is not None and wish in accepted and state.step(wish).stop is None
