"""Loads a model and its processor according to the options."""

import importlib.util
import os
from dataclasses import dataclass
from typing import Any

import huggingface_hub.utils
import torch
import transformers

from proactive_agent.providers.base import ProviderOptions
from proactive_agent.providers.local.adapters import (
    VISION_ADAPTERS,
    base_of,
    with_adapter,
    with_vision_adapter,
)
from proactive_agent.providers.local.aliases import Source
from proactive_agent.providers.local.templates import template_of
from proactive_agent.providers.local.text_only import as_processor, model_class
from proactive_agent.settings.model import DTYPES
from proactive_agent.tools import MissingExtraError, UserError

# The type annotations of these libraries are partial and change between releases.
_hf: Any = transformers
_hub: Any = huggingface_hub.utils

QUANTIZATIONS = ("4bit", "8bit")
SPREAD = "spread"
"""The device option that spreads a model over all GPUs (`device_map="auto"`)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to generate."""

    model: Any
    processor: Any
    template: str
    device: str
    """Description of the device, for the manifest."""
    family: str = ""
    """The `model_type` of the model's configuration."""
    changes: tuple[str, ...] = ()
    """Settings of the checkpoint's processor that were changed, in words."""


def load(source: Source, options: ProviderOptions, *, placed: bool = True) -> Loaded:
    """Loads a model from a folder or the hub. Raises UserError if loading fails.

    With `placed=False` the model stays on the device where PyTorch creates it; a trainer moves it.
    """
    _be_quiet()
    arguments = _model_arguments(options)
    if not placed:
        arguments["device_map"] = None
    common: dict[str, Any] = {
        "revision": options.revision or source.revision or "main",
        "trust_remote_code": options.trust_remote_code,
        "local_files_only": source.folder is not None,
    }
    name = f"local:{source.location}"
    base = base_of(source.folder) if source.folder else None
    weights, from_weights = source, common
    if base:
        weights = base.source
        from_weights = common | {
            "revision": base.revision or "main",
            "local_files_only": weights.folder is not None,
        }
    try:
        config = _hf.AutoConfig.from_pretrained(weights.location, **from_weights)
        processor = as_processor(_hf.AutoProcessor.from_pretrained(source.location, **common))
        if _is_slow(config, arguments):
            arguments["dtype"] = "float32"
        model = model_class(config).from_pretrained(weights.location, **from_weights, **arguments)
        if base and source.folder:
            model = with_adapter(model, source.folder, merged=not options.quantize)
        elif subfolder := VISION_ADAPTERS.get(config.model_type):
            model = with_vision_adapter(
                model, weights.location, subfolder, merged=not options.quantize, **from_weights
            )
    except UserError:
        raise
    except Exception as error:
        raise _explained(error, name, options) from error
    return Loaded(
        model.eval(),
        processor,
        template=template_of(processor, config.model_type, name),
        device=_shown(arguments["device_map"]) if placed else str(model.device),
        family=config.model_type,
        changes=_set_up_processor(processor, config.model_type),
    )


def versions() -> dict[str, str]:
    """Versions of the libraries that generate replies, by name."""
    return {"torch": torch.__version__, "transformers": transformers.__version__}


def _is_slow(config: Any, arguments: dict[str, Any]) -> bool:
    """Returns whether a CPU would compute with the checkpoint's own half precision."""
    device = arguments["device_map"]
    on_cpu = isinstance(device, dict) and device[""].type == "cpu"
    return on_cpu and arguments["dtype"] == "auto" and config.dtype == torch.float16


def _model_arguments(options: ProviderOptions) -> dict[str, Any]:
    if options.dtype not in DTYPES:
        raise UserError(f"dtype {options.dtype!r} is not one of {', '.join(DTYPES)}")
    arguments: dict[str, Any] = {"dtype": options.dtype, "device_map": _device_map(options.device)}
    if options.attention:
        arguments["attn_implementation"] = options.attention
    if options.quantize:
        arguments["quantization_config"] = _quantization(options.quantize)
    return arguments


def _device_map(device: str) -> str | dict[str, torch.device]:
    gpus = torch.cuda.device_count()
    if device == SPREAD or (device == "auto" and gpus > 1):
        return "auto"
    if device == "auto":
        mps = torch.backends.mps.is_available()
        return {"": torch.device("cuda" if gpus else "mps" if mps else "cpu")}
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise UserError(
            f"device {device!r} is not one of auto, {SPREAD}, cpu, mps, cuda, cuda:0, …"
        ) from None
    missing_gpu = chosen.type == "cuda" and (chosen.index or 0) >= gpus
    if missing_gpu or (chosen.type == "mps" and not torch.backends.mps.is_available()):
        raise UserError(f"device {device!r}: PyTorch does not find this device on this machine")
    return {"": chosen}


def _shown(device_map: str | dict[str, torch.device]) -> str:
    if isinstance(device_map, str):
        gpus = (torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
        return f"{SPREAD}: {', '.join(gpus) or 'cpu'}"
    device = device_map[""]
    return (
        f"{device}: {torch.cuda.get_device_name(device)}" if device.type == "cuda" else str(device)
    )


def _quantization(name: str) -> Any:
    if name not in QUANTIZATIONS:
        raise UserError(f"quantize {name!r} is not one of {', '.join(QUANTIZATIONS)}")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtraError("quantize", f"quantize {name}")
    return _hf.BitsAndBytesConfig(
        load_in_4bit=name == "4bit",
        load_in_8bit=name == "8bit",
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _set_up_processor(processor: Any, model_type: str) -> tuple[str, ...]:
    """Changes settings of a processor; returns the changes in words."""
    changes = []
    if model_type == "idefics2" and processor.image_processor.do_image_splitting:
        # Splitting takes five times the image tokens, for details that these scenes do not need.
        processor.image_processor.do_image_splitting = False
        changes.append("do_image_splitting: false instead of true")
    if hasattr(processor, "qformer_tokenizer"):
        # A text that is too long is cut at its end; padding must not shift what is kept.
        processor.qformer_tokenizer.padding_side = "right"
        changes.append("the Q-Former reads the beginning of a text that is too long for it")
    return tuple(changes)


def _be_quiet() -> None:
    if "TRANSFORMERS_VERBOSITY" not in os.environ:
        _hf.logging.set_verbosity_error()
    # Progress bars of downloads (minutes) stay visible; those of loading (seconds) do not.
    shown = not _hub.are_progress_bars_disabled()
    _hf.logging.disable_progress_bar()
    if shown:
        _hub.enable_progress_bars()


def _explained(error: Exception, name: str, options: ProviderOptions) -> UserError:
    """Shortens an error of transformers, often several paragraphs, to one line with advice."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else type(error).__name__
    if "trust_remote_code" in str(error):
        return UserError(
            f"{name} is loaded by code in its repository, which is not run unasked; "
            "read that code, then add --trust-remote-code"
        )
    if isinstance(error, ImportError) and not options.attention:
        return MissingExtraError("local", f"{name} ({said})")
    if "connect" in said:
        said += " Without a network connection, name the folder of a downloaded model."
    if "out of memory" in said:
        said += " Try --dtype bfloat16, --quantize or --device spread."
    expected = isinstance(error, (OSError, ValueError, ImportError))
    return UserError(f"{name}: {said}" if expected else f"{name}: {type(error).__name__}: {said}")
