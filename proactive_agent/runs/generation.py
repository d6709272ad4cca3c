"""The settings of text generation that the requests of a run carry.

`--generation published` is resolved here: the paper generates 50 new tokens in `mcqa`, by the
checkpoint's own generation config, and 32,768 new tokens in `oeg`, with sampling. The judge of
`oeg` then samples as well. These limits include thinking.
"""

from proactive_agent.play.judges.model import SAMPLING as JUDGE_SAMPLING
from proactive_agent.providers import Sampling
from proactive_agent.records.manifest import Manifest, Settings
from proactive_agent.settings import declared
from proactive_agent.settings.model import PUBLISHED_TOKENS
from proactive_agent.tools import UserError

PUBLISHED = {
    "mcqa": Sampling(
        max_tokens=PUBLISHED_TOKENS["mcqa"], thinking_tokens=0, generation="checkpoint"
    ),
    "oeg": Sampling(max_tokens=PUBLISHED_TOKENS["oeg"], thinking_tokens=0, generation="published"),
}
"""The published settings by protocol."""


def sampling_of(settings: Settings) -> Sampling:
    """Returns the settings of the model's requests. Raises UserError if they contradict."""
    written = settings.provider_settings
    sampling = Sampling(**{name: getattr(written, name) for name in declared(Sampling)})
    if sampling.generation == "greedy":
        return sampling
    fixed = {"temperature", "top_p", "top_k"}
    if sampling.generation == "published":
        fixed |= {"max_tokens", "thinking_tokens"}
    for name, one in declared(Sampling).items():
        if name in fixed and getattr(sampling, name) != one.default:
            raise UserError(
                f"{one.option} has no effect with --generation {sampling.generation}; leave one "
                "of them out"
            )
    if sampling.generation == "checkpoint":
        return sampling
    if settings.protocol not in PUBLISHED:
        raise UserError(
            f"--generation published: the paper has no settings for the protocol "
            f"{settings.protocol}; use --generation checkpoint"
        )
    return PUBLISHED[settings.protocol]


def temperature_of(manifest: Manifest) -> float | None:
    """Returns the temperature of a run's model; None if the API or the model decided."""
    sampling = sampling_of(manifest.settings)
    if sampling.generation == "greedy":
        return sampling.temperature
    known = (manifest.generation or {}).get("temperature")
    return float(known) if isinstance(known, int | float) else None


def judge_sampling(settings: Settings) -> Sampling:
    """Returns the settings of the judge's requests."""
    published = settings.provider_settings.generation == "published"
    return PUBLISHED["oeg"] if published else JUDGE_SAMPLING
