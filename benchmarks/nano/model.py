"""The model: a ResNet and a small Llama in the FastVLM classes of transformers.

It has 2.6 million parameters. All classes come from transformers, so that a stranger can load
it without trusting code.
"""

from collections.abc import Iterable
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from proactive_agent.providers.local.chat import Chat

CELL = 16
"""Side of the square of pixels that becomes one image token."""
TOWER_WIDTHS = (48, 96, 192)
"""Channels of the three parts of the ResNet. Each part after the first halves the picture."""
WIDTH = 128
"""Width of the language model."""
LAYERS = 4
VOCABULARY = 1408
CONTEXT = 2048
"""Tokens of the longest conversation."""
MARK = "<image>"
END = "<eos>"
SPECIAL = ("<pad>", END, "<|user|>", "<|assistant|>", "<|system|>", MARK, "<unk>")
TEMPLATE = (
    "{%- for message in messages -%}{{- '<|' + message['role'] + '|>' -}}"
    "{%- if message['content'] is string -%}{{- message['content'] -}}{%- else -%}"
    "{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'image' -%}{{- '<image>' -}}"
    "{%- elif part['type'] == 'text' -%}{{- part['text'] -}}{%- endif -%}"
    "{%- endfor -%}{%- endif -%}"
    "{%- if message['role'] == 'assistant' -%}{{- '<eos>' -}}{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)


def tokens_per_picture(side: int) -> int:
    """Returns the number of image tokens of a picture of `side` x `side` pixels."""
    return int((side // CELL) ** 2)


def build_processor(texts: Iterable[str], side: int) -> Any:
    """Returns the processor. `texts` train the tokenizer; without texts, every byte is a token."""
    pairs = Tokenizer(models.BPE(unk_token="<unk>"))
    # A name gets the same tokens in a list of options and at the beginning of a reply.
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    pairs.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=2,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pairs.train_from_iterator(texts, trainer)
    fast: Any = transformers.PreTrainedTokenizerFast
    tokenizer = fast(
        tokenizer_object=pairs,
        pad_token="<pad>",
        eos_token=END,
        unk_token="<unk>",
        padding_side="left",
        additional_special_tokens=["<|user|>", "<|assistant|>", "<|system|>", MARK],
        model_max_length=CONTEXT,
    )
    kind: Any = transformers.LlavaProcessor
    return kind(
        image_processor=transformers.SiglipImageProcessor(
            size={"height": side, "width": side},
            image_mean=[0.5] * 3,
            image_std=[0.5] * 3,
            resample=2,  # bilinear
        ),
        tokenizer=tokenizer,
        patch_size=CELL,
        vision_feature_select_strategy="full",
        num_additional_image_tokens=0,
        chat_template=TEMPLATE,
    )


def chat_of(processor: Any) -> Chat:
    """Returns the renderer of prompts that the provider `local` uses."""
    return Chat(processor, TEMPLATE)


def build_model(processor: Any, side: int, seed: int) -> Any:
    """Returns the model with random weights."""
    tokenizer = processor.tokenizer
    tower: Any = transformers.ResNetConfig(
        embedding_size=TOWER_WIDTHS[0],
        hidden_sizes=list(TOWER_WIDTHS),
        depths=[2] * len(TOWER_WIDTHS),
        layer_type="basic",
    )
    tower.hidden_size = TOWER_WIDTHS[-1]  # FastVLM reads it; ResNet has no such field.
    # Above the default of 0.02: so small a model then learns much sooner to copy from its prompt.
    text = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=3 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        initializer_range=0.06,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(seed)
    model: Any = transformers.FastVlmForConditionalGeneration(
        transformers.FastVlmConfig(
            vision_config=tower,
            text_config=text,
            image_token_index=tokenizer.convert_tokens_to_ids(MARK),
            image_seq_length=tokens_per_picture(side),
            tie_word_embeddings=True,
        )
    )
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.bos_token_id = None
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    return model


def features_of(tower: Any, pictures: Any) -> Any:
    """Returns the features of pictures, (pictures, image tokens, channels).

    `pictures` has values from 0 to 1: (pictures, 3, side, side).
    """
    pixels = (pictures * 2 - 1).contiguous(memory_format=torch.channels_last)
    return tower(pixel_values=pixels).last_hidden_state.flatten(2).transpose(1, 2)
