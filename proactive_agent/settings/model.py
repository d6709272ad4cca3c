"""Settings of a model: generation, loading, and access to its API."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from proactive_agent.settings.agent_names import AGENT
from proactive_agent.settings.declaration import MOST, Departure, Heading, RunChoice, Setting

LOCAL = ("local",)
VLLM = ("vllm",)
API = ("openai", "anthropic", "litellm")

DEFAULT_THINKING_ROOM = 8192
"""Room for thinking, in tokens, of models that think, unless a setting says otherwise."""

Generation = Literal["greedy", "checkpoint", "published"]
"""The source of the settings of text generation. In a request, `published` means `checkpoint`, but
always with sampling."""

DTYPES = ("auto", "float32", "float16", "bfloat16")
"""Precisions of a model's weights."""

PUBLISHED_TOKENS = {"mcqa": 50, "oeg": 32_768}
"""New tokens of a reply in the paper, by protocol."""


def _other_generation(generation: str, run: RunChoice) -> bool:
    # In mcqa the paper generates by the checkpoint's own configuration.
    if generation == "checkpoint":
        return run.protocol == "oeg"
    return generation != "published"


def _other_limit(tokens: int, run: RunChoice) -> bool:
    if run.value("generation") == "published":
        return False
    return tokens != PUBLISHED_TOKENS.get(run.protocol, PUBLISHED_TOKENS["mcqa"])


Dollars = Annotated[float, Ge(0)]


@dataclass(frozen=True)
class Sampling:
    """Settings of text generation. Part of every request."""

    max_tokens: Annotated[
        int,
        Ge(1),
        Le(MOST),
        Setting(
            heading=Heading.MODEL,
            departure=Departure("at most {} new tokens, unlike the paper", _other_limit),
            metavar="N",
            help="Longest answer, in tokens. Thinking does not count; see --thinking-tokens.",
        ),
    ] = 512
    temperature: Annotated[
        float,
        Ge(0),
        Setting(
            heading=Heading.MODEL,
            departure=Departure("temperature {}", lambda value, run: value > 0),
            metavar="T",
            help="Sampling temperature; 0 takes the most likely token.",
        ),
    ] = 0.0
    thinking_tokens: Annotated[
        int | None,
        Ge(0),
        Le(MOST),
        Setting(
            heading=Heading.MODEL,
            departure=Departure(
                "tokens for thinking in addition to the new tokens", lambda value, run: bool(value)
            ),
            providers=(*LOCAL, *VLLM, *API),
            metavar="N",
            help="tokens for thinking, in addition to --max-tokens. Default: "
            f"{DEFAULT_THINKING_ROOM}, scaled by --reasoning; 0 for models that are known not to "
            "think. The chat template shows whether a local model thinks.",
        ),
    ] = None
    top_p: Annotated[
        float | None,
        Gt(0),
        Le(1),
        Setting(
            heading=Heading.MODEL,
            departure=Departure("top_p {}", lambda value, run: value is not None),
            providers=(*LOCAL, *VLLM, *API),
            metavar="P",
            help="sample only from the most likely tokens that have this probability together.",
        ),
    ] = None
    top_k: Annotated[
        int | None,
        Ge(1),
        Le(MOST),
        Setting(
            heading=Heading.MODEL,
            departure=Departure("top_k {}", lambda value, run: value is not None),
            providers=(*LOCAL, *VLLM, *API),
            metavar="K",
            help="sample only from the K most likely tokens.",
        ),
    ] = None
    generation: Annotated[
        Generation,
        Setting(
            heading=Heading.MODEL,
            departure=Departure("--generation {}, unlike the paper", _other_generation),
            providers=(*LOCAL, *VLLM, *API),
            help="Source of these settings. greedy: --temperature and the like. checkpoint: the "
            "checkpoint's own generation config, or "
            "an API's defaults. published: as in the paper; mcqa: like checkpoint, at most 50 "
            "tokens; oeg: sampling, at most 32768 tokens, and a judge that samples.",
        ),
    ] = "greedy"

    @property
    def varies(self) -> bool:
        """Whether repeated requests may have different replies."""
        return self.temperature > 0 or self.generation != "greedy"


@dataclass(frozen=True)
class LoadSettings:
    """Settings for loading or addressing a model. Each provider uses those that concern it."""

    dtype: Annotated[
        str,
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=(*LOCAL, *VLLM),
            for_judge="run",
            choices=DTYPES,
            help="Precision of the weights. auto: as stored, but float32 for float16 on a CPU.",
        ),
    ] = "auto"
    device: Annotated[
        str,
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=LOCAL,
            for_judge="run",
            help="cuda, cuda:1, mps, cpu; spread uses several GPUs.",
        ),
    ] = "auto"
    attention: Annotated[
        str | None,
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=LOCAL,
            for_judge="judge",
            option="--attn",
            help="attention implementation: sdpa, flash_attention_2, eager, …",
        ),
    ] = None
    quantize: Annotated[
        str | None,
        Setting(
            heading=Heading.MODEL,
            departure=Departure("weights quantized to {}", lambda value, run: value is not None),
            providers=LOCAL,
            for_judge="run",
            none="no",
            help="4bit or 8bit.",
        ),
    ] = None
    revision: Annotated[
        str | None,
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=(*LOCAL, *VLLM),
            for_judge="judge",
            help="branch, tag or commit of a Hub model.",
        ),
    ] = None
    batch_size: Annotated[
        int,
        Ge(1),
        Le(MOST),
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=LOCAL,
            for_judge="run",
            metavar="N",
            help="largest number of requests in one batch.",
        ),
    ] = 16
    template_options: Annotated[
        str | None,
        Setting(
            heading=Heading.MODEL,
            departure=Departure(
                "variables of the chat template ({})", lambda value, run: value is not None
            ),
            providers=(*LOCAL, *VLLM),
            for_judge="judge",
            metavar="JSON",
            help="variables for the chat template, for example '{\"enable_thinking\": false}'.",
        ),
    ] = None
    trust_remote_code: Annotated[
        bool,
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=(*LOCAL, *VLLM),
            for_judge="judge",
            help="run code from the model's repository.",
        ),
    ] = False
    engine_arg: Annotated[
        tuple[str, ...],
        Setting(
            heading=Heading.MODEL,
            departure=Departure("engine arguments {}", lambda value, run: bool(value)),
            providers=VLLM,
            for_judge="run",
            none="no",
            parameter="engine_arg",
            metavar="NAME=VALUE",
            help="argument of `vllm serve`, for example max-model-len=8192, or the NAME of a flag; "
            "repeat for several.",
        ),
    ] = ()
    pictures: Annotated[
        Literal["together", "separate"],
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=AGENT,
            help="together: results hold texts and pictures. separate: results hold texts, and "
            "`look` shows the picture; for clients that keep only one item of a result.",
        ),
    ] = "together"
    isolated: Annotated[
        Literal["yes", "no", "unknown"],
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=AGENT,
            help="states whether the agent is kept from reading the files of this machine. "
            "Recorded, and shown in every table (see examples/agents/Dockerfile).",
        ),
    ] = "unknown"
    agent_usage: Annotated[
        str | None,
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=AGENT,
            none="unknown",
            metavar="FILE",
            help="JSON file that the agent writes in its working directory, with its tokens and "
            "costs; - for its standard output.",
        ),
    ] = None
    agent_env: Annotated[
        tuple[str, ...],
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=AGENT,
            none="none",
            parameter="agent_env",
            metavar="NAME",
            help="environment variable that the agent gets, such as its API key; repeat for "
            "several. By default it gets only PATH, HOME and similar ones.",
        ),
    ] = ()
    api: Annotated[
        Literal["auto", "chat", "responses"],
        Setting(
            heading=Heading.API,
            departure=None,
            providers=("openai",),
            for_judge="judge",
            help="Chat Completions or Responses. auto: Responses for reasoning models.",
        ),
    ] = "auto"
    reasoning: Annotated[
        str | None,
        Setting(
            heading=Heading.API,
            departure=Departure("reasoning effort {}", lambda value, run: value is not None),
            providers=(*API, *VLLM),
            for_judge="judge",
            choices=("none", "minimal", "low", "medium", "high", "xhigh", "max"),
            help="How much the model thinks. Models differ in the levels that they accept.",
        ),
    ] = None
    extra_body: Annotated[
        str | None,
        Setting(
            heading=Heading.API,
            departure=Departure(
                "further fields of each request ({})", lambda value, run: value is not None
            ),
            providers=(*API, *VLLM),
            for_judge="judge",
            none="no",
            metavar="JSON",
            help="JSON object with further fields of each request, for example the provider "
            "routing of OpenRouter or vLLM's chat_template_kwargs.",
        ),
    ] = None
    header: Annotated[
        tuple[str, ...],
        Setting(
            heading=Heading.API,
            departure=None,
            providers=API,
            for_judge="judge",
            none="no",
            parameter="header",
            metavar="NAME=VALUE",
            help="Further HTTP header; repeat for several. '$VARIABLE' in the value is read from "
            "the environment and recorded by name only.",
        ),
    ] = ()
    api_seed: Annotated[
        int | None,
        Ge(0),
        Le(MOST),
        Setting(
            heading=Heading.API,
            departure=None,
            providers=("openai", "litellm"),
            metavar="N",
            help="Seed that is sent with every request, for APIs that have one. Default: above "
            "temperature 0, a seed per turn that is derived from --seed.",
        ),
    ] = None
    image_detail: Annotated[
        Literal["auto", "low", "high", "original"] | None,
        Setting(
            heading=Heading.API,
            departure=Departure("image detail {}", lambda value, run: value is not None),
            providers=("openai", "litellm"),
            help="Detail in which the API reads a picture. Default: the API decides.",
        ),
    ] = None
    image_size: Annotated[
        int,
        Ge(16),
        Le(MOST),
        Setting(
            heading=Heading.API,
            departure=Departure("pictures scaled to at most {} pixels", lambda value, run: True),
            providers=(*API, *VLLM, *AGENT),
            metavar="PIXELS",
            help="Longest edge of a picture that is sent.",
        ),
    ] = 1568
    image_quality: Annotated[
        int,
        Ge(1),
        Le(100),
        Setting(
            heading=Heading.API,
            departure=Departure(
                "pictures that are encoded again have quality {}", lambda value, run: value < 100
            ),
            providers=(*API, *VLLM, *AGENT),
            metavar="N",
            help="Compression of a picture that is encoded again; 100 keeps the most detail.",
        ),
    ] = 90
    image_format: Annotated[
        Literal["original", "jpeg", "webp"],
        Setting(
            heading=Heading.API,
            departure=Departure(
                "all pictures encoded again as {}", lambda value, run: value != "original"
            ),
            providers=(*API, *VLLM, *AGENT),
            help="Format of a picture that is sent. original: JPEG and PNG files are sent as they "
            "are if they need no crop or scaling and hold no metadata (EXIF data, profile, "
            "comment) and no transparency; others are encoded as JPEG.",
        ),
    ] = "original"


@dataclass(frozen=True)
class ApiLimits:
    """Rate limits, time limits, price and workers of a model. They change no reply."""

    rpm: Annotated[
        float | None,
        Gt(0),
        Setting(
            heading=Heading.API,
            departure=None,
            providers=API,
            for_judge="run",
            metavar="N",
            help="Requests per minute.",
        ),
    ] = None
    tpm: Annotated[
        float | None,
        Gt(0),
        Setting(
            heading=Heading.API,
            departure=None,
            providers=API,
            for_judge="run",
            metavar="N",
            help="Tokens per minute, input and output.",
        ),
    ] = None
    timeout: Annotated[
        float,
        Gt(0),
        Setting(
            heading=Heading.API,
            departure=None,
            providers=(*API, *VLLM),
            for_judge="run",
            metavar="SECONDS",
            help="Time after which a request is abandoned and sent again.",
        ),
    ] = 600.0
    start_timeout: Annotated[
        float,
        Gt(0),
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=(*VLLM, *LOCAL),
            for_judge="run",
            metavar="SECONDS",
            help="Time for a vLLM server, or for workers, to load the model, a download included.",
        ),
    ] = 1800.0
    batch_api: Annotated[
        bool,
        Setting(
            heading=Heading.API,
            departure=None,
            providers=("openai", "anthropic"),
            for_judge="run",
            help="Half price: submit all requests of a turn together to the batch API, which may "
            "take a day for each turn. Ctrl-C leaves the batches running; they are read when you "
            "continue.",
        ),
    ] = False
    workers: Annotated[
        int | None,
        Ge(1),
        Le(10_000),
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=LOCAL,
            for_judge="run",
            metavar="N",
            help="number of copies of the model, each in a process of Ray on this machine. "
            "Default: none; with several GPUs, one copy per GPU if the model fits.",
        ),
    ] = None
    ray: Annotated[
        str | None,
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=LOCAL,
            for_judge="run",
            metavar="ADDRESS",
            help="address of a Ray cluster for the workers, HOST:PORT, or auto on one of its "
            "machines. By default, there are as many workers as its GPUs allow.",
        ),
    ] = None
    gpus_per_worker: Annotated[
        int | None,
        Ge(0),
        Le(1000),
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=LOCAL,
            for_judge="run",
            metavar="N",
            help="number of GPUs over which a worker spreads its copy. Default: 1 if there are "
            "GPUs.",
        ),
    ] = None
    episode_timeout: Annotated[
        float,
        Gt(0),
        Setting(
            heading=Heading.MODEL,
            departure=None,
            providers=AGENT,
            metavar="SECONDS",
            help="longest time for an episode; a longer episode is an error.",
        ),
    ] = 600.0
    price: Annotated[
        tuple[Dollars, Dollars] | None,
        Setting(
            heading=Heading.API,
            departure=None,
            providers=API,
            for_judge="judge",
            metavar="IN,OUT",
            help="Dollars per million tokens, in a batch if requests go to the batch API. Default: "
            "litellm's price list.",
        ),
    ] = None


@dataclass(frozen=True)
class ApiAccess(ApiLimits):
    """Settings of the access to an API. They affect when replies arrive, never their content."""

    cache: Annotated[
        str | None,
        Setting(
            heading=Heading.API,
            departure=None,
            providers=API,
            for_judge="run",
            path="folder",
            metavar="DIR",
            help="Folder for replies. A repeated request is answered from it and costs nothing.",
        ),
    ] = None
    tries: int = 7
    """Highest number of times that a request is sent."""
    first_wait: float = 1.0
    """Seconds between the first two tries; doubles after each further try."""
    patience: float = 300.0
    """Upper limit of all waits of one request together, in seconds."""
