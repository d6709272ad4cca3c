"""Text-only models, which cannot be evaluated but can be judges.

They have a tokenizer instead of a processor. Their chat templates expect the content of a message
as a string instead of a list of parts.
"""

from typing import Any


def is_text_only(config: Any) -> bool:
    """Whether a model with this configuration accepts only text."""
    hf = _transformers()
    if _sees(config):
        return False
    brought = getattr(config, "auto_map", None) or {}
    return type(config) in hf.MODEL_FOR_CAUSAL_LM_MAPPING or "AutoModelForCausalLM" in brought


def model_class(config: Any) -> Any:
    """The transformers class that loads a model with this configuration."""
    hf = _transformers()
    if type(config) in hf.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        return hf.AutoModelForImageTextToText
    # Some models with vision, such as Phi-4-multimodal, are causal models to transformers.
    causal = type(config) in hf.MODEL_FOR_CAUSAL_LM_MAPPING or is_text_only(config)
    return hf.AutoModelForCausalLM if causal else hf.AutoModelForImageTextToText


def _sees(config: Any) -> bool:
    hf = _transformers()
    brought = getattr(config, "auto_map", None) or {}
    if type(config) in hf.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        return True
    # A multimodal model of transformers may accept sound but no pictures.
    sub_configs = getattr(config, "sub_configs", None) or {}
    return "vision_config" in sub_configs or "AutoModelForImageTextToText" in brought


def as_processor(loaded: Any) -> Any:
    """Wraps the result of `AutoProcessor` in a TextProcessor if it is a bare tokenizer."""
    bare = isinstance(loaded, _transformers().PreTrainedTokenizerBase)
    return TextProcessor(loaded) if bare else loaded


class TextProcessor:
    """A tokenizer with the interface of a processor."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    @property
    def chat_template(self) -> Any:
        """The template of the tokenizer."""
        return self.tokenizer.chat_template

    def apply_chat_template(self, turns: list[dict[str, Any]], **options: Any) -> Any:
        """Renders a conversation, like the method of a processor."""
        return self.tokenizer.apply_chat_template(turns, **options)

    def __call__(self, *, text: list[str], images: None, **options: Any) -> Any:
        """Tokenizes texts. The result can be moved to a device, like that of a processor."""
        return _transformers().BatchFeature(dict(self.tokenizer(text, **options)))


def _transformers() -> Any:
    # Typed as Any: the annotations of transformers are partial and change between releases.
    import transformers

    return transformers
