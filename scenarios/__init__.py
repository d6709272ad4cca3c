"""The seven scenarios: their environments and data sets."""

from proactive_agent.scenarios.dataset import DataError, DataFolder, Scan
from proactive_agent.scenarios.environment import (
    AcceptedAnswer,
    Environment,
    ForeignSuggestions,
    ImageRef,
    Observation,
    Option,
    Outcome,
    SampleError,
    Stop,
    Verdict,
    Verdicts,
)
from proactive_agent.scenarios.images import (
    ImageError,
    ImageStore,
    Picture,
    SeenPicture,
    StoredImage,
)
from proactive_agent.scenarios.registry import SCENARIOS, EnvironmentType, find_scenario
from proactive_agent.scenarios.sample import Sample
from proactive_agent.scenarios.wording import OWN, Wording

__all__ = [
    "OWN",
    "SCENARIOS",
    "AcceptedAnswer",
    "DataError",
    "DataFolder",
    "Environment",
    "EnvironmentType",
    "ForeignSuggestions",
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
    "SeenPicture",
    "Stop",
    "StoredImage",
    "Verdict",
    "Verdicts",
    "Wording",
    "find_scenario",
]
