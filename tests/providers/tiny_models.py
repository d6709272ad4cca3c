"""Tiny models of four architectures and InstructBLIP, built from configurations.

They have some tens of thousands of random weights, and tokenizers of bytes and special tokens.
Everything else (processors, chat templates, files on disk) is like that of the real models.
"""

import atexit
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

from tests.providers import tiny_templates as templates
from tests.providers.tiny_families import FAMILIES
from tests.providers.tiny_parts import byte_tokenizer, text_config, vision_config

KINDS = ("idefics2", "smolvlm", "llava_onevision", "qwen2_5_vl")
INSTRUCTBLIP = "instructblip"
NATIVE_TOOLS = "qwen2_5_vl_tools"
"""Like `qwen2_5_vl`, with a chat template that supports tools, like that of Qwen3-VL."""
TEXT_ONLY = "qwen3"
"""A text-only model that thinks before it answers."""

_ROOT = tempfile.TemporaryDirectory(prefix="tiny-models-")
atexit.register(_ROOT.cleanup)


@functools.cache
def folder(kind: str) -> Path:
    """The folder of a model of this kind, made once per test run."""
    path = Path(_ROOT.name) / kind
    builders: dict[str, Callable[[], tuple[Any, Any]]] = {
        "idefics2": _idefics2,
        "smolvlm": _smolvlm,
        "llava_onevision": _llava_onevision,
        "qwen2_5_vl": qwen2_5_vl,
        INSTRUCTBLIP: _instructblip,
        NATIVE_TOOLS: lambda: qwen2_5_vl(templates.CHATML_WITH_TOOLS),
        TEXT_ONLY: _qwen3,
        **FAMILIES,
    }
    torch.manual_seed(0)
    model, processor = builders[kind]()
    tokenizer = getattr(processor, "tokenizer", processor)
    # The initial weights are larger than usual, so that the output depends on the input.
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = [tokenizer.eos_token_id]
    # Flags of real models.
    model.generation_config.do_sample = True
    model.generation_config.temperature = 0.1
    model.generation_config.top_k = 1
    transformers.logging.disable_progress_bar()
    model.save_pretrained(path)
    processor.save_pretrained(path)
    return path


def _idefics2() -> tuple[Any, Any]:
    images = transformers.Idefics2ImageProcessor(
        do_image_splitting=True, size={"shortest_edge": 28, "longest_edge": 56}
    )
    # Without a chat template, like `idefics2-8b-chatty`.
    processor = transformers.Idefics2Processor(images, byte_tokenizer(), image_seq_len=4)
    tokenizer: Any = processor.tokenizer
    perceiver = {
        "hidden_size": 32,
        "resampler_n_latents": 4,
        "resampler_depth": 1,
        "resampler_n_heads": 2,
        "num_key_value_heads": 1,
        "resampler_head_dim": 8,
    }
    config = transformers.Idefics2Config(
        image_token_id=processor.image_token_id,
        vision_config=vision_config(image_size=56),
        perceiver_config=perceiver,
        text_config=text_config(tokenizer, model_type="mistral"),
    )
    return transformers.Idefics2ForConditionalGeneration(config), processor


def _smolvlm() -> tuple[Any, Any]:
    grid = [f"<row_{row}_col_{column}>" for row in range(1, 4) for column in range(1, 4)]
    marks = [
        "<fake_token_around_image>",
        "<image>",
        "<video>",
        "<global-img>",
        "<end_of_utterance>",
    ]
    tokenizer = byte_tokenizer([*marks, *grid], eos="<end_of_utterance>")
    size = {"size": {"longest_edge": 56}, "max_image_size": {"longest_edge": 28}}
    processor = transformers.SmolVLMProcessor(
        transformers.SmolVLMImageProcessor(**size),
        tokenizer,
        transformers.SmolVLMVideoProcessor(**size),
        image_seq_len=4,
        chat_template=templates.USER_COLON,
    )
    config = transformers.SmolVLMConfig(
        vision_config=vision_config(patch_size=7),
        text_config=text_config(tokenizer, model_type="llama"),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
    )
    return transformers.SmolVLMForConditionalGeneration(config), processor


def _llava_onevision() -> tuple[Any, Any]:
    tokenizer = byte_tokenizer(
        ["<|im_start|>", "<|im_end|>", "<image>", "<video>"], eos="<|im_end|>"
    )
    size = {"height": 28, "width": 28}
    grid = [[28, 28], [28, 56], [56, 28], [56, 56]]
    processor = transformers.LlavaOnevisionProcessor(
        transformers.LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=grid),
        tokenizer,
        transformers.LlavaOnevisionVideoProcessor(size=size),
        num_image_tokens=4,
        vision_feature_select_strategy="full",
        chat_template=templates.IMAGES_FIRST,
    )
    vision = vision_config(
        model_type="siglip_vision_model", num_hidden_layers=2, vision_use_head=False
    )
    config = transformers.LlavaOnevisionConfig(
        vision_config=vision,
        text_config=text_config(tokenizer, model_type="qwen2"),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=grid,
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
    )
    return transformers.LlavaOnevisionForConditionalGeneration(config), processor


def qwen2_5_vl(template: str = templates.CHATML) -> tuple[Any, Any]:
    """Builds a model of this kind and its processor in memory."""
    vision_marks = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    tokenizer = byte_tokenizer(["<|im_start|>", "<|im_end|>", *vision_marks], eos="<|im_end|>")
    # Not special, as in the real ones.
    tokenizer.add_tokens(["<tool_call>", "</tool_call>", "<think>", "</think>"])
    images = transformers.Qwen2VLImageProcessor(
        patch_size=14,
        merge_size=2,
        temporal_patch_size=2,
        min_pixels=28 * 28,
        max_pixels=28 * 28 * 4,
    )
    processor = transformers.Qwen2_5_VLProcessor(
        images, tokenizer, transformers.Qwen2VLVideoProcessor(), chat_template=template
    )
    vision = {
        "depth": 1,
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_heads": 2,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "out_hidden_size": 64,
        "window_size": 56,
        "fullatt_block_indexes": [0],
    }
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 6, 6]}
    start, end, image, video = (tokenizer.convert_tokens_to_ids(mark) for mark in vision_marks)
    config = transformers.Qwen2_5_VLConfig(
        vision_config=vision,
        # vLLM has no attention kernel for heads that are smaller than 32.
        text_config=text_config(
            tokenizer,
            hidden_size=64,
            num_attention_heads=2,
            rope_parameters=rope,
        ),
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )
    return transformers.Qwen2_5_VLForConditionalGeneration(config), processor


def _qwen3() -> tuple[Any, Any]:
    tokenizer = byte_tokenizer(["<|im_start|>", "<|im_end|>"], eos="<|im_end|>")
    tokenizer.add_tokens(["<think>", "</think>"])  # not special, as in the real one
    tokenizer.chat_template = templates.CHATML_TEXTS
    config = transformers.Qwen3Config(
        **text_config(tokenizer, head_dim=8, tie_word_embeddings=False)
    )
    return transformers.Qwen3ForCausalLM(config), tokenizer


def _instructblip() -> tuple[Any, Any]:
    images = transformers.BlipImageProcessor(size={"height": 28, "width": 28})
    queries = byte_tokenizer()
    # Without a chat template, like the real model.
    processor = transformers.InstructBlipProcessor(
        images, byte_tokenizer(), queries, num_query_tokens=4
    )
    tokenizer: Any = processor.tokenizer
    queries_config = {
        "vocab_size": len(queries),
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "encoder_hidden_size": 32,
    }
    config = transformers.InstructBlipConfig(
        vision_config=vision_config(),
        qformer_config=queries_config,
        text_config=text_config(tokenizer, model_type="llama"),
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    return transformers.InstructBlipForConditionalGeneration(config), processor
