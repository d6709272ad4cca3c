"""Model names after `local:`."""

import subprocess
import sys
from pathlib import Path

import pytest

from proactive_agent.providers.local.aliases import ALIASES, resolve
from proactive_agent.tools import UserError


@pytest.mark.parametrize(
    ("name", "hub_id"),
    [
        ("idefics2", "HuggingFaceM4/idefics2-8b"),
        ("idefics2-chatty", "HuggingFaceM4/idefics2-8b-chatty"),
        ("Phi-4-multimodal", "microsoft/Phi-4-multimodal-instruct"),
        ("Qwen2.5-VL-7B", "Qwen/Qwen2.5-VL-7B-Instruct"),
        ("LLaVA-OV-0.5B", "llava-hf/llava-onevision-qwen2-0.5b-ov-hf"),
    ],
)
def test_short_names_in_any_case(name: str, hub_id: str) -> None:
    assert resolve(name).location == hub_id


def test_aliases_are_lower_case_names_of_hub_ids() -> None:
    assert all(name == name.lower() and hub_id.count("/") == 1 for name, hub_id in ALIASES.items())


def test_a_hub_id_passes_through() -> None:
    source = resolve("someone/Some-Model")
    assert (source.location, source.folder) == ("someone/Some-Model", None)


def test_a_folder_passes_through(tmp_path: Path) -> None:
    source = resolve(str(tmp_path))
    assert (source.location, source.folder) == (str(tmp_path), tmp_path)


def test_a_record_shows_the_name_of_a_folder_and_not_the_way_to_it(tmp_path: Path) -> None:
    (tmp_path / "tuned").mkdir()
    assert resolve(str(tmp_path / "tuned")).shown == "tuned"


def test_the_folder_that_one_stands_in_has_a_name_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve(".").shown == tmp_path.name


def test_an_unknown_short_name_lists_the_known_ones() -> None:
    with pytest.raises(
        UserError,
        match=r"local:idefics9: .*OWNER/NAME; did you mean 'idefics\S+'\? known: idefics2, ",
    ):
        resolve("idefics9")


@pytest.mark.parametrize(
    "name", ["./missing", "/missing/model", "a/b/c", "../missing", "~/missing"]
)
def test_a_missing_folder_is_called_one(name: str) -> None:
    with pytest.raises(UserError, match="this folder does not exist"):
        resolve(name)


def test_the_package_loads_no_heavy_library_until_a_model_is_asked_for() -> None:
    heavy = "{'torch', 'transformers', 'jinja2', 'huggingface_hub'}"
    code = f"import sys, providers.local; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("name", ["phi-4-multimodal", "microsoft/Phi-4-multimodal-instruct"])
def test_a_model_whose_main_branch_needs_foreign_code_is_loaded_from_another(name: str) -> None:
    assert resolve(name).revision == "refs/pr/70"
    assert resolve("idefics2").revision is None
