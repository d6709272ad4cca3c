"""Writes a folder that can be uploaded to the Hugging Face Hub as a data set.

hf upload OWNER/NAME FOLDER --repo-type dataset
"""

import json
from pathlib import Path

from proactive_agent.disk.whole_files import write_whole
from proactive_agent.exports.tables import write_parquet_tables
from proactive_agent.metrics import Summary, summarise
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.agents import agent_notes
from proactive_agent.reports.data_notes import data_notes
from proactive_agent.reports.tables import scenario_grids
from proactive_agent.reports.tables.text_forms import markdown


def write_hub_folder(run: RunFolder, folder: Path) -> list[Path]:
    """Writes both tables, `run.json`, `summary.json` and a data set card. Returns their paths."""
    manifest = run.read_manifest()
    data = write_parquet_tables(run, folder / "data")
    summary = summarise(run.outlines())
    files = {
        "run.json": manifest.model_dump_json(indent=2),
        "summary.json": summary.model_dump_json(indent=2),
        "README.md": _card(
            manifest, summary, [file.relative_to(folder).as_posix() for file in data]
        ),
    }
    for name, text in files.items():
        write_whole(folder / name, text + "\n")
    return [*data, *(folder / name for name in files)]


def _card(manifest: Manifest, summary: Summary, data: list[str]) -> str:
    settings = manifest.settings
    title = f"{settings.shown_provider} on ProactiveBench scenarios"
    configs = [
        {"config_name": Path(file).stem, "data_files": file, "default": index == 0}
        for index, file in enumerate(data)
    ]
    # JSON is valid YAML, and its quotes are safe for any name.
    head = {
        "pretty_name": title,
        "language": ["en"],
        "task_categories": ["visual-question-answering"],
        "tags": ["proactive-agent", "help-seeking", "tool-use"],
        "configs": configs,
    }
    lines = [
        "---",
        *(f"{key}: {json.dumps(value)}" for key, value in head.items()),
        "---",
        f"# {_plain(title)}",
        "",
        "Records of one run of proactive-agent. `episodes` has a row per episode and `turns` a row",
        "per model call. `run.json` holds all settings that determine the numbers, `summary.json`",
        "the metrics. Pictures are named by path and hash and are not included.",
        "",
        "```python",
        'datasets.load_dataset("OWNER/NAME", "turns")',
        "```",
        "",
        "| | |",
        "| --- | --- |",
        f"| provider | {_plain(settings.provider)} |",
        f"| protocol, condition | {settings.protocol}, {settings.condition} |",
        f"| scenarios | {', '.join(settings.scenarios)} |",
        f"| wording | {_plain(manifest.data.wording)} |",
        f"| seed | {settings.seed} |",
    ]
    for grid in scenario_grids(f"{settings.protocol}, {settings.condition}", summary):
        lines += ["", markdown(grid)]
    lines += [
        "",
        "95 % confidence intervals follow the numbers. They are omitted if all samples have the "
        "same value.",
    ]
    for note in [*data_notes([manifest]), *agent_notes([manifest])]:
        lines += ["", _plain(note)]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Removes Markdown and HTML markup."""
    return "".join(" " if c in "|<>`*_[]\n" else c for c in text)
