"""`providers check local:NAME`: the same checks on any checkpoint."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.providers import Finding
from proactive_agent.providers.local import Local
from tests.providers import asking
from tests.providers.asking import Opened

tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
pytestmark = pytest.mark.local

opened = asking.opened


def checked(provider: Local) -> dict[str, Finding]:
    return {finding.what: finding for finding in asyncio.run(provider.check())}


def test_the_command_says_what_a_local_model_can_do(tmp_path: Path) -> None:
    model = shutil.copytree(tiny.folder("qwen3_vl"), tmp_path / "model")
    config = json.loads((model / "config.json").read_text())
    # A short context leaves little room for thinking, which random weights would use up.
    config["text_config"]["max_position_embeddings"] = 256
    (model / "config.json").write_text(json.dumps(config))
    options = ["--max-tokens", "16", "--template-options", '{"enable_thinking": true}']
    spec = f"local:{model}"
    done = CliRunner().invoke(cli, ["providers", "check", spec, *options])
    lines = done.output.splitlines()
    assert "template works shows what is said; a picture is <|image_pad|>" in lines
    assert "tools    works natively; calls are read back as JSON" in lines
    assert "thinking       the template begins a reply inside thoughts" in lines
    assert "batch    works 4 of 4 replies are the same in a batch and alone" in lines
    (pictures,) = [line for line in lines if line.startswith("pictures")]
    assert pictures.startswith("pictures works 4 tokens for one, 8 for two")
    # Random weights call no tool and see no colour.
    assert done.exit_code == 1


@pytest.mark.parametrize(
    ("kind", "what", "said"),
    [
        ("mllama", "tools", "as text: with tools, the chat template loses pictures"),
        ("instructblip", "pictures", "one per request; tools need --condition stateless"),
        (tiny.TEXT_ONLY, "template", "text only: the model can be a judge (--judge)"),
    ],
)
def test_limits_of_a_model_are_no_faults(opened: Opened, kind: str, what: str, said: str) -> None:
    finding = checked(opened(kind))[what]
    assert (finding.works, finding.detail) == (None, said)


def test_a_batch_that_changes_replies_is_a_fault(opened: Opened) -> None:
    provider = opened("smolvlm")
    provider.generator.processor.tokenizer.padding_side = "right"
    finding = checked(provider)["batch"]
    assert finding.works is False
    assert "--batch-size 1" in finding.detail


def test_pictures_that_the_processor_drops_are_a_fault(opened: Opened) -> None:
    provider = opened("llava_1_5")
    # As of a checkpoint whose processor and model do not fit together.
    provider.generator.processor.num_additional_image_tokens = 3
    finding = checked(provider)["pictures"]
    assert finding.works is False
    assert "--condition stateless" in finding.detail
