"""How `run` ends: errors by kind, how to go on, exit codes, cut-off replies, served models."""

import json
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest

from proactive_agent import evaluate, open_run
from proactive_agent.__main__ import main
from proactive_agent.metrics import ServedModel
from proactive_agent.providers import (
    Provider,
    ProviderError,
    ProviderOptions,
    Reply,
    Request,
    ServedBy,
    StoppedError,
)
from proactive_agent.providers.registry import REGISTERED
from proactive_agent.records.run_folder import RunFolder
from tests.proactive_agent.api_playing import invoke

ABSTAINS = Reply("I cannot tell.")


class Account(Provider):
    """Abstains. The model `fails` fails twice; `ends` has credit for two requests."""

    remote = True
    asked: list[str] = []  # noqa: RUF012

    def __init__(self, model: str, options: ProviderOptions) -> None:
        self.model = model
        self.asked.clear()

    @property
    def concurrency(self) -> int:
        return 1

    async def complete(self, request: Request) -> Reply:
        self.asked.append(self.model)
        number = self.asked.count(self.model)
        if self.model == "ends" and number > 2:
            raise StoppedError("account:ends: quota: HTTP 402: add credit\ud800")
        if self.model == "fails" and number == 1:
            raise ProviderError("timeout", "no reply within 60 s")
        if self.model == "fails" and number == 2:
            return Reply("A.", finish_reason={"type": "stop"})  # type: ignore[arg-type]
        return ABSTAINS


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REGISTERED, "account", Account)


def run(results: Path, *models: str, limit: int = 4) -> tuple[int, str]:
    providers = [option for model in models for option in ("--provider", f"account:{model}")]
    done = invoke(
        "run", *providers, "--scenario", "rod", "--limit", str(limit), "--out", str(results)
    )
    return done.exit_code, done.stderr


def folders(results: Path) -> dict[str, RunFolder]:
    return {path.name.split("_")[1]: RunFolder(path) for path in results.iterdir()}


def test_errors_are_named_by_kind_with_a_message_and_the_way_to_go_on(tmp_path: Path) -> None:
    code, said = run(tmp_path, "fails")
    (folder,) = tmp_path.iterdir()
    assert code == 1
    assert "2 of 4 episodes ended with an error:" in said
    assert "  1 timeout: no reply within 60 s" in said
    assert "  1 malformed: the reply is malformed: finish_reason is" in said
    assert f"2 episodes met errors; continue with: --resume {folder}" in said
    result = open_run(folder)
    assert {(e.source, e.kind, e.episodes) for e in result.errors} == {
        ("provider", "timeout", 1), ("provider", "malformed", 1),
    }  # fmt: skip
    assert result.manifest.status == "finished"
    kinds = json.loads((folder / "summary.json").read_text())["error_kinds"]
    assert [kind["example"] for kind in kinds] == [error.example for error in result.errors]


def test_a_run_without_errors_ends_with_0_and_mentions_none(tmp_path: Path) -> None:
    code, said = run(tmp_path, "works")
    assert code == 0
    assert "with an error" not in said
    assert "--resume" not in said


def test_a_refused_account_interrupts_the_runs_of_its_model_only(tmp_path: Path) -> None:
    code, said = run(tmp_path, "ends", "works")
    found = folders(tmp_path)
    ended, worked = found["account-ends"], found["account-works"]
    assert code == 1
    assert Account.asked.count("ends") == 3  # two replies and the refusal
    assert Account.asked.count("works") == 4
    manifest = ended.read_manifest()
    assert (manifest.status, worked.read_manifest().status) == ("interrupted", "finished")
    assert manifest.stopped == "account:ends: quota: HTTP 402: add credit?"
    assert len(ended.outlines()) == 2
    assert "HTTP 402: add credit" in said
    assert f"; continue with: --resume {ended.path}" in said
    assert str(worked.path) not in said.split("continue with:")[1]


@pytest.mark.parametrize("plan", [False, True])
def test_the_command_that_continues_has_every_option_that_no_folder_holds(
    plan: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("proactive-agent.toml").write_text("[run]\ntpm = 500000.0\n")
    Path("my study.yaml").write_text(
        json.dumps({"models": ["account:ends"], "scenarios": ["rod"], "limit": 4})
    )
    own = ["--plan", "my study.yaml"] if plan else [
        "--provider", "account:ends", "--scenario", "rod", "--limit", "4",
    ]  # fmt: skip
    options = [
        "-v", "--log-level", "debug", "--concurrency", "1", "--start-timeout", "9.0",
        "--workers", "2", "--ray", "head:6379", "--gpus-per-worker", "1", "--rpm", "9000.0",
        "--timeout", "8.0", "--price", "1,2", "--cache", "my replies", "--batch-api",
        "--budget-usd", "3.0",
    ]  # fmt: skip
    done = invoke("run", *own, *options, "--out", "runs")
    assert done.exit_code == 1, done.output
    said = shlex.split(done.stderr.partition("continue with: ")[2].splitlines()[0])
    folder = next(path for path in Path("runs").rglob("run.json")).parent
    place = ["--plan", "my study.yaml", "--out", "runs"] if plan else ["--resume", str(folder)]
    assert said[: len(place)] == place
    assert sorted(said[len(place) :]) == sorted([*options, "--tpm", "500000.0"])
    assert invoke("run", *said).exit_code == 0


def test_the_command_that_continues_has_no_option_that_would_be_refused(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    models = ["--provider", "account:fails", "--provider", f"replay:{tmp_path / 'none.jsonl'}"]
    results = tmp_path / "runs"
    own = ["--scenario", "rod", "--limit", "2", "--workers", "2", "--out", str(results)]
    done = invoke("run", *models, *own)
    said = {line.partition("continue with: ")[2] for line in done.stderr.splitlines()} - {""}
    found = {path.name.split("_")[1].split("-")[0]: path for path in results.iterdir()}
    assert said == {f"--resume {found['account']} --workers 2", f"--resume {found['replay']}"}


def test_a_run_that_goes_on_forgets_why_it_was_stopped(tmp_path: Path) -> None:
    run(tmp_path, "ends", limit=4)
    (folder,) = tmp_path.iterdir()
    done = invoke("run", "--resume", str(folder))
    assert done.exit_code == 0, done.output
    manifest = RunFolder(folder).read_manifest()
    assert (manifest.status, manifest.stopped) == ("finished", None)


def test_a_model_that_cannot_go_on_before_the_first_sample_is_wrong_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def probe(self: Provider, sampling: object) -> Reply | None:
        raise StoppedError("account:works: auth: HTTP 401: expired key")

    monkeypatch.setattr(Account, "probe", probe)
    code, said = run(tmp_path, "works")
    assert code == 2
    assert "error: account:works: auth: HTTP 401: expired key" in said
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_ends_a_run_before_a_model_is_loaded(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    done = invoke(
        "run", "--provider", "local:owner/never-loaded", "--out", str(tmp_path / "file" / "runs")
    )
    assert done.exit_code == 2
    file = tmp_path / "file"
    assert done.stderr == f"error: {file}/runs cannot be written: {file}: Not a directory\n"


def test_ctrl_c_ends_the_program_while_it_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "proactive_agent.cli.app", Interrupted("app"))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130


def test_ctrl_c_ends_any_command_with_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("proactive_agent.records.handles.find_runs", interrupted)
    assert invoke("compare", "run").exit_code == 130


# Cut-off replies ---------------------------------------------------------------------------------


def cut_off(folder: Path) -> Path:
    """Plays five samples with a thinking model that the token limit cuts off three times."""

    def model(request: Request) -> Reply:
        if request.key.sample_id in (0, 1):
            return ABSTAINS
        return Reply("", finish_reason="length", served=ServedBy("thinker-2", gateway="Host"))

    return evaluate(model, scenarios="rod", limit=5, out=folder).folder


def test_cut_off_replies_are_wrong_and_stand_in_every_table(tmp_path: Path) -> None:
    run_folder = cut_off(tmp_path / "run")
    result = open_run(run_folder)
    assert result.summary.macro.cut_off.value == pytest.approx(0.6)
    assert result.summary.macro.acc.value == 0
    assert result.summary.errors == 0
    written = json.loads((run_folder / "summary.json").read_text())["scenarios"]["rod"]
    assert (written["cut_off_replies"], written["turns"]) == (3, 5)
    note = "Replies cut off by the token limit: 3 of 5."
    for runs in ([str(run_folder)], [str(run_folder)] * 2):
        shown = invoke("compare", *runs, "--format", "markdown")
        assert "cut off %" in shown.stdout
        assert "Replies cut off by the token limit" in shown.stderr
        assert "--max-tokens" in shown.stderr
    report = tmp_path / "report.html"
    invoke("report", str(run_folder), "-o", str(report))
    assert note in report.read_text()
    assert "cut off" in report.read_text()


def test_exports_have_columns_for_cut_off_replies_and_what_served_them(tmp_path: Path) -> None:
    result = open_run(cut_off(tmp_path / "run"))
    episodes = {row["sample_id"]: row for row in result.rows()}
    turns = {row["sample_id"]: row for row in result.rows("turn")}
    assert [(one["cut_off"], one["failure"]) for one in episodes.values()].count(
        (1, "cut-off")
    ) == 3
    assert (turns["0"]["cut_off"], turns["0"]["served_model"]) == (False, None)
    served = turns["2"]
    assert (served["cut_off"], served["served_model"]) == (True, "thinker-2")
    assert (served["served_fingerprint"], served["served_gateway"]) == (None, "Host")


def test_the_manifest_and_the_notes_name_what_served(tmp_path: Path) -> None:
    models = ["big-2026-01-01", "big-2026-02-02", "big-2026-02-02"]

    def model(request: Request) -> Reply:
        return Reply("I cannot tell.", served=ServedBy(models.pop(), fingerprint="fp_1"))

    result = evaluate(model, scenarios="rod", limit=3, out=tmp_path / "run")
    assert [(one.model, one.fingerprint) for one in result.manifest.served] == [
        ("big-2026-02-02", "fp_1"), ("big-2026-01-01", "fp_1"),
    ]  # fmt: skip
    assert result.summary.served[0] == ServedModel(
        model="big-2026-02-02", fingerprint="fp_1", gateway=None, replies=2
    )
    turn = next(result.episodes()).turns[0]
    assert turn.reply.served is not None
    shown = " ".join(invoke("compare", str(result.folder)).output.split())
    assert "came from 2 models: big-2026-02-02 (2), big-2026-01-01 (1)." in shown
    assert "fingerprints" not in shown


def test_a_run_that_one_model_served_has_no_note(tmp_path: Path) -> None:
    shown = invoke("compare", str(cut_off(tmp_path / "run"))).output
    assert "came from" not in shown
