"""Arguments of the trainers: the paper's recipe, and the settings that are passed through."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs the extra `train`")

import trl

from proactive_agent.tools import UserError
from proactive_agent.training.arguments import grpo_arguments, sft_arguments
from proactive_agent.training.settings import TrainingSettings

OUT = Path("out")


def grpo(processes: int = 1, gpu: bool = True, evaluates: bool = False, **more: Any) -> Any:
    settings = TrainingSettings.of(model="m", data="d", **more)
    return grpo_arguments(settings, OUT, processes=processes, gpu=gpu, evaluates=evaluates)


def test_the_defaults_are_the_papers() -> None:
    settings = TrainingSettings.of(model="m", data="d")
    assert settings.prompts_per_step == 64
    assert settings.reward_suggestion == 0.5
    assert (settings.lora_rank, settings.lora_alpha, settings.lora_dropout) == (16, 16, 0.1)
    assert settings.lora_targets == ("q_proj", "k_proj")
    expected = {
        "num_generations": 8,
        "per_device_train_batch_size": 8,
        "gradient_accumulation_steps": 64,
        "generation_batch_size": 512,
        "optim": "adamw_torch",
        "learning_rate": 2e-5,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0,
        "weight_decay": 0.0,
        "num_train_epochs": 1.0,
        "beta": 0.0,
    }
    assert expected.items() <= grpo().items()


def test_trl_accepts_the_arguments(tmp_path: Path) -> None:
    settings = TrainingSettings.of(
        model="m", data="d", eval_every=5, beta=0.1, vllm="colocate", top_p=0.9, iterations=2
    )
    config = trl.GRPOConfig(
        **grpo_arguments(settings, tmp_path, processes=1, gpu=False, evaluates=True)
    )
    assert (config.generation_batch_size, config.steps_per_generation) == (512, 64)
    assert (config.eval_steps, config.save_steps) == (5, 5)
    assert config.use_vllm
    assert (config.report_to, config.use_cpu, config.bf16) == ([], True, False)
    sft = sft_arguments(settings, tmp_path, processes=1, gpu=False, evaluates=False)
    assert trl.SFTConfig(**sft).completion_only_loss


def test_processes_share_a_batch() -> None:
    arguments = grpo(processes=4, device_batch_size=16)
    assert arguments["gradient_accumulation_steps"] == 8
    assert arguments["per_device_eval_batch_size"] == 16


def test_a_small_batch_is_one_pass() -> None:
    arguments = grpo(batch_size=4, rollouts=4)
    assert (arguments["per_device_train_batch_size"], arguments["gradient_accumulation_steps"]) == (
        4,
        1,
    )


@pytest.mark.parametrize(
    ("processes", "more", "said"),
    [
        (
            3,
            {},
            r"batch-size is 512, which is not a multiple of 24 \(8 at once on each of 3 devices\)",
        ),
        (1, {"device_batch_size": 7}, r"not a multiple of 7 \(7 at once on each of 1 device\)"),
        (
            2,
            {"generation_batch_size": 24},
            "generation-batch-size is 24; it must be a multiple of 16",
        ),
    ],
)
def test_batch_sizes_that_do_not_divide_are_refused(
    processes: int, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        grpo(processes, **more)


def test_vllm_and_deepspeed_options_are_passed_on(tmp_path: Path) -> None:
    file = tmp_path / "zero2.json"
    file.write_text(json.dumps({"zero_optimization": {"stage": 2}}))
    server = grpo(vllm="server", vllm_server="http://host:8000", deepspeed=str(file))
    assert server["deepspeed"] == str(file)
    assert (server["vllm_mode"], server["vllm_server_base_url"]) == ("server", "http://host:8000")
    assert "vllm_gpu_memory_utilization" not in server
    inside = grpo(vllm="colocate", vllm_memory=0.4)
    assert (inside["vllm_mode"], inside["vllm_gpu_memory_utilization"]) == ("colocate", 0.4)
    assert "use_vllm" not in grpo()


def test_half_precision_is_for_gpus() -> None:
    assert (grpo()["bf16"], grpo()["fp16"], grpo()["use_cpu"]) == (True, False, False)
    half = grpo(dtype="float16")
    assert (half["bf16"], half["fp16"]) == (False, True)
    assert not grpo(gpu=False)["bf16"]


def test_supervised_steps_take_one_reply_per_prompt() -> None:
    settings = TrainingSettings.of(model="m", data="d", method="sft", max_steps=9)
    arguments = sft_arguments(settings, OUT, processes=2, gpu=False, evaluates=True)
    assert arguments["per_device_train_batch_size"] * 2 * 4 == settings.prompts_per_step
    assert (arguments["gradient_accumulation_steps"], arguments["max_steps"]) == (4, 9)
    assert arguments["learning_rate"] == 2e-5


def test_a_warm_up_has_its_own_length_and_learning_rate() -> None:
    settings = TrainingSettings.of(model="m", data="d", warm_up=7, warm_up_learning_rate=1e-3)
    arguments = sft_arguments(settings, OUT, processes=1, gpu=False, evaluates=False)
    assert (arguments["max_steps"], arguments["learning_rate"]) == (7, 1e-3)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"batch_size": 12}, r"batch-size is 12, which is not a multiple of rollouts \(8\)"),
        ({"patience": 2}, "patience counts evaluations: set eval-every too"),
        ({"patience": 2, "eval_every": 1, "held_out": 0}, "patience needs held-out rows"),
        ({"warm_up": 3, "method": "sft"}, "warm-up precedes grpo; drop it for the method sft"),
        ({"vllm": "colocate", "method": "sft"}, "sft generates no replies; drop vllm"),
        ({"vllm_server": "http://x"}, "vllm-server is an address: set vllm to server too"),
        ({"multi_turn": True}, "multi-turn needs the protocol tools"),
        ({"rollouts": 1}, "rollouts: Input should be greater than or equal to 2"),
        ({"speed": 1}, "speed: Extra inputs are not permitted"),
    ],
)
def test_contradictory_settings_are_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        TrainingSettings.of(model="m", data="d", **more)
