"""Tiny models of further families; each function returns a model and its processor, in memory.

See `tiny_models`, which saves them, for what is real about them and what is not.
"""

from collections.abc import Callable, Mapping
from typing import Any

import transformers

from tests.providers import tiny_templates as templates
from tests.providers.tiny_parts import byte_tokenizer, text_config, vision_config

Built = tuple[Any, Any]

_SQUARE = {"height": 28, "width": 28}
_GRID = [[28, 28], [28, 56], [56, 28], [56, 56]]


def llava() -> Built:
    """LLaVA-1.5: a picture has a fixed number of tokens."""
    tokenizer = byte_tokenizer(["<image>"])
    processor = transformers.LlavaProcessor(
        transformers.CLIPImageProcessor(size={"shortest_edge": 28}, crop_size=_SQUARE),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=templates.USER_ASSISTANT,
    )
    config = transformers.LlavaConfig(
        vision_config=vision_config(model_type="clip_vision_model", num_hidden_layers=2),
        text_config=text_config(tokenizer, model_type="llama"),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=4,
    )
    return transformers.LlavaForConditionalGeneration(config), processor


def llava_next(language: str, template: str) -> Built:
    """LLaVA-NeXT: a picture is cut into tiles; `language` is the type of the language model."""
    tokenizer = byte_tokenizer(["<image>"])
    processor = transformers.LlavaNextProcessor(
        transformers.LlavaNextImageProcessor(
            size={"shortest_edge": 28}, crop_size=_SQUARE, image_grid_pinpoints=_GRID
        ),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=template,
    )
    config = transformers.LlavaNextConfig(
        vision_config=vision_config(model_type="clip_vision_model", num_hidden_layers=2),
        text_config=text_config(tokenizer, model_type=language),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        image_grid_pinpoints=_GRID,
        image_seq_length=4,
    )
    return transformers.LlavaNextForConditionalGeneration(config), processor


def idefics3() -> Built:
    """Idefics3: a picture is split into tiles with their rows and columns named."""
    grid = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    marks = ["<fake_token_around_image>", "<image>", "<global-img>", "<end_of_utterance>"]
    tokenizer = byte_tokenizer([*marks, *grid])
    processor = transformers.Idefics3Processor(
        transformers.Idefics3ImageProcessor(
            size={"longest_edge": 56}, max_image_size={"longest_edge": 28}
        ),
        tokenizer,
        image_seq_len=4,
        chat_template=templates.USER_COLON,
    )
    config = transformers.Idefics3Config(
        vision_config=vision_config(patch_size=7),
        text_config=text_config(tokenizer, model_type="llama"),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
    )
    return transformers.Idefics3ForConditionalGeneration(config), processor


def internvl3() -> Built:
    """InternVL3, whose processor also takes videos."""
    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = byte_tokenizer(["<|im_start|>", "<|im_end|>"], eos="<|im_end|>", named=named)
    images = transformers.GotOcr2ImageProcessor(
        size=_SQUARE, crop_to_patches=True, min_patches=1, max_patches=2
    )
    processor = transformers.InternVLProcessor(
        images,
        tokenizer,
        transformers.InternVLVideoProcessor(size=_SQUARE),
        image_seq_length=1,
        chat_template=templates.CHATML.replace(
            "<|vision_start|><|image_pad|><|vision_end|>", "<IMG_CONTEXT>\\n"
        ),
    )
    vision = vision_config(image_size=[28, 28], patch_size=[14, 14])
    config = transformers.InternVLConfig(
        vision_config=vision,
        text_config=text_config(tokenizer, model_type="qwen2"),
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=1,
        tie_word_embeddings=False,
    )
    return transformers.InternVLForConditionalGeneration(config), processor


def qwen2_vl() -> Built:
    """Qwen2-VL."""
    tokenizer, (start, end, image, video) = _qwen_tokenizer()
    processor = transformers.Qwen2VLProcessor(
        _qwen_images(14), tokenizer, transformers.Qwen2VLVideoProcessor(),
        chat_template=templates.CHATML,
    )  # fmt: skip
    config = transformers.Qwen2VLConfig(
        vision_config={
            "depth": 1, "embed_dim": 32, "hidden_size": 64, "num_heads": 2, "mlp_ratio": 1,
            "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2,
        },
        text_config=text_config(tokenizer, hidden_size=64, rope_parameters=_MROPE),
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )  # fmt: skip
    return transformers.Qwen2VLForConditionalGeneration(config), processor


def qwen3_vl() -> Built:
    """Qwen3-VL, whose template takes tools."""
    tokenizer, (start, end, image, video) = _qwen_tokenizer()
    processor = transformers.Qwen3VLProcessor(
        tokenizer=tokenizer,
        image_processor=_qwen_images(16),
        video_processor=transformers.Qwen3VLVideoProcessor(),
        chat_template=templates.QWEN3,
    )
    config = transformers.Qwen3VLConfig(
        vision_config={
            "depth": 2, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2,
            "patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2,
            "out_hidden_size": 64, "num_position_embeddings": 16, "deepstack_visual_indexes": [0],
        },
        text_config=text_config(
            tokenizer, hidden_size=64, head_dim=16, rope_parameters=_MROPE,
        ),
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )  # fmt: skip
    return transformers.Qwen3VLForConditionalGeneration(config), processor


def gemma3() -> Built:
    """Gemma 3, whose template insists on turns that alternate."""
    named = {
        "image_token": "<image_soft_token>",
        "boi_token": "<start_of_image>",
        "eoi_token": "<end_of_image>",
    }
    turns = ["<start_of_turn>", "<end_of_turn>"]
    tokenizer = byte_tokenizer(turns, eos="<end_of_turn>", named=named)
    processor = transformers.Gemma3Processor(
        transformers.Gemma3ImageProcessor(size=_SQUARE),
        tokenizer,
        image_seq_length=4,
        chat_template=templates.GEMMA3,
    )
    ids = tokenizer.convert_tokens_to_ids
    config = transformers.Gemma3Config(
        vision_config=vision_config(
            model_type="siglip_vision_model", patch_size=7, vision_use_head=False
        ),
        text_config=text_config(
            tokenizer, head_dim=8, sliding_window=64, tie_word_embeddings=False
        ),
        mm_tokens_per_image=4,
        boi_token_index=ids("<start_of_image>"),
        eoi_token_index=ids("<end_of_image>"),
        image_token_index=ids("<image_soft_token>"),
        tie_word_embeddings=False,
    )
    return transformers.Gemma3ForConditionalGeneration(config), processor


def pixtral() -> Built:
    """Pixtral: a LLaVA with Mistral's tokens, and a template that takes tools."""
    processor, tokenizer = _mistral_processor(1)
    config = transformers.LlavaConfig(
        vision_config=vision_config(
            model_type="pixtral", image_size=56, patch_size=14, head_dim=16
        ),
        text_config=text_config(tokenizer, model_type="mistral", head_dim=8),
        image_token_index=tokenizer.convert_tokens_to_ids("[IMG]"),
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
    )
    return transformers.LlavaForConditionalGeneration(config), processor


def mistral3() -> Built:
    """Mistral Small 3.1, which merges neighbouring patches."""
    processor, tokenizer = _mistral_processor(2)
    config = transformers.Mistral3Config(
        vision_config=vision_config(
            model_type="pixtral", image_size=56, patch_size=14, head_dim=16
        ),
        text_config=text_config(tokenizer, model_type="mistral", head_dim=8),
        image_token_index=tokenizer.convert_tokens_to_ids("[IMG]"),
        spatial_merge_size=2,
        tie_word_embeddings=False,
    )
    return transformers.Mistral3ForConditionalGeneration(config), processor


def mllama() -> Built:
    """Llama 3.2 Vision: pictures are reached by cross-attention, not by tokens of the prompt."""
    turns = ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|python_tag|>"]
    tokenizer = byte_tokenizer([*turns, "<|image|>"], eos="<|eot_id|>")
    image = tokenizer.convert_tokens_to_ids("<|image|>")
    processor = transformers.MllamaProcessor(
        transformers.MllamaImageProcessor(size=_SQUARE, max_image_tiles=2),
        tokenizer,
        chat_template=templates.LLAMA32,
    )
    config = transformers.MllamaConfig(
        vision_config={
            "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2,
            "num_global_layers": 1, "attention_heads": 2, "image_size": 28, "patch_size": 14,
            "max_num_tiles": 2, "intermediate_layers_indices": [0], "vision_output_dim": 64,
            "supported_aspect_ratios": [[1, 1], [1, 2], [2, 1]],
        },
        # The token of the picture has an embedding, but the model cannot write it.
        text_config=text_config(
            tokenizer, num_hidden_layers=3, cross_attention_layers=[1], vocab_size=image,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        ),
        image_token_index=image,
    )  # fmt: skip
    return transformers.MllamaForConditionalGeneration(config), processor


def aya_vision() -> Built:
    """Aya Vision, whose pictures become tiles with marks of their own."""
    marks = [
        "<image>", "<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "<|IMG_LINE_BREAK|>",
        "TILE", "TILE_GLOBAL", "<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>",
        "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>", "<|SYSTEM_TOKEN|>",
    ]  # fmt: skip
    tokenizer = byte_tokenizer(marks, eos="<|END_OF_TURN_TOKEN|>")
    images = transformers.GotOcr2ImageProcessor(
        size=_SQUARE, crop_to_patches=True, min_patches=1, max_patches=2
    )
    processor = transformers.AyaVisionProcessor(
        images,
        tokenizer,
        patch_size=7,
        img_size=28,
        downsample_factor=2,
        chat_template=templates.AYA,
    )
    config = transformers.AyaVisionConfig(
        vision_config=vision_config(
            model_type="siglip_vision_model", patch_size=7, vision_use_head=False
        ),
        text_config=text_config(
            tokenizer, model_type="cohere2", sliding_window=64, tie_word_embeddings=False
        ),
        image_token_index=tokenizer.convert_tokens_to_ids("<|IMG_PATCH|>"),
        downsample_factor=2,
        tie_word_embeddings=False,
    )
    return transformers.AyaVisionForConditionalGeneration(config), processor


def glm4v() -> Built:
    """GLM-4.1V, which thinks before it answers."""
    marks = [
        "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>",
        "<|begin_of_image|>", "<|end_of_image|>", "<|image|>",
        "<|begin_of_video|>", "<|end_of_video|>", "<|video|>",
    ]  # fmt: skip
    tokenizer = byte_tokenizer(marks, eos="<|user|>", plain=["<think>", "</think>"])
    images = transformers.Glm4vImageProcessor(
        patch_size=14, size={"shortest_edge": 28 * 28, "longest_edge": 28 * 28 * 8}
    )
    processor = transformers.Glm4vProcessor(
        images, tokenizer, transformers.Glm4vVideoProcessor(), chat_template=templates.GLM
    )
    ids = tokenizer.convert_tokens_to_ids
    config = transformers.Glm4vConfig(
        vision_config={
            "depth": 1, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2,
            "image_size": 56, "patch_size": 14, "out_hidden_size": 64,
        },
        text_config=text_config(tokenizer, hidden_size=64, rope_parameters=_MROPE),
        image_token_id=ids("<|image|>"),
        video_token_id=ids("<|video|>"),
        image_start_token_id=ids("<|begin_of_image|>"),
        image_end_token_id=ids("<|end_of_image|>"),
        video_start_token_id=ids("<|begin_of_video|>"),
        video_end_token_id=ids("<|end_of_video|>"),
    )  # fmt: skip
    return transformers.Glm4vForConditionalGeneration(config), processor


def lfm2_vl() -> Built:
    """LFM2.5-VL: convolutions beside attention, and calls in the syntax of Python."""
    marks = [
        "<image>", "<|image_start|>", "<|image_end|>", "<|img_thumbnail|>", "<|im_start|>",
        "<|im_end|>", "<|tool_call_start|>", "<|tool_call_end|>",
        *[f"<|img_row_{row}_col_{column}|>" for row in range(1, 3) for column in range(1, 3)],
    ]  # fmt: skip
    tokenizer = byte_tokenizer(marks, eos="<|im_end|>")
    images = transformers.Lfm2VlImageProcessor(
        downsample_factor=2, do_image_splitting=False, min_image_tokens=1, max_image_tokens=4,
        encoder_patch_size=14, tile_size=28, max_num_patches=16,
    )  # fmt: skip
    processor = transformers.Lfm2VlProcessor(images, tokenizer, chat_template=templates.LFM25)
    config = transformers.Lfm2VlConfig(
        vision_config=vision_config(model_type="siglip2_vision_model", num_patches=16),
        text_config=text_config(
            tokenizer, model_type="lfm2", layer_types=["full_attention", "conv"],
            tie_word_embeddings=False,
        ),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        projector_hidden_size=32,
        tie_word_embeddings=False,
    )  # fmt: skip
    return transformers.Lfm2VlForConditionalGeneration(config), processor


def phi4_multimodal() -> Built:
    """Phi-4-multimodal: transformers has it as a causal model; its template takes texts only."""
    named = {"image_token": "<|image|>", "audio_token": "<|audio|>"}
    turns = ["<|user|>", "<|assistant|>", "<|system|>", "<|end|>"]
    tokenizer = byte_tokenizer(turns, eos="<|end|>", named=named)
    processor = transformers.Phi4MultimodalProcessor(
        transformers.Phi4MultimodalImageProcessor(dynamic_hd=1),
        transformers.Phi4MultimodalFeatureExtractor(),
        tokenizer,
        chat_template=templates.PHI4,
    )
    ids = tokenizer.convert_tokens_to_ids
    config = transformers.Phi4MultimodalConfig(
        **text_config(
            tokenizer,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
            original_max_position_embeddings=4096,
        ),
        vision_config=vision_config(
            num_hidden_layers=2, image_size=448, image_token_id=ids("<|image|>")
        ),
        audio_config={
            "hidden_size": 32, "intermediate_size": 32, "num_blocks": 2, "num_attention_heads": 2,
            "ext_pw_out_channel": 32, "depthwise_separable_out_channel": 32, "input_size": 80,
            "nemo_conv_channels": 16, "audio_token_id": ids("<|audio|>"),
        },
    )  # fmt: skip
    return transformers.Phi4MultimodalForCausalLM(config), processor


_MROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}
_VISION_MARKS = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]


def _qwen_tokenizer() -> tuple[Any, list[int]]:
    marks = ["<|im_start|>", "<|im_end|>", *_VISION_MARKS]
    plain = ["<tool_call>", "</tool_call>", "<think>", "</think>"]  # not special in the real ones
    tokenizer = byte_tokenizer(marks, eos="<|im_end|>", plain=plain)
    return tokenizer, [tokenizer.convert_tokens_to_ids(mark) for mark in _VISION_MARKS]


def _qwen_images(patch: int) -> Any:
    side = 2 * patch
    return transformers.Qwen2VLImageProcessor(
        patch_size=patch,
        merge_size=2,
        temporal_patch_size=2,
        min_pixels=side * side,
        max_pixels=side * side * 4,
    )


def _mistral_processor(merge: int) -> tuple[Any, Any]:
    marks = [
        "[INST]", "[/INST]", "[IMG]", "[IMG_BREAK]", "[IMG_END]", "[SYSTEM_PROMPT]",
        "[/SYSTEM_PROMPT]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[ARGS]",
        "[TOOL_RESULTS]", "[/TOOL_RESULTS]",
    ]  # fmt: skip
    tokenizer = byte_tokenizer(marks)
    processor = transformers.PixtralProcessor(
        transformers.PixtralImageProcessor(
            size={"longest_edge": 56}, patch_size={"height": 14 * merge, "width": 14 * merge}
        ),
        tokenizer,
        patch_size=14,
        spatial_merge_size=merge,
        chat_template=templates.MISTRAL,
    )
    return processor, tokenizer


FAMILIES: Mapping[str, Callable[[], Built]] = {
    "llava_1_5": llava,
    "llava_next_mistral": lambda: llava_next("mistral", templates.INST),
    "llava_next_vicuna": lambda: llava_next("llama", templates.USER_ASSISTANT),
    "idefics3": idefics3,
    "internvl3": internvl3,
    "qwen2_vl": qwen2_vl,
    "qwen3_vl": qwen3_vl,
    "gemma3": gemma3,
    "mistral3": mistral3,
    "pixtral": pixtral,
    "mllama": mllama,
    "aya_vision": aya_vision,
    "glm4v": glm4v,
    "lfm2_vl": lfm2_vl,
    "phi4_multimodal": phi4_multimodal,
}
