"""The arguments of `vllm serve`: those that follow from the settings, and those of the user."""

import re
from collections.abc import Mapping, Sequence

from proactive_agent.providers.base import ProviderOptions
from proactive_agent.providers.local.aliases import Source
from proactive_agent.tools import UserError

PARSERS: Mapping[str, str] = {
    "gemma4": "gemma4",
    "glm4v_moe": "glm45",
    "lfm2_vl": "lfm2",
    "mistral3": "mistral",
    "qwen2_vl": "hermes",
    "qwen2_5_vl": "hermes",
    "qwen3_5": "qwen3_coder",
    "qwen3_5_moe": "qwen3_coder",
    "qwen3_vl": "hermes",
    "qwen3_vl_moe": "hermes",
}
"""vLLM's parsers of tool calls by the `model_type` of a model. The chat template of a checkpoint
must show tools as well, which the provider checks when the server runs."""
PARSER = "tool-call-parser"
NO_PARSER = "none"
"""The value of the argument `tool-call-parser` that offers tools as text."""

_SETTINGS = {
    "trust-remote-code": "use --trust-remote-code",
    "revision": "use --revision",
    "dtype": "use --dtype",
    "model": "--provider names the model",
}
_OURS = (
    "host", "port", "uds", "api-key", "served-model-name", "root-path", "config", "headless",
    "grpc", "ssl-keyfile", "ssl-certfile", "ssl-ca-certs", "ssl-cert-reqs",
)  # fmt: skip
RESERVED = _SETTINGS | dict.fromkeys(_OURS, "the program sets it")
"""Arguments that users cannot set, and the reason. Beginnings of these names count as well."""

_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")
_SPLITS = ("tensor-parallel-size", "pipeline-parallel-size")
_SHORT = {"tp": "tensor-parallel-size", "pp": "pipeline-parallel-size", "dp": "data-parallel-size"}
_COPIES = "data-parallel-size"


def parse_engine_arguments(given: Sequence[str]) -> dict[str, str | None]:
    """Parses `NAME=VALUE`, or `NAME` for a flag, with or without dashes before the name.

    Raises UserError.
    """
    found: dict[str, str | None] = {}
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip().lstrip("-")
        if not _NAME.fullmatch(name):
            raise UserError(
                f"--engine-arg {text!r}: expected NAME=VALUE, for example max-model-len=8192, "
                "or the NAME of a flag"
            )
        # Only names of vLLM are written with dashes; keys of JSON arguments follow after a dot.
        first, dot, rest = name.partition(".")
        first = first.replace("_", "-")
        name = f"{_SHORT.get(first, first)}{dot}{rest}"
        reserved = next((one for one in RESERVED if one.startswith(first)), None)
        if reserved:
            raise UserError(f"--engine-arg {text!r} cannot be given: {RESERVED[reserved]}")
        if name in found:
            raise UserError(f"--engine-arg {name} is given twice")
        found[name] = value if equals else None
    return found


def arguments_of(source: Source, options: ProviderOptions, family: str, gpus: int) -> list[str]:
    """Returns the arguments of `vllm` for a model, without host and port. Raises UserError.

    `family` is the `model_type` of the model's configuration; empty if it is unknown. Each of the
    GPUs gets a copy of the model, unless the user splits the model over several.
    """
    given = parse_engine_arguments(options.engine_arg)
    own: dict[str, str | None] = {
        "served-model-name": source.shown,
        "enable-prompt-tokens-details": None,
    }
    if options.dtype != "auto":
        own["dtype"] = options.dtype
    if revision := options.revision or source.revision:
        own["revision"] = revision
    if options.trust_remote_code:
        own["trust-remote-code"] = None
    parser = given.pop(PARSER, None) or PARSERS.get(family, NO_PARSER)
    if parser != NO_PARSER:
        own |= {"enable-auto-tool-choice": None, PARSER: parser}
    if _COPIES not in given and (copies := gpus // _gpus_per_copy(given)) > 1:
        own[_COPIES] = str(copies)
    location = str(source.folder.resolve()) if source.folder else source.location
    written = (
        f"--{name}" if value is None else f"--{name}={value}"
        for name, value in {**own, **given}.items()
    )
    return ["serve", location, *written]


def _gpus_per_copy(given: Mapping[str, str | None]) -> int:
    each = 1
    for name in _SPLITS:
        value = given.get(name) or "1"
        each *= int(value) if value.isascii() and value.isdigit() else 1
    return max(1, each)
