"""The setting `generation` of local models: the checkpoint's own generation config, or ours."""

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.providers import ProviderOptions, Sampling
from proactive_agent.records.manifest import ProviderSettings, Settings
from proactive_agent.runs.generation import PUBLISHED, temperature_of
from proactive_agent.tools import UserError
from tests.proactive_agent.running import play_new, prepare_run
from tests.providers import asking
from tests.providers.asking import ask_all, question

tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
pytestmark = pytest.mark.local

OWN = {"do_sample": True, "temperature": 0.7, "top_k": 20, "top_p": 0.8, "repetition_penalty": 1.3}
CHECKPOINT = Sampling(8, thinking_tokens=0, generation="checkpoint")
Made = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Copies a tiny model with another generation config."""

    def make(kind: str = "qwen2_5_vl", **config: Any) -> Path:
        folder = tmp_path / f"{kind}-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(tiny.folder(kind), folder)
        file = folder / "generation_config.json"
        ends = {"eos_token_id", "pad_token_id", "bos_token_id"}
        kept = {k: v for k, v in json.loads(file.read_text()).items() if k in ends}
        file.write_text(json.dumps(kept | config))
        return folder

    return make


def opened(folder: Path) -> Any:
    from proactive_agent.providers.local import Local

    return Local.create(str(folder), ProviderOptions(device="cpu", batch_size=8))


@pytest.mark.parametrize(
    "config",
    [
        OWN,
        {"do_sample": True},
        {"do_sample": True, "temperature": 2.0, "top_k": 0, "min_p": 0.02},
        {"do_sample": True, "typical_p": 0.6, "top_h": 0.9},
        {"do_sample": True, "epsilon_cutoff": 0.004, "eta_cutoff": 0.05},
    ],
)
def test_the_checkpoints_distribution_is_that_of_transformers(
    made: Made, config: dict[str, Any]
) -> None:
    import torch
    from transformers import GenerationConfig

    from proactive_agent.providers.local.sampling import SeededSampling

    folder = made(**config)
    provider = opened(folder)
    generator = provider.generator
    prompt = provider.chat.prompt(question(asking.picture(), "What is it?"))
    inputs = generator._inputs([prompt])
    asked = {"max_new_tokens": 1, "output_scores": True, "return_dict_in_generate": True}
    flags = generator._flags(CHECKPOINT)
    ours = generator.model.generate(**inputs, **asked).scores[0]
    ours = SeededSampling(flags, [0], ours.device).warped(inputs["input_ids"], ours)
    own = GenerationConfig.from_pretrained(folder)
    theirs = generator.model.generate(**inputs, **asked, generation_config=own).scores[0]
    assert torch.isfinite(ours).equal(torch.isfinite(theirs))
    assert torch.allclose(ours, theirs.float(), atol=1e-5)
    asyncio.run(provider.close())


def test_a_checkpoint_that_samples_samples_by_the_seed_of_each_request(made: Made) -> None:
    provider = opened(made(do_sample=True, temperature=3.0))
    requests = [question("What?", seed=seed, sampling=CHECKPOINT) for seed in range(5)]
    first, again = (asyncio.run(ask_all(provider, requests)) for _ in range(2))
    assert asking.essence(first) == asking.essence(again)
    assert len({reply.text for reply in first}) == 5
    asyncio.run(provider.close())


def test_a_checkpoint_that_does_not_sample_samples_only_as_published(made: Made) -> None:
    provider = opened(made(do_sample=False))

    def texts(sampling: Sampling) -> set[str]:
        requests = [question("What?", seed=seed, sampling=sampling) for seed in range(4)]
        return {reply.text for reply in asyncio.run(ask_all(provider, requests))}

    assert len(texts(CHECKPOINT)) == 1
    assert len(texts(Sampling(8, thinking_tokens=0, generation="published"))) == 4
    asyncio.run(provider.close())


@pytest.mark.parametrize("generation", ["checkpoint", "published"])
def test_beams_are_those_of_the_checkpoint(made: Made, generation: Any) -> None:
    provider = opened(made(num_beams=3))
    calls: list[dict[str, Any]] = []
    generate = provider.generator.model.generate

    def watching(**arguments: Any) -> Any:
        calls.append(arguments)
        return generate(**arguments)

    provider.generator.model.generate = watching
    sampling = Sampling(4, thinking_tokens=0, generation=generation)
    asyncio.run(ask_all(provider, [question("What?", sampling=sampling)]))
    assert calls[0]["num_beams"] == 3
    assert calls[0].get("do_sample", False) is (generation == "published")
    asyncio.run(provider.close())


def test_the_published_limit_shrinks_to_the_context(made: Made) -> None:
    provider = opened(made(do_sample=True, temperature=5.0))
    model = provider.generator.model
    prompt = question("What?", sampling=PUBLISHED["oeg"])
    length = asyncio.run(ask_all(provider, [question("What?")]))[0].usage.input_tokens
    model.config.get_text_config().max_position_embeddings = length + 9
    (reply,) = asyncio.run(ask_all(provider, [prompt]))
    assert reply.usage.output_tokens <= 9
    asyncio.run(provider.close())


# Runs --------------------------------------------------------------------------------------------


def settings(folder: Path, protocol: Any = "mcqa", **more: Any) -> Settings:
    own = {"device": "cpu", **more.pop("own", {})}
    return Settings(
        provider=f"local:{folder}", scenarios=("rod",), protocol=protocol, limit=1,
        provider_settings=ProviderSettings(**own), **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("generation", "expected"),
    [
        ("greedy", {"do_sample": False, "max_new_tokens": 512, "repetition_penalty": 1.3}),
        ("checkpoint", OWN | {"max_new_tokens": 512}),
        ("published", OWN | {"max_new_tokens": 50}),
    ],
)
def test_the_manifest_names_the_settings_that_were_used(
    made: Made, tmp_path: Path, generation: str, expected: dict[str, Any]
) -> None:
    own = {"generation": generation, "thinking_tokens": 0 if generation == "greedy" else None}
    folder = play_new(settings(made(**OWN), own=own), tmp_path / "results")
    used = folder.read_manifest().generation
    assert used is not None
    assert {name: used.get(name) for name in expected} == expected
    assert ("temperature" in used) == (generation != "greedy")
    assert temperature_of(folder.read_manifest()) == used.get("temperature", 0)
    (episode,) = folder.episodes()
    assert episode.error is None
    assert (episode.usage.output_tokens or 0) <= used["max_new_tokens"] * len(episode.turns)


def test_published_open_ended_questions_sample_and_so_does_the_judge(
    made: Made, tmp_path: Path
) -> None:
    model = made(do_sample=False, repetition_penalty=1.1)
    judge = f"local:{made(tiny.TEXT_ONLY)}"
    own = {"generation": "published"}
    run = prepare_run(settings(model, "oeg", judge=judge, own=own), tmp_path / "results")
    assert run.play.sampling == PUBLISHED["oeg"]
    used = run.generation()
    assert used["user_generation"] is None
    for one in (used["generation"], used["judge_generation"]):
        assert one is not None
        assert (one["do_sample"], one["max_new_tokens"]) == (True, 32_768)
    assert used["generation"] != used["judge_generation"]
    assert [sampling for _, sampling in run.models] == [PUBLISHED["oeg"]] * 2


@pytest.mark.parametrize(
    ("protocol", "own", "message"),
    [
        ("tools", {"generation": "published"}, "no settings for the protocol tools"),
        ("mcqa", {"generation": "published", "max_tokens": 60}, "--max-tokens has no effect"),
        ("mcqa", {"generation": "published", "thinking_tokens": 9}, "--thinking-tokens has no"),
        ("mcqa", {"generation": "checkpoint", "temperature": 0.5}, "--temperature has no effect"),
        ("oeg", {"generation": "checkpoint", "top_k": 5}, "--top-k has no effect"),
    ],
)
def test_settings_that_contradict_are_refused(
    tmp_path: Path, protocol: Any, own: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        prepare_run(settings(tiny.folder("qwen2_5_vl"), protocol, own=own), tmp_path)


def test_a_run_of_an_older_version_is_greedy(made: Made, tmp_path: Path) -> None:
    fields = settings(made()).as_json()
    del fields["provider_settings"]["generation"]
    assert Settings.from_json(fields).provider_settings.generation == "greedy"
    assert asdict(Sampling())["generation"] == "greedy"
