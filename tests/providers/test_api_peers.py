"""Whole episodes through servers of other projects: picture → call → new picture → answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra `local`")
pytest.importorskip("openai", reason="needs the extra `api`")
pytest.importorskip("anthropic", reason="needs the extra `api`")
pytest.importorskip("litellm", reason="needs the extra `api`")
pytest.importorskip("uvicorn", reason="needs the extra `dev`")

from PIL import Image

from proactive_agent.providers import ApiAccess
from proactive_agent.records.episode import EpisodeRecord
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.scenarios.dataset import EMBEDDED
from tests.proactive_agent.running import play_new
from tests.proactive_agent.scripted import sample_of
from tests.providers.peers import MODEL, PROXY_KEY, litellm_proxy, transformers_serve
from tests.providers.tool_caller import teach

pytestmark = [pytest.mark.api, pytest.mark.local]

TOOLS = ["move_object", "ask_clarification", "answer", "abstain"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("peers")


@pytest.fixture(scope="session")
def model(folder: Path) -> Path:
    sample = sample_of("rod")
    category = sample.answer.removesuffix(".")
    first = {"name": "move_object", "arguments": {"direction": "left"}}
    answer = {"name": "answer", "arguments": {"category": category}}
    frames = sorted((EMBEDDED / sample.image_template).parent.glob("*.*"))
    pictures = [Image.open(file).convert("RGB") for file in frames]
    teach(folder / "model", TOOLS, first, answer, pictures)
    return folder / "model"


@pytest.fixture(scope="session")
def serve(model: Path, folder: Path) -> Iterator[str]:
    with transformers_serve(model, folder / "serve.log") as url:
        yield url


@pytest.fixture(scope="session")
def proxy(serve: str, model: Path, folder: Path) -> Iterator[str]:
    with litellm_proxy(serve, model, folder) as url:
        yield url


def play(spec: str, results: Path, **how: str) -> EpisodeRecord:
    """The episode of `rod` that the model was trained on."""
    own = ProviderSettings(max_tokens=120, **how)  # type: ignore[arg-type]
    settings = Settings(provider=spec, scenarios=("rod",), limit=1, provider_settings=own)
    (episode,) = play_new(settings, results, ApiAccess(first_wait=0.1, tries=3)).episodes()
    return episode


def check(episode: EpisodeRecord) -> None:
    assert episode.error is None
    assert [turn.action.kind for turn in episode.turns] == ["intervention", "answer"]
    assert episode.outcome.correct
    assert len({turn.image.sha256 for turn in episode.turns}) == 2
    for turn in episode.turns:
        assert turn.reply.tool_format == "native"
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
