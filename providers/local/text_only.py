"""Models that take no pictures: they cannot play, but they can judge.

Their tokenizer stands where others have a processor, and their chat templates want the content of a
message as a text, not as parts.
"""

from typing import Any


def is_text_only(config: Any) -> bool:
    """Whether a model of this configuration takes texts alone."""
    hf = _transformers()
    brought = getattr(config, "auto_map", None) or {}
    if type(config) in hf.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        return False
    if "AutoModelForImageTextToText" in brought:
        return False
    return type(config) in hf.MODEL_FOR_CAUSAL_LM_MAPPING or "AutoModelForCausalLM" in brought


def model_class(config: Any) -> Any:
    """What loads a model of this configuration."""
    hf = _transformers()
    return hf.AutoModelForCausalLM if is_text_only(config) else hf.AutoModelForImageTextToText


def as_processor(loaded: Any) -> Any:
    """What `AutoProcessor` loaded; a bare tokenizer in the form of a processor."""
    bare = isinstance(loaded, _transformers().PreTrainedTokenizerBase)
    return TextProcessor(loaded) if bare else loaded


class TextProcessor:
    """A tokenizer in the place of a processor."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    @property
    def chat_template(self) -> Any:
        """As the tokenizer has it."""
        return self.tokenizer.chat_template

    def apply_chat_template(self, turns: list[dict[str, Any]], **options: Any) -> Any:
        """As a processor does."""
        return self.tokenizer.apply_chat_template(turns, **options)

    def __call__(self, *, text: list[str], images: None, **options: Any) -> Any:
        """Tokens, in a form that moves to a device like a processor's."""
        return _transformers().BatchFeature(dict(self.tokenizer(text, **options)))


def _transformers() -> Any:
    # Its annotations are partial, and differ from release to release.
    import transformers

    return transformers
