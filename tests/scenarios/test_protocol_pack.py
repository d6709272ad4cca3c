"""The protocol pack: its content comes from the published wheel, whose code is not run.

The authors' texts are not repeated here; they are compared with the wheel itself.
"""

import ast
import builtins
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proactive_agent.scenarios import protocol_pack
from proactive_agent.scenarios.dataset import DataFolder
from proactive_agent.scenarios.protocol_pack import (
    FILE_NAME,
    ProtocolPack,
    load_pack,
    read_wheel,
    write_pack,
)
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.tools import UserError
from tests.scenarios import official_layout

CLASSES = {
    "rod": "RealisticOcclusionDatasetEnvironment",
    "vsod": "OcclusionDataSetMM20Environment",
    "mvp-n": "MVPNEnvironment",
    "imagenet-c": "ImageNetCEnvironment",
    "quickdraw": "QuickDrawEnvironment",
    "changeit": "ChangeItEnvironment",
    "coco": "COCO2014Environment",
}


@pytest.fixture(scope="session")
def pack(official_pack_folder: Path) -> ProtocolPack:
    return load_pack(official_pack_folder / FILE_NAME)


@pytest.fixture(scope="session")
def sources(official_wheel: Path) -> dict[str, str]:
    with zipfile.ZipFile(official_wheel) as archive:
        names = ("environment", "data_utils", "open_ended_gen", "tests/oeg")
        return {n: archive.read(f"proactivebench/{n}.py").decode("utf-8") for n in names}


def source_of_class(sources: dict[str, str], scenario: str) -> str:
    """Returns the source of a scenario's class."""
    found = re.search(
        rf"^class {CLASSES[scenario]}\(.*?(?=^class |\Z)", sources["environment"], re.S | re.M
    )
    assert found
    return found[0]


def broken(pack_folder: Path, change: Callable[[dict[str, Any]], object]) -> str:
    """Returns a pack with changed fields."""
    content = json.loads((pack_folder / FILE_NAME).read_text(encoding="utf-8"))
    change(content)
    return json.dumps(content)


class TestNothingIsRun:
    def test_another_file_is_refused_before_it_is_opened(
        self, official_wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = tmp_path / official_wheel.name
        other.write_bytes(official_wheel.read_bytes() + b"x")

        def opened(*_: object) -> None:
            pytest.fail("the archive was opened")

        monkeypatch.setattr(zipfile, "ZipFile", opened)
        with pytest.raises(UserError, match=r"is not proactivebench==0\.1\.1: its SHA-256 is"):
            read_wheel(other)

    def test_the_published_file_is_read_as_text(
        self, official_wheel: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compiled = []

        def poison(*_: object, **__: object) -> None:
            pytest.fail("something was run")

        def parse_only(*arguments: Any, **options: Any) -> Any:
            flags = options.get("flags", arguments[3] if len(arguments) > 3 else 0)
            assert flags & ast.PyCF_ONLY_AST
            compiled.append(flags)
            return compile_(*arguments, **options)

        read_wheel(official_wheel)  # Makes the standard library import its modules.
        compile_ = builtins.compile
        monkeypatch.setattr(builtins, "exec", poison)
        monkeypatch.setattr(builtins, "eval", poison)
        monkeypatch.setattr(builtins, "compile", parse_only)
        monkeypatch.setattr(subprocess, "Popen", poison)
        read_wheel(official_wheel)
        assert compiled
        assert not [name for name in sys.modules if name.split(".")[0] == "proactivebench"]

    def test_nothing_of_it_is_put_on_the_path(self, official_wheel: Path) -> None:
        before = list(sys.path)
        read_wheel(official_wheel)
        assert sys.path == before

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"none\.whl: No such file"):
            read_wheel(tmp_path / "none.whl")


class TestFilter:
    @pytest.mark.parametrize("scenario", SCENARIOS)
    def test_keeps_as_many_samples_as_published(self, pack: ProtocolPack, scenario: str) -> None:
        published = {
            "rod": 88, "vsod": 42, "mvp-n": 2591, "imagenet-c": 1095, "quickdraw": 2105,
            "changeit": 396, "coco": 1240,
        }  # fmt: skip
        assert len(pack.filter[scenario]) == published[scenario]
        assert SCENARIOS[scenario].published_counts[1] == published[scenario]

    def test_keeps_7557_in_total(self, pack: ProtocolPack) -> None:
        assert sum(map(len, pack.filter.values())) == 7557

    def test_holds_the_ids_of_the_wheel(self, pack: ProtocolPack, sources: dict[str, str]) -> None:
        line = next(s for s in sources["data_utils"].splitlines() if s.startswith("FILTER = "))
        theirs = json.loads(line.removeprefix("FILTER = "))
        ours = {SCENARIOS[name].stem: sorted(ids) for name, ids in pack.filter.items()}
        assert ours == {stem: sorted(ids) for stem, ids in theirs.items()}


class TestWording:
    @pytest.mark.parametrize("key", [*SCENARIOS, "coco-zoom"])
    def test_hints_are_those_of_the_class(
        self, pack: ProtocolPack, sources: dict[str, str], key: str
    ) -> None:
        source = source_of_class(sources, key.removesuffix("-zoom"))
        assert f'hint_prompt = "{pack.wording.hint(key)}"' in source

    def test_every_scenario_has_a_hint_of_its_own(self, pack: ProtocolPack) -> None:
        assert set(pack.wording.hints) == {*SCENARIOS, "coco-zoom"}
        assert len(set(pack.wording.hints.values())) == 8

    def test_the_hint_of_coco_zoom_is_the_one_under_its_condition(
        self, pack: ProtocolPack, sources: dict[str, str]
    ) -> None:
        source = source_of_class(sources, "coco")
        zoom, other = source.index('if "zoom" in self.direction'), source.index("else:")
        assert zoom < source.index(pack.wording.hint("coco-zoom")) < other
        assert other < source.index(pack.wording.hint("coco"))

    def test_video_frames_have_a_prefix(self, pack: ProtocolPack, sources: dict[str, str]) -> None:
        assert set(pack.wording.prefixes) == {"vsod", "changeit"}
        for scenario, prefix in pack.wording.prefixes.items():
            assert f'pre_prompt = "{prefix}"' in source_of_class(sources, scenario)

    def test_rod_has_a_reference_question(
        self, pack: ProtocolPack, sources: dict[str, str]
    ) -> None:
        assert set(pack.wording.reference_questions) == {"rod"}
        question = pack.wording.reference_questions["rod"]
        assert f'reference_prompt = "{question}"' in source_of_class(sources, "rod")

    def test_rod_and_mvp_n_have_a_reasoning(
        self, pack: ProtocolPack, sources: dict[str, str]
    ) -> None:
        assert set(pack.wording.reasoning) == {"rod", "mvp-n"}
        for scenario, text in pack.wording.reasoning.items():
            assert f'cot_prompt = "{text}"' in source_of_class(sources, scenario)

    def test_prompts_equal_the_wheel_s_to_the_byte(
        self, pack: ProtocolPack, sources: dict[str, str]
    ) -> None:
        theirs = function_of(sources["data_utils"], "apply_multi_choice_template")
        options = ["Rewind the video.", "I do not know.", "Owl.", "Çat, dog."]
        assert pack.wording.multiple_choice("What is it?", options) == theirs(
            question="What is it?", options=options, short_answer=True
        )

    def test_the_judge_s_prompts_are_the_wheel_s(
        self, pack: ProtocolPack, sources: dict[str, str]
    ) -> None:
        namespace: dict[str, Any] = {}
        for node in ast.parse(sources["open_ended_gen"]).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                namespace[node.targets[0].id] = ast.literal_eval(node.value)
        judge = pack.wording.judge
        assert judge is not None
        assert judge.system == namespace["SYSTEM_PROMPT"]
        assert judge.user == namespace["USER_PROMPT"]
        assert judge.proactive_answers == namespace["PREDICTION_THR"]

    def test_the_judge_knows_every_scenario(self, pack: ProtocolPack) -> None:
        published = {"ROD": 2, "VSOD": 3, "MVP-N": 2, "IN-C": 1, "QD": 1, "CIT": 2, "COCO": 2}
        assert pack.wording.judge is not None
        assert pack.wording.judge.proactive_answers == published

    def test_the_judge_s_prompt_has_its_three_places(self, pack: ProtocolPack) -> None:
        assert pack.wording.judge is not None
        places = set(re.findall(r"\{(\w+)\}", pack.wording.judge.user))
        assert places == {"user_prompt", "correct_answers", "generated_answer"}

    def test_the_open_ended_hint_is_the_wheel_s(
        self, pack: ProtocolPack, sources: dict[str, str]
    ) -> None:
        hint = pack.wording.open_ended_hint
        assert hint
        assert hint in sources["tests/oeg"]

    def test_accepted_answers_are_those_that_the_class_spells_out(
        self, pack: ProtocolPack, sources: dict[str, str]
    ) -> None:
        found = pack.wording.open_ended_answers
        assert {name: len(phrases) for name, phrases in found.items()} == {
            "rod": 2, "vsod": 3, "mvp-n": 2, "quickdraw": 1, "changeit": 1, "coco": 2,
        }  # fmt: skip
        for scenario, phrases in found.items():
            body = source_of_class(sources, scenario).split("def get_open_ended_gen_answers")[1]
            assert ", ".join(phrases) in body.split("def ")[0]


class TestFile:
    def test_loads_back_equal(self, official_wheel: Path, pack: ProtocolPack) -> None:
        assert pack == read_wheel(official_wheel)

    def test_the_same_wheel_gives_the_same_bytes(
        self, official_wheel: Path, official_pack_folder: Path, tmp_path: Path
    ) -> None:
        again = write_pack(tmp_path, official_wheel)
        assert again.read_bytes() == (official_pack_folder / FILE_NAME).read_bytes()

    def test_nothing_else_is_left_beside_it(self, official_pack_folder: Path) -> None:
        assert [file.name for file in official_pack_folder.iterdir()] == [FILE_NAME]

    def test_says_where_it_is_from(self, pack: ProtocolPack) -> None:
        assert pack.source == "proactivebench==0.1.1"
        assert pack.wording.name == "proactivebench 0.1.1"

    def test_a_data_folder_takes_it(self, official_pack_folder: Path, tmp_path: Path) -> None:
        official_layout.write_folder(tmp_path, scenarios=["rod"], pictures=False)
        (tmp_path / FILE_NAME).write_bytes((official_pack_folder / FILE_NAME).read_bytes())
        folder = DataFolder(tmp_path)
        assert folder.filtered
        assert folder.wording.name == "proactivebench 0.1.1"

    def test_a_folder_must_be_there(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="is not a folder"):
            write_pack(tmp_path / "nowhere")

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            ("", "the file: Invalid JSON"),
            ('{"source": "x", "wheel', "the file: Invalid JSON"),
            ("[]", "the file: "),
            ('{"name": "another program\'s"}', "source: Field required"),
        ],
    )
    def test_a_torn_or_foreign_file_is_told_clearly(
        self, tmp_path: Path, content: str, told: str
    ) -> None:
        file = tmp_path / FILE_NAME
        file.write_text(content, encoding="utf-8")
        with pytest.raises(UserError) as caught:
            load_pack(file)
        assert str(caught.value).startswith(f"{file}: {told}")

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (lambda pack: pack["filter"].pop("coco"), "the file: filter lacks coco"),
            (lambda pack: pack["wording"]["hints"].pop("rod"), "the file: wording.hints lacks rod"),
            (lambda pack: pack["filter"].update(rod=["one"]), "filter.rod.0: "),
            (lambda pack: pack["wording"].pop("answer_sentence"), "wording.answer_sentence: "),
        ],
    )
    def test_an_incomplete_file_is_told_clearly(
        self,
        official_pack_folder: Path,
        tmp_path: Path,
        change: Callable[[dict[str, Any]], object],
        told: str,
    ) -> None:
        file = tmp_path / FILE_NAME
        file.write_text(broken(official_pack_folder, change), encoding="utf-8")
        with pytest.raises(UserError) as caught:
            load_pack(file)
        assert str(caught.value).startswith(f"{file}: {told}")


class TestFetching:
    def run(
        self, monkeypatch: pytest.MonkeyPatch, returncode: int, wheel: bytes | None
    ) -> list[str]:
        """Replaces pip and records its command in the returned list."""
        given: list[str] = []

        def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
            given.extend(command)
            folder = next(a for a in command if a.startswith("--dest=")).removeprefix("--dest=")
            if wheel is not None:
                (Path(folder) / "proactivebench-0.1.1-py3-none-any.whl").write_bytes(wheel)
            return subprocess.CompletedProcess(
                command, returncode, "", "first\nERROR: no network\n"
            )

        monkeypatch.setattr(protocol_pack.subprocess, "run", pip)
        return given

    def test_asks_pip_for_the_one_version_and_no_code(
        self, official_wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given = self.run(monkeypatch, 0, official_wheel.read_bytes())
        write_pack(tmp_path)
        assert given[:4] == [sys.executable, "-m", "pip", "download"]
        assert {"--no-deps", "--only-binary=:all:", "proactivebench==0.1.1"} <= set(given)

    def test_a_failure_names_its_reason_and_the_other_way(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.run(monkeypatch, 1, None)
        with pytest.raises(
            UserError, match=r"\(ERROR: no network\); pass the file with --wheel FILE"
        ):
            write_pack(tmp_path)

    def test_another_wheel_from_the_index_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.run(monkeypatch, 0, b"another")
        with pytest.raises(UserError, match="its SHA-256 is"):
            write_pack(tmp_path)
        assert not (tmp_path / FILE_NAME).exists()


def function_of(source: str, name: str) -> Callable[..., str]:
    """Returns a function of the wheel as a callable, to compare its own sentences with."""
    module = ast.parse(source)
    module.body = [n for n in module.body if isinstance(n, ast.FunctionDef) and n.name == name]
    namespace: dict[str, Any] = {}
    exec(compile(module, "wheel", "exec"), namespace)
    return namespace[name]
