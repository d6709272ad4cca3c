"""The size of a model's weights, computed from its configuration before they are loaded."""

import logging
from typing import Any

import torch
import transformers

from proactive_agent.providers.base import ProviderOptions
from proactive_agent.providers.local.adapters import base_of
from proactive_agent.providers.local.aliases import Source
from proactive_agent.providers.local.text_only import model_class

_hf: Any = transformers
_log = logging.getLogger(__name__)

QUANTIZED_BYTES = {"4bit": 0.75, "8bit": 1.25}
"""Bytes per weight. Some layers are not quantized."""


def weight_bytes(source: Source, options: ProviderOptions) -> int | None:
    """Returns the bytes of the weights in memory; None if the model cannot be built.

    Builds the model without memory for its weights. Reads its configuration only.
    """
    base = base_of(source.folder) if source.folder else None
    weights = base.source if base else source
    common: dict[str, Any] = {
        "revision": (base.revision if base else options.revision or source.revision) or "main",
        "trust_remote_code": options.trust_remote_code,
    }
    try:
        config = _hf.AutoConfig.from_pretrained(
            weights.location, local_files_only=weights.folder is not None, **common
        )
        with torch.device("meta"):
            model = model_class(config).from_config(
                config, trust_remote_code=options.trust_remote_code
            )
        count = sum(parameter.numel() for parameter in model.parameters())
    except Exception as error:  # Loading the model will explain it.
        _log.info("local:%s: its size is unknown (%s)", source.shown, error)
        return None
    each = QUANTIZED_BYTES.get(options.quantize or "")
    return int(count * (each or _dtype(config, options).itemsize))


def _dtype(config: Any, options: ProviderOptions) -> torch.dtype:
    chosen = getattr(torch, options.dtype, None) if options.dtype != "auto" else None
    chosen = chosen or getattr(config, "dtype", None)
    return chosen if isinstance(chosen, torch.dtype) else torch.float32
