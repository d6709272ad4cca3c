"""The seven environments, and the data sets behind them."""

from scenarios.dataset import DataError, DataFolder, Scan
from scenarios.environment import (
    Environment,
    ImageRef,
    Observation,
    Option,
    Outcome,
    SampleError,
    Stop,
    Verdict,
    Verdicts,
)
from scenarios.images import ImageError, ImageStore, Picture
from scenarios.open_ended import AcceptedAnswer, accepted_answers
from scenarios.registry import SCENARIOS, EnvironmentType, find_scenario
from scenarios.sample import Sample
from scenarios.wording import OWN, Wording

__all__ = [
    "OWN",
    "SCENARIOS",
    "AcceptedAnswer",
    "DataError",
    "DataFolder",
    "Environment",
    "EnvironmentType",
    "ImageError",
    "ImageRef",
    "ImageStore",
    "Observation",
    "Option",
    "Outcome",
    "Picture",
    "Sample",
    "SampleError",
    "Scan",
    "Stop",
    "Verdict",
    "Verdicts",
    "Wording",
    "accepted_answers",
    "find_scenario",
]
