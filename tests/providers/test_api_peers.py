"""Whole episodes through servers of other projects: picture → call → new picture → answer."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the extra `local`")
pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("anthropic", reason="needs the extra `api`")
pytest.importorskip("litellm", reason="needs the extra `api`")
pytest.importorskip("uvicorn", reason="needs the extra `dev`")

from PIL import Image

from proactive_agent.metrics import PlayedRun
from proactive_agent.providers import ApiAccess
from proactive_agent.providers.api.openai import OpenAI
from proactive_agent.providers.vllm import Vllm
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.runs.planned_run import PlannedRun
from proactive_agent.runs.session import Session
from proactive_agent.scenarios.dataset import EMBEDDED
from proactive_agent.settings import ProtocolName
from tests.proactive_agent.running import play_new
from tests.proactive_agent.scripted import sample_of
from tests.providers import peers
from tests.providers.peers import MODEL, PROXY_KEY, litellm_proxy, transformers_serve
from tests.providers.tool_caller import SURE, THOUGHT, teach

pytestmark = [pytest.mark.api, pytest.mark.local]

TOOLS = ["move_object", "ask_clarification", "answer", "abstain"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("peers")


@pytest.fixture(scope="module")
def model(folder: Path) -> Path:
    sample = sample_of("rod")
    category = sample.answer.removesuffix(".")
    first = {"name": "move_object", "arguments": {"direction": "left"}}
    answer = {"name": "answer", "arguments": {"category": category}}
    frames = sorted((EMBEDDED / sample.image_template).parent.glob("*.*"))
    pictures = [Image.open(file).convert("RGB") for file in frames]
    teach(folder / "model", TOOLS, first, answer, pictures)
    return folder / "model"


@pytest.fixture(scope="module")
def serve(model: Path, folder: Path) -> Iterator[str]:
    with transformers_serve(model, folder / "serve.log") as url:
        yield url


@pytest.fixture(scope="module")
def proxy(serve: str, model: Path, folder: Path) -> Iterator[str]:
    with litellm_proxy(serve, model, folder) as url:
        yield url


@pytest.fixture(scope="module")
def engine(model: Path, folder: Path) -> Iterator[Vllm]:
    with peers.vllm(model, folder) as provider:
        yield provider


@pytest.fixture
def vllm(engine: Vllm, monkeypatch: pytest.MonkeyPatch) -> Vllm:
    """vLLM, with its key for adapters that reach it by its address."""
    monkeypatch.setenv("PROACTIVE_AGENT_API_KEY", engine.server.key)
    return engine


def play(spec: str, results: Path, protocol: ProtocolName = "tools", **how: Any) -> EpisodeRecord:
    """An episode of the sample of `rod` that the model was trained on."""
    own = ProviderSettings(max_tokens=120, **how)
    settings = Settings(
        provider=spec, scenarios=("rod",), limit=1, protocol=protocol, provider_settings=own
    )
    (episode,) = play_new(settings, results, ApiAccess(first_wait=0.1, tries=3)).episodes()
    return episode


def check(episode: EpisodeRecord) -> None:
    """Checks the whole record: call, new picture, answer."""
    assert episode.error is None
    assert [turn.action.kind for turn in episode.turns] == ["intervention", "answer"]
    assert [turn.verdict.suggestion for turn in episode.turns] == ["correct", "mismatch"]
    assert [turn.verdict.category for turn in episode.turns] == ["mismatch", "correct"]
    assert episode.outcome.correct
    assert len({turn.image.sha256 for turn in episode.turns}) == 2
    for turn in episode.turns:
        assert turn.reply.tool_format == "native"
        assert turn.reply.text == ""
        assert len(turn.reply.tool_calls) == 1
        assert turn.usage.input_tokens
        assert turn.usage.output_tokens


def test_openai_to_transformers_serve(serve: str, model: Path, tmp_path: Path) -> None:
    check(play(f"openai:{model}@{serve}", tmp_path))


def test_litellm_to_transformers_serve(serve: str, model: Path, tmp_path: Path) -> None:
    check(play(f"litellm:hosted_vllm/{model}@{serve}", tmp_path))


def test_openai_to_the_proxy(proxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROACTIVE_AGENT_API_KEY", PROXY_KEY)
    check(play(f"openai:{MODEL}@{proxy}/v1", tmp_path))


def test_anthropic_to_the_proxy(
    proxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROACTIVE_AGENT_API_KEY", PROXY_KEY)
    check(play(f"anthropic:{MODEL}@{proxy}", tmp_path))


def test_responses_to_transformers_serve(serve: str, model: Path, tmp_path: Path) -> None:
    check(play(f"openai:{model}@{serve}", tmp_path, api="responses"))


def adapter(name: str, vllm: Vllm) -> tuple[str, dict[str, str]]:
    """The spec and the settings with which an adapter reaches vLLM."""
    model, address = vllm.target.model, vllm.server.address
    return {
        "chat": (f"openai:{model}@{address}", {}),
        "responses": (f"openai:{model}@{address}", {"api": "responses"}),
        "messages": (f"anthropic:{model}@{address.removesuffix('/v1')}", {}),
        "litellm": (f"litellm:hosted_vllm/{model}@{address}", {}),
    }[name]


@pytest.mark.vllm
@pytest.mark.parametrize("name", ["chat", "responses", "messages", "litellm"])
def test_vllm(name: str, vllm: Vllm, tmp_path: Path) -> None:
    spec, how = adapter(name, vllm)
    episode = play(spec, tmp_path, **how)
    check(episode)
    assert {turn.reply.finish_reason for turn in episode.turns} == {"tool_calls"}
    assert all(turn.usage.cached_tokens is not None for turn in episode.turns)


@pytest.mark.vllm
@pytest.mark.parametrize("name", ["chat", "responses", "messages", "litellm"])
def test_thoughts_are_kept_apart_and_sent_back_to_vllm(
    name: str, vllm: Vllm, tmp_path: Path
) -> None:
    spec, how = adapter(name, vllm)
    plain = play(spec, tmp_path / "plain", **how)
    thinking = play(spec, tmp_path / "thinking", reasoning="low", thinking_tokens=100, **how)
    check(thinking)
    assert {turn.reply.finish_reason for turn in thinking.turns} == {"tool_calls"}
    # The model's tokens are bytes, apart from the two marks, of which the template writes one.
    thoughts = [f"{THOUGHT}\n\n", f"{SURE}\n\n"]
    for before, now, thought in zip(plain.turns, thinking.turns, thoughts, strict=True):
        assert now.usage.output_tokens == (before.usage.output_tokens or 0) + len(thought) + 1
    opened = len("\n") + 1
    # vLLM leaves the line break before the second mark in the thought, and the template adds one.
    returned = len(f"\n{THOUGHT}\n\n\n") + 2
    more = [
        (now.usage.input_tokens or 0) - (before.usage.input_tokens or 0)
        for before, now in zip(plain.turns, thinking.turns, strict=True)
    ]
    assert more == [opened, opened + returned]


@pytest.mark.vllm
def test_the_local_provider_repeats_an_episode_of_vllm(
    vllm: Vllm, model: Path, tmp_path: Path
) -> None:
    here = play(f"local:{model}", tmp_path / "local")
    there = play(adapter("chat", vllm)[0], tmp_path / "vllm")
    check(here)
    assert _said(here) == _said(there)


@pytest.mark.vllm
def test_the_local_provider_writes_like_vllm(vllm: Vllm, model: Path, tmp_path: Path) -> None:
    # Nobody taught the model what to write without tools, so any difference in the prompt shows.
    here = play(f"local:{model}", tmp_path / "local", "mcqa")
    there = play(adapter("chat", vllm)[0], tmp_path / "vllm", "mcqa")
    assert here.turns[0].reply.text
    assert _said(here) == _said(there)


@pytest.mark.vllm
def test_the_provider_vllm_plays_like_the_local_provider(
    engine: Vllm, model: Path, tmp_path: Path
) -> None:
    """One test, because the connections of a provider belong to one event loop."""
    spec, own = f"vllm:{model}", ProviderSettings(max_tokens=120)
    settings = Settings(provider=spec, scenarios=("rod",), limit=1, provider_settings=own)
    runs = [
        PlannedRun.new(replace(settings, protocol=protocol), tmp_path / protocol, model=engine)
        for protocol in ("tools", "mcqa")
    ]

    async def playing() -> list[PlayedRun]:
        async with Session() as session:
            played = await session.play(runs)
        await OpenAI.close(engine)  # Other tests still need the server.
        return played

    native, choice = asyncio.run(playing())
    (episode,) = native.folder.episodes()
    check(episode)
    assert {turn.reply.finish_reason for turn in episode.turns} == {"tool_calls"}
    assert _said(episode) == _said(play(f"local:{model}", tmp_path / "local"))
    (answered,) = choice.folder.episodes()
    assert _said(answered) == _said(play(f"local:{model}", tmp_path / "choice", "mcqa"))
    manifest = native.folder.read_manifest().provider
    assert manifest["vllm"].startswith(peers.VLLM)
    assert manifest["tool_format"] == "native"
    assert "--tool-call-parser=hermes" in manifest["arguments"]


def _said(episode: EpisodeRecord) -> list[tuple[object, ...]]:
    """What a model read and wrote, turn by turn."""
    return [
        (
            turn.usage.input_tokens,
            turn.usage.output_tokens,
            turn.reply.text,
            [(call.name, call.arguments) for call in turn.reply.tool_calls],
            turn.image.sha256,
        )
        for turn in episode.turns
    ]
