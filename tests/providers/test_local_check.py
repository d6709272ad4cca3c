"""`providers check local:NAME`: the same checks on any checkpoint."""

import asyncio
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.providers import Finding, Reply, Request, Usage
from proactive_agent.providers.local import Local
from proactive_agent.records.manifest import ProviderSettings
from proactive_agent.runs.protocol_trials import try_protocols
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
    assert "batch    works 16 of 16 replies are the same in a batch and alone" in lines
    assert "limit    works a reply is cut off after 3 tokens, and says so" in lines
    pictures = "2 tokens for one, 6 for three turns, 4 with the result of a call"
    assert f"pictures works {pictures}" in lines
    played = [line for line in lines if line.startswith("protocol")]
    assert [line[:22] for line in played] == [
        "protocol works tools, ", "protocol works mcqa, z", "protocol works oeg, ze",
    ]  # fmt: skip
    assert all("zero-shot: played without an error; turns: " in line for line in played)
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


@pytest.fixture
def mismatched(opened: Opened) -> Local:
    """A model whose processor and weights do not fit together."""
    provider = opened("llava_1_5")
    provider.generator.processor.num_additional_image_tokens = 3
    return provider


def test_pictures_that_the_processor_drops_are_a_fault(mismatched: Local) -> None:
    finding = checked(mismatched)["pictures"]
    assert finding.works is False
    assert "--condition stateless" in finding.detail


def test_an_error_of_an_episode_is_a_fault(mismatched: Local) -> None:
    sampling = ProviderSettings(max_tokens=4)
    findings = asyncio.run(try_protocols(mismatched, ["rod"], sampling))
    assert [finding.works for finding in findings] == [False] * 3
    assert findings[0].detail.startswith("tools, zero-shot: generation_failed: ValueError: ")


def test_a_reply_that_hides_its_cut_is_a_fault(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = opened(tiny.TEXT_ONLY)
    assert checked(provider)["limit"].works
    complete = provider.complete

    async def hiding(request: Request) -> Reply:
        return replace(await complete(request), finish_reason="stop")

    monkeypatch.setattr(provider, "complete", hiding)
    assert checked(provider)["limit"].works is None
    longer = Usage(input_tokens=1, output_tokens=7)

    async def too_long(request: Request) -> Reply:
        return replace(await complete(request), usage=longer)

    monkeypatch.setattr(provider, "complete", too_long)
    finding = checked(provider)["limit"]
    assert finding.works is False
    assert finding.detail.startswith("a reply with a limit of 3 tokens has 7 and ends with ")
