"""A folder ready to be uploaded to the Hugging Face Hub as a data set.

hf upload OWNER/NAME FOLDER --repo-type dataset
"""

import json
from pathlib import Path

from proactive_agent.exports.tables import write_parquet_tables
from proactive_agent.metrics import Summary, summarise
from proactive_agent.records.manifest import Manifest
from proactive_agent.records.run_folder import RunFolder
from proactive_agent.reports.tables import EMBEDDED_NOTE, scenario_grids
from proactive_agent.reports.tables.text_forms import markdown


def write_hub_folder(run: RunFolder, folder: Path) -> list[Path]:
    """Both tables, `run.json`, `summary.json` and a data set card."""
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
        (folder / name).write_text(text + "\n", encoding="utf-8")
    return [*data, *(folder / name for name in files)]


def _card(manifest: Manifest, summary: Summary, data: list[str]) -> str:
    settings = manifest.settings
    title = f"{settings.provider} on ProactiveBench scenarios"
    configs = [
        {"config_name": Path(file).stem, "data_files": file, "default": index == 0}
        for index, file in enumerate(data)
    ]
    # JSON is YAML, and nothing that a user named can break out of its quotes.
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
        "Records of one run of proactive-agent. `episodes` has a row per episode, `turns` a row",
        "per model call; `run.json` has everything that determines the numbers, `summary.json`",
        "the metrics. Pictures are named by path and hash; they are not here.",
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
    lines += ["", "Beside each number its 95 % confidence interval; none where all are alike."]
    if manifest.data.embedded:
        lines += ["", EMBEDDED_NOTE]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Without what Markdown or HTML would take for its own."""
    return "".join(" " if c in "|<>`*_[]\n" else c for c in text)
