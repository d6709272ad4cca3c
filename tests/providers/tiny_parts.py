"""The parts of tiny models: a byte tokenizer, and the sizes of text and vision towers."""

from collections.abc import Mapping, Sequence
from typing import Any

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers


def byte_tokenizer(
    special: Sequence[str] = (),
    *,
    eos: str = "</s>",
    plain: Sequence[str] = (),
    named: Mapping[str, str] | None = None,
) -> transformers.PreTrainedTokenizerFast:
    """A tokenizer that knows bytes and marks.

    `special` marks are special tokens, `plain` ones are single tokens that are not special, and
    `named` ones are attributes of the tokenizer, such as `image_token`.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate(["<pad>", "<s>", "</s>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    more: dict[str, Any] = {"extra_special_tokens": dict(named)} if named else {}
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        model_max_length=4096,
        **more,
    )
    if special:
        fast.add_special_tokens({"additional_special_tokens": list(special)})
    if plain:
        fast.add_tokens(list(plain))
    fast.eos_token = eos
    return fast


def text_config(tokenizer: Any, **more: Any) -> dict[str, Any]:
    """The configuration of a language model with two small layers."""
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        **more,
    }


def vision_config(**more: Any) -> dict[str, Any]:
    """The configuration of a vision tower with one small layer, for pictures of 28 by 28 pixels."""
    return {
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 28,
        "patch_size": 14,
        **more,
    }
