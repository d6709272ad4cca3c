"""How many workers a model gets, and which GPUs; without Ray and without GPUs."""

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proactive_agent.providers import ApiAccess, ProviderOptions, create_provider
from proactive_agent.providers.kept_process import KeptProcess
from proactive_agent.providers.local.aliases import Source
from proactive_agent.providers.workers import connection, factory, pool
from proactive_agent.providers.workers.placement import (
    copies_on_gpus,
    plan_here,
    plan_on_cluster,
)
from proactive_agent.providers.workers.pool import WorkerPlace, WorkerPool, chosen
from proactive_agent.providers.workers.provider import LocalWorkers
from proactive_agent.providers.workers.worker import Description, LoadOrder, program_sha256
from proactive_agent.tools import MissingExtraError, UserError

GIB = 2**30
EIGHT = [str(number) for number in range(8)]
ORDER = LoadOrder(Source("m", None), ProviderOptions())
KILLED = """\
The actor died unexpectedly before finishing this task.
\tclass_name: Worker
The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit \
detail: Worker unexpectedly exits with a connection error code 2. End of file. Some common causes \
include: (1) the process was killed by the OOM killer due to high memory usage."""
"""What Ray says about a worker that was killed."""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux restricts a process to cores")
def test_workers_need_cores_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: {5})
    options = ProviderOptions(device="cpu", access=ApiAccess(workers=2))
    with pytest.raises(UserError, match="this process may use 1; use at most --workers 1"):
        create_provider("local:idefics2", options)


@pytest.mark.parametrize(
    ("weights", "free", "copies"),
    [
        (16 * GIB, [80 * GIB] * 8, 8),
        (144 * GIB, [80 * GIB] * 8, 1),  # too large for one GPU
        (60 * GIB, [80 * GIB] * 8, 1),  # no room for a batch
        (16 * GIB, [80 * GIB, 10 * GIB], 1),  # another program uses a GPU
        (None, [80 * GIB] * 8, 1),
        (16 * GIB, [], 1),
    ],
)
def test_each_gpu_gets_a_copy_if_the_model_fits(
    weights: int | None, free: Sequence[int], copies: int
) -> None:
    assert copies_on_gpus(weights, free) == copies


@pytest.mark.parametrize(
    ("workers", "each", "device", "gpus", "expected"),
    [
        (2, None, "auto", EIGHT[:2], ["0", "1"]),
        (2, 2, "auto", ["4", "5", "6", "7"], ["4,5", "6,7"]),
        (None, 4, "spread", EIGHT, ["0,1,2,3", "4,5,6,7"]),
        (2, None, "auto", [], ["", ""]),
        (2, None, "cpu", EIGHT, ["", ""]),
        (1, 0, "auto", EIGHT, [""]),
    ],
)
def test_the_workers_of_this_machine_have_gpus_of_their_own(
    workers: int | None, each: int | None, device: str, gpus: list[str], expected: list[str]
) -> None:
    assert list(plan_here(workers, each, device, gpus, cpus=8).devices) == expected


def test_the_cores_of_this_machine_are_shared() -> None:
    assert plan_here(3, None, "cpu", [], cpus=5).threads == 1
    assert plan_here(2, None, "cpu", [], cpus=16).threads == 8


@pytest.mark.parametrize(
    ("workers", "each", "device", "gpus", "machines", "count"),
    [
        (None, None, "auto", 16, 2, 16),
        (None, 4, "auto", 16, 2, 4),
        (None, None, "auto", 0, 3, 3),
        (5, 1, "auto", 0, 1, 5),  # a cluster that grows on demand
        (9999, 0, "cpu", 0, 1, 9999),  # not bounded by this machine
    ],
)
def test_the_workers_fill_a_cluster(
    workers: int | None, each: int | None, device: str, gpus: int, machines: int, count: int
) -> None:
    assert len(plan_on_cluster(workers, each, device, gpus, machines).devices) == count


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((9, None, "auto"), "9 workers with 1 GPU each: 9 GPUs needed, but this machine has 8"),
        ((1, 9, "auto"), "1 worker with 9 GPUs each: 9 GPUs needed, but this machine has 8"),
        ((9, None, "cpu"), "--workers 9: .* needs a CPU core, but this process may use 8;"),
        ((9, 0, "auto"), "--workers 9: .* needs a CPU core, but this process may use 8;"),
        ((2, None, "cuda:1"), "--device cuda:1 names one GPU"),
        ((2, 1, "cpu"), "--device cpu uses no GPU; drop --gpus-per-worker 1"),
    ],
)
def test_a_plan_that_cannot_work_is_refused(
    given: tuple[int | None, int | None, str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        plan_here(*given, EIGHT, cpus=8)


@pytest.mark.local
def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    for access, option in ((ApiAccess(workers=2), "--workers"), (ApiAccess(ray="auto"), "--ray")):
        with pytest.raises(MissingExtraError, match=f"{option} needs more libraries: .*ray"):
            create_provider("local:idefics2", ProviderOptions(access=access, device="cpu"))


@pytest.mark.parametrize("address", ["", "x", "host:", ":6379", "host:70000", "host:²"])
def test_an_address_that_names_no_cluster_is_refused(address: str) -> None:
    options = ProviderOptions(access=ApiAccess(ray=address), device="cpu")
    with pytest.raises(UserError, match=f"--ray '{address}' is not the address of a cluster"):
        factory.LocalFactory.create("idefics2", options)


def test_auto_without_a_cluster_names_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(*arguments: object) -> None:
        raise ConnectionError(f"{connection.NONE_FOUND}. Please set the `--address` flag.")

    ray = SimpleNamespace(is_initialized=lambda: False)
    monkeypatch.setattr(connection, "_import_ray", lambda: ray)
    monkeypatch.setattr(connection, "_init", init)
    with pytest.raises(UserError, match="--ray auto: no Ray cluster runs on this machine") as error:
        connection.connect("auto", lambda: False)
    assert "--address" not in str(error.value)


def test_a_line_says_that_ray_is_being_started(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    class NotStarted(KeptProcess):
        def start(self, *arguments: Any, **options: Any) -> None:
            raise UserError("not started")

    ray = SimpleNamespace(is_initialized=lambda: False)
    monkeypatch.setattr(connection, "_import_ray", lambda: ray)
    monkeypatch.setattr(connection, "_short_temporary_folder", lambda: tmp_path)
    monkeypatch.setattr(connection, "KeptProcess", NotStarted)
    with pytest.raises(UserError, match="not started"):
        connection.connect(None, lambda: False)
    assert [record.getMessage() for record in caplog.records] == [
        "starting Ray on this machine, which takes some ten seconds"
    ]


@pytest.mark.local
def test_several_gpus_get_copies_without_being_asked(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from proactive_agent.providers.local import weight_size
    from tests.providers import tiny_models

    asked: list[ProviderOptions] = []
    monkeypatch.setattr(factory, "visible_gpus", lambda: EIGHT)
    monkeypatch.setattr(factory, "free_bytes_of_gpus", lambda count: [GIB] * count)
    monkeypatch.setattr(LocalWorkers, "create", lambda model, options: asked.append(options))
    model = str(tiny_models.folder("idefics2"))
    factory.LocalFactory.create(model, ProviderOptions())
    assert [options.access.workers for options in asked] == [8]
    assert "each of the 8 GPUs gets a copy" in caplog.text

    monkeypatch.setattr(weight_size, "weight_bytes", lambda source, options: 100 * GIB)
    spread = factory.LocalFactory.create(model, ProviderOptions())
    assert spread.manifest()["model"] == "idefics2"
    assert "one copy is spread over 8 GPUs" in caplog.text
    assert len(asked) == 1


@pytest.mark.local
@pytest.mark.parametrize(("quantize", "each"), [(None, 4), ("8bit", 1.25)])
def test_the_size_of_the_weights_is_known_before_they_are_loaded(
    quantize: str | None, each: float
) -> None:
    import torch
    from safetensors import safe_open

    from proactive_agent.providers.local.aliases import resolve
    from proactive_agent.providers.local.weight_size import weight_bytes
    from tests.providers import tiny_models

    folder = tiny_models.folder("qwen2_5_vl")
    with safe_open(folder / "model.safetensors", "pt") as file:
        sizes = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
    count = sum(torch.Size(size).numel() for size in sizes)
    size = weight_bytes(resolve(str(folder)), ProviderOptions(quantize=quantize))
    assert size == int(count * each)


LEARNT = {"thinks": False, "default_thinking_room": 0, "batch_size_that_fits": 4}


def described(learnt: dict[str, Any]) -> Description:
    return Description("host", 7, program_sha256(), {}, learnt, None)


def test_the_rate_of_a_worker_counts_from_when_its_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(pool.time, "monotonic", lambda: now[0])
    workers = WorkerPool("m", connection.RayConnection(None), [ORDER], 0)
    (place,) = workers.places
    lines = [place.line]
    for _ in range(2):  # The second worker replaces the first.
        now[0] += 60  # It loads.
        workers._loaded(place, described(LEARNT))
        now[0] += 10
        place.answered += 20
        lines.append(place.line)
        place.ready = False
    assert lines == [
        "worker 1: loading, 0 replies, 0 in flight",
        "worker 1 (host, 7): 20 replies (2.0/s), 0 in flight",
        "worker 1 (host, 7): 40 replies (2.0/s), 0 in flight",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (KILLED, "The actor is dead because its worker process has died. Worker exit type: "
         "SYSTEM_ERROR Worker exit detail: Worker unexpectedly exits with a connection error code "
         "2. End of file."),
        ("Task was killed due to the node running low on memory.\nMemory was 31GB / 32GB.",
         "Task was killed due to the node running low on memory."),
        ("word " * 200, f"{'word ' * 99}…"),
        ("", "ValueError"),
    ],
)  # fmt: skip
def test_the_death_of_a_worker_is_told_without_guesses(text: str, reason: str) -> None:
    assert pool._reason(ValueError(text)) == reason


def test_run_json_says_how_many_workers_played(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = SimpleNamespace(__version__="9.9", put=None)
    monkeypatch.setitem(sys.modules, "ray", ray)
    workers = LocalWorkers("m", connection.RayConnection(None), [ORDER, ORDER], 1)
    for place in workers.pool.places:
        place.learnt = LEARNT
    assert workers.learnt()["played_by"] == ["2 workers with 1 GPU each, Ray 9.9"]


def test_a_request_goes_to_the_least_busy_worker_and_a_conversation_stays_with_one() -> None:
    places = [WorkerPlace(number, ORDER) for number in range(4)]
    for place, requests in zip(places, (5, 3, 9, 4), strict=True):
        place.in_flight = requests
    assert chosen(places, "any", 0).number == 1
    for slack, expected in ((2, {0, 1, 3}), (100, {0, 1, 2, 3})):
        assert {chosen(places, episode, slack).number for episode in range(50)} == expected
    assert len({chosen(places, "one", 100).number for _ in range(9)}) == 1
