"""Loading of models: options, manifest and errors."""

import hashlib
import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.providers import ProviderOptions, create_provider
from proactive_agent.providers.local import Local
from proactive_agent.providers.local.model_folder import folder_sha256
from proactive_agent.providers.local.templates import IDEFICS2
from proactive_agent.tools import MissingExtraError, UserError
from tests.providers.tiny_templates import USER_COLON

tiny = pytest.importorskip("tests.providers.tiny_models", reason="needs the extra `local`")
pytestmark = pytest.mark.local


def create(kind: str = "idefics2", **options: Any) -> Local:
    return Local.create(str(tiny.folder(kind)), ProviderOptions(**{"device": "cpu", **options}))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of a model folder that a test may change."""
    shutil.copytree(tiny.folder("idefics2"), tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize(("stored", "computed"), [("float16", "float32"), ("bfloat16", "bfloat16")])
def test_a_cpu_computes_with_float32_if_the_weights_are_float16(
    copied: Path, stored: str, computed: str
) -> None:
    import torch

    model = create().generator.model.to(getattr(torch, stored))
    model.save_pretrained(copied)
    for asked, expected in (("auto", computed), (stored, stored)):
        loaded = Local.create(str(copied), ProviderOptions(device="cpu", dtype=asked))
        assert loaded.manifest()["dtype"] == expected


def test_the_manifest_says_what_determines_replies() -> None:
    import torch
    import transformers

    manifest = create(batch_size=4, dtype="bfloat16", attention="eager").manifest()
    pictures = manifest.pop("image_processor")
    assert pictures["size"] == {"shortest_edge": 28, "longest_edge": 56}
    assert pictures["do_image_splitting"] is False
    generation = manifest.pop("generation_config")
    assert (generation["eos_token_id"], generation["pad_token_id"]) == ([2, 261], 0)
    assert manifest == {
        "model": "idefics2",
        "revision": None,
        "commit": None,
        "folder_sha256": folder_sha256(tiny.folder("idefics2")),
        "chat_template_sha256": hashlib.sha256(IDEFICS2.encode()).hexdigest(),
        "template_options": {},
        "template_date": None,
        "tool_format": "text",
        "tools_read_as": "JSON",
        "tools_as_text_because": "the chat template takes no tools",
        "played_by": ["one process"],
        "thinks": False,
        "default_thinking_room": 0,
        "context_tokens": 4096,
        "max_pictures": None,
        "checkpoint_generation_settings": {"do_sample": True, "temperature": 0.1, "top_k": 1},
        "processor_changes": ["do_image_splitting: false instead of true"],
        "dtype": "bfloat16",
        "device": "cpu",
        "attention": "eager",
        "quantize": None,
        "batch_size": 4,
        "batch_size_that_fits": 4,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def test_the_manifest_says_where_tools_are_native() -> None:
    assert create(tiny.NATIVE_TOOLS).manifest()["tool_format"] == "native"


def test_the_manifest_says_which_template_is_used(copied: Path) -> None:
    (copied / "chat_template.jinja").write_text(USER_COLON, encoding="utf-8")
    manifest = Local.create(str(copied), ProviderOptions()).manifest()
    assert manifest["chat_template_sha256"] == hashlib.sha256(USER_COLON.encode()).hexdigest()


def test_a_template_that_shows_no_picture_is_refused_before_the_run(tmp_path: Path) -> None:
    shutil.copytree(tiny.folder("smolvlm"), tmp_path / "model")
    template = tmp_path / "model" / "chat_template.jinja"
    template.write_text("{{ messages | length }}", encoding="utf-8")
    with pytest.raises(UserError, match="does not show what the user says; put a chat_template"):
        Local.create(str(tmp_path / "model"), ProviderOptions())
    # Idefics2 may lack a template, so one for this family is built in.
    template = tmp_path / "idefics2"
    shutil.copytree(tiny.folder("idefics2"), template)
    (template / "chat_template.jinja").write_text("{{ messages | length }}", encoding="utf-8")
    manifest = Local.create(str(template), ProviderOptions()).manifest()
    assert manifest["chat_template_sha256"] == hashlib.sha256(IDEFICS2.encode()).hexdigest()


def test_the_fingerprint_of_a_folder_is_that_of_its_copy(copied: Path) -> None:
    assert folder_sha256(copied) == folder_sha256(tiny.folder("idefics2"))


def test_other_weights_of_the_same_size_have_another_fingerprint(copied: Path) -> None:
    before = folder_sha256(copied)
    weights = copied / "model.safetensors"
    size = weights.stat().st_size
    weights.write_bytes(weights.read_bytes()[: size // 2] + bytes(size - size // 2))
    assert folder_sha256(copied) != before


def test_another_configuration_has_another_fingerprint(copied: Path) -> None:
    before = folder_sha256(copied)
    config = copied / "generation_config.json"
    config.write_text(config.read_text().replace("0.1", "0.2"))
    assert folder_sha256(copied) != before


def test_a_model_runs_through_the_registry() -> None:
    provider = create_provider(f"local:{tiny.folder('idefics2')}", ProviderOptions(device="cpu"))
    assert isinstance(provider, Local)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dtype": "float8"}, "dtype 'float8' is not one of auto, float32, float16, bfloat16"),
        ({"device": "tpu9"}, "device 'tpu9' is not one of auto, spread, cpu, mps, cuda"),
        ({"device": "cuda:99"}, "device 'cuda:99': PyTorch does not find this device"),
        ({"quantize": "2bit"}, "quantize '2bit' is not one of 4bit, 8bit"),
        ({"batch_size": 0}, "the batch size must be at least 1, got 0"),
        ({"attention": "no_such"}, "no_such"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_options_that_cannot_be(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        create(**options)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is not None, reason="bitsandbytes is installed"
)
def test_quantizing_without_its_library_names_it() -> None:
    with pytest.raises(UserError, match=r"pip install .*\[quantize\]"):
        create(quantize="4bit")


def test_the_device_map_of_transformers_can_be_asked_for() -> None:
    assert create(device="spread").manifest()["device"].startswith("spread: ")


def test_a_folder_without_a_model_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^local:.*config\.json") as caught:
        Local.create(str(tmp_path), ProviderOptions())
    assert "\n" not in str(caught.value)


def test_a_model_without_pictures_is_no_model_for_this(tmp_path: Path) -> None:
    import transformers

    transformers.GPT2Config(n_layer=1, n_embd=8, n_head=1).save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"^local:") as caught:
        Local.create(str(tmp_path), ProviderOptions())
    assert "\n" not in str(caught.value)


def test_a_hub_id_without_a_network_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UserError, match=r"^local:nobody/no-model: ") as caught:
        Local.create("nobody/no-model", ProviderOptions())
    assert "\n" not in str(caught.value)


def test_a_family_without_any_template_is_refused(tmp_path: Path) -> None:
    shutil.copytree(tiny.folder("smolvlm"), tmp_path / "model")
    (tmp_path / "model" / "chat_template.jinja").unlink()
    with pytest.raises(UserError, match="has no chat template"):
        Local.create(str(tmp_path / "model"), ProviderOptions())


def test_missing_libraries_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "proactive_agent.providers.local.loading", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"pip install .*\[local\]"):
        create_provider("local:idefics2")


def test_code_of_a_repository_is_not_run_unasked(copied: Path) -> None:
    config = copied / "config.json"
    text = config.read_text().replace('"idefics2"', '"own_kind"', 1)
    config.write_text(text.replace("{", '{"auto_map": {"AutoConfig": "own.Own"},', 1))
    (copied / "own.py").write_text("raise SystemExit('this code was run')")
    with pytest.raises(UserError, match=r"^local:.*add --trust-remote-code$"):
        Local.create(str(copied), ProviderOptions())


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_phi_4_loads_the_adapter_with_which_it_sees(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    import torch

    shutil.copytree(tiny.folder("phi4_multimodal"), tmp_path / "model")
    plain = Local.create(str(tmp_path / "model"), ProviderOptions(device="cpu"))
    weights = {name: one.clone() for name, one in plain.generator.model.named_parameters()}
    adapted = peft.get_peft_model(
        plain.generator.model, peft.LoraConfig(target_modules=["qkv_proj"], init_lora_weights=False)
    )
    adapted.save_pretrained(str(tmp_path / "model" / "vision-lora"))
    seeing = Local.create(str(tmp_path / "model"), ProviderOptions(device="cpu"))
    changed = [
        name
        for name, one in seeing.generator.model.named_parameters()
        if not torch.equal(one, weights[name])
    ]
    assert changed
    assert all("qkv_proj" in name for name in changed)
