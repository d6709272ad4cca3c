"""Every family of local models plays every protocol; docs/models.md tells which can what."""

import asyncio
import os
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from proactive_agent.cli.app import cli
from proactive_agent.providers.local import Local
from proactive_agent.providers.local.trials import mixed_requests, try_batch
from proactive_agent.records.manifest import ProviderSettings
from proactive_agent.runs.protocol_trials import try_protocols
from proactive_agent.scenarios import SCENARIOS
from tests.providers import asking
from tests.providers.asking import Opened, watched

tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
pytestmark = pytest.mark.local

opened = asking.opened

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
BEGIN, END = "<!-- table: made by tests/providers/test_local_families.py -->\n", "<!-- end -->\n"


class Family(NamedTuple):
    """A row of the table."""

    name: str
    kind: str
    """The tiny model that stands for the family."""
    short_name: str = ""
    """A name for `local:`, if there is one."""


FAMILIES = (
    Family("Aya Vision", "aya_vision"),
    Family("Gemma 3", "gemma3"),
    Family("GLM-4.1V", "glm4v"),
    Family("Idefics2", "idefics2", "idefics2"),
    Family("Idefics3", "idefics3", "idefics3-8b"),
    Family("InstructBLIP", "instructblip", "instructblip-7b"),
    Family("InternVL3", "internvl3", "internvl3-8b"),
    Family("LFM2.5-VL", "lfm2_vl"),
    Family("Llama 3.2 Vision (Mllama)", "mllama"),
    Family("LLaVA-1.5", "llava_1_5", "llava-1.5-7b"),
    Family("LLaVA-NeXT, Mistral", "llava_next_mistral", "llava-next-mistral-7b"),
    Family("LLaVA-NeXT, Vicuna", "llava_next_vicuna", "llava-next-vicuna-7b"),
    Family("LLaVA-OneVision", "llava_onevision", "llava-ov-7b"),
    Family("Mistral Small 3.1", "mistral3"),
    Family("Phi-4-multimodal", "phi4_multimodal", "phi-4-multimodal"),
    Family("Pixtral", "pixtral"),
    Family("Qwen2-VL", "qwen2_vl"),
    Family("Qwen2.5-VL", "qwen2_5_vl", "qwen2.5-vl-7b"),
    Family("Qwen3-VL", "qwen3_vl"),
    Family("SmolVLM2", "smolvlm", "smolvlm2-2.2b"),
)
ONE_PICTURE = "instructblip"
TOKENS = 6


# Raised by numpy when torchvision reads a picture.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("kind", [family.kind for family in FAMILIES])
def test_a_family_plays_every_protocol_and_a_batch_replies_as_each_alone(
    opened: Opened, kind: str
) -> None:
    provider = opened(kind, batch_size=16)
    requests = mixed_requests(TOKENS, provider.max_pictures)
    sizes = watched(provider)
    trial = asyncio.run(try_batch(provider, requests))
    assert sizes == [16, *[1] * 16]
    assert trial.same == 16
    assert len({reply.text for reply in trial.together}) > 4
    assert all((reply.usage.input_tokens or 0) > 0 for reply in trial.together)
    # Random weights would use up the room for thinking.
    sampling = ProviderSettings(max_tokens=4, thinking_tokens=0)
    findings = asyncio.run(try_protocols(provider, list(SCENARIOS), sampling))
    assert [finding.works for finding in findings] == [True] * 3, findings


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "'tools' keeps the pictures of earlier turns in the conversation; add --condition "),
        (("--protocol", "mcqa", "--condition", "history"), "'history' keeps the pictures"),
        (("--protocol", "mcqa", "--condition", "icl:1", "--scenario", "rod"), "'icl:1' shows the"),
    ],
)
def test_a_model_of_one_picture_is_refused_before_a_run_that_shows_more(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    spec = f"local:{tiny.folder(ONE_PICTURE)}"
    done = CliRunner().invoke(cli, ["run", "--provider", spec, "--out", str(tmp_path), *options])
    assert done.exit_code == 2
    output = " ".join(done.output.split())
    assert "takes 1 picture per request" in output
    assert said in output
    assert not [*tmp_path.iterdir()]


def test_a_model_without_pictures_is_refused_before_the_run(tmp_path: Path) -> None:
    spec = f"local:{tiny.folder(tiny.TEXT_ONLY)}"
    done = CliRunner().invoke(cli, ["run", "--provider", spec, "--out", str(tmp_path)])
    assert done.exit_code == 2
    assert "is a text-only model and cannot read pictures" in " ".join(done.output.split())
    assert not [*tmp_path.iterdir()]


def test_the_table_in_the_docs_is_true(opened: Opened) -> None:
    table = "".join(f"{line}\n" for line in [*HEAD, *(_row(one, opened) for one in FAMILIES)])
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    shown, after = rest.split(END)
    if os.environ.get("UPDATE_GOLDEN"):
        PAGE.write_text(before + BEGIN + table + END + after, encoding="utf-8")
    else:
        assert shown == table


HEAD = (
    "| family | short name | classes | tools | pictures in a request | batch |",
    "| --- | --- | --- | --- | --- | --- |",
)


def _row(family: Family, opened: Opened) -> str:
    provider: Local = opened(family.kind)
    chat, manifest = provider.chat, provider.manifest()
    classes = f"{type(provider.generator.model).__name__}, {type(chat.processor).__name__}"
    reason = manifest["tools_as_text_because"]
    tools = f"text: {reason}" if reason else "native"
    pictures = "several" if chat.max_pictures is None else f"{chat.max_pictures}"
    short = f"`{family.short_name}`" if family.short_name else ""
    return f"| {family.name} | {short} | {classes} | {tools} | {pictures} | same replies |"
