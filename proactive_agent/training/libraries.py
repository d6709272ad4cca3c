"""The libraries that a training needs, asked for before anything is read."""

import importlib.util

from proactive_agent.tools import MissingExtraError, UserError
from proactive_agent.training.settings import TrainSettings

_PACKAGES = {"azure_ml": "azureml-sdk", "comet_ml": "comet-ml", "flyte": "flytekit"}
"""Where a package is not called as what it reports to."""
_NO_LIBRARY = ("all", "none")
"""Names that the trainers take in the place of a library: those that are there, and no one."""


def need_libraries(settings: TrainSettings) -> None:
    """Raises UserError naming the first one that is missing, and how to install it."""
    try:
        import accelerate
        import datasets
        import peft
        import transformers
        import trl
    except ImportError as error:
        raise MissingExtraError("train", f"train ({error.name} is not installed)") from None
    del accelerate, datasets, peft, transformers, trl
    if settings.vllm and not _is_there("vllm"):
        raise _missing("vllm", "'trl[vllm]'")
    if settings.deepspeed and not _is_there("deepspeed"):
        raise _missing("deepspeed", "deepspeed")
    for name in settings.report_to:
        if name not in _NO_LIBRARY:
            _need_reporter(name)


def _need_reporter(name: str) -> None:
    """The trainers only find out once they are made."""
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    if name not in INTEGRATION_TO_CALLBACK:
        known = ", ".join(sorted(INTEGRATION_TO_CALLBACK))
        raise UserError(f"--report-to: {name!r} is none of {known}")
    try:
        INTEGRATION_TO_CALLBACK[name]()
    except (ImportError, RuntimeError):
        raise _missing(f"report-to {name}", _PACKAGES.get(name, name)) from None


def _is_there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _missing(option: str, package: str) -> UserError:
    return UserError(f"--{option} needs a library that is not installed: pip install {package}")
