"""A LLaVA model of 1.6 million parameters with random weights and a whole-word tokenizer."""

import re
from collections.abc import Iterable
from typing import Any

SIDE = 48
PATCH = 12
"""`SIDE` and `PATCH` are in pixels."""
PATCHES = (SIDE // PATCH) ** 2
WIDTH = 128
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>", "<image>")
TEMPLATE = (
    "{%- for message in messages -%}{%- if message['role'] == 'user' -%}{{- '<s>' }}"
    "{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'image' %}{{ '<image> ' }}{% else %}{{ part['text'] }}{% endif -%}"
    "{%- endfor -%}{{- '<s>' }}"
    "{%- else -%}{{- message['content'][0]['text'] + '</s>' }}{%- endif -%}{%- endfor -%}"
)
"""Puts `<s>` before and after the user's message."""
_WORD = re.compile(r"\w+|[^\w\s]")


def tokenizer_of(texts: Iterable[str]) -> Any:
    """Returns a tokenizer with one token per word and punctuation mark of the texts."""
    import transformers
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    words = sorted({word for text in texts for word in _WORD.findall(text)})
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *words])}
    words_only = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words_only.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\s+"), "removed"),
            pre_tokenizers.Split(Regex(r"[^\w\s]"), "isolated"),
        ]
    )
    fast: Any = transformers.PreTrainedTokenizerFast
    return fast(
        tokenizer_object=words_only,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        additional_special_tokens=["<image>"],
        padding_side="left",
        model_max_length=512,
    )


def build(texts: Iterable[str], seed: int) -> tuple[Any, Any]:
    """Returns a model with random weights and its processor. `texts` define the vocabulary."""
    import torch
    import transformers

    tokenizer = tokenizer_of(texts)
    kind: Any = transformers.LlavaProcessor
    processor = kind(
        transformers.LlavaImageProcessor(
            do_pad=True, size={"height": SIDE, "width": SIDE}, do_center_crop=False
        ),
        tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=TEMPLATE,
    )
    vision = transformers.CLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=3 * WIDTH,
        num_hidden_layers=6,
        num_attention_heads=4,
        image_size=SIDE,
        patch_size=PATCH,
    )
    # Above the default of 0.02: so small a model then learns much sooner to copy from its prompt.
    text = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        initializer_range=0.06,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    config = transformers.LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_select_strategy="default",
        vision_feature_layer=-1,
        image_seq_length=PATCHES,
        tie_word_embeddings=True,
    )
    torch.manual_seed(seed)
    model = transformers.LlavaForConditionalGeneration(config)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    return model, processor
