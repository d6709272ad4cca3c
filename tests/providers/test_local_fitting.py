"""Batches that do not fit into memory, and items that make a batch fail."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from proactive_agent.providers import ProviderError

torch = pytest.importorskip("torch", reason="needs the extra `local`")
pytestmark = pytest.mark.local


def fitting(fits: Callable[[Sequence[int]], bool], error: Exception, size: int = 8) -> Any:
    """A function that doubles numbers if they fit, and the sizes of the batches that it got."""
    from proactive_agent.providers.local.fitting import Fitting

    tried: list[int] = []

    def work(items: Sequence[int]) -> list[int]:
        tried.append(len(items))
        if not fits(items):
            raise error
        return [2 * item for item in items]

    return Fitting(work, size), tried


MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory"),
]


@pytest.mark.parametrize("error", MEMORY, ids=["cuda", "mps", "cublas", "cpu"])
def test_out_of_memory_halves_the_batch(error: Exception) -> None:
    run, tried = fitting(lambda items: len(items) <= 3, error)
    assert run(range(8)) == [0, 2, 4, 6, 8, 10, 12, 14]
    assert tried == [8, 4, 2, 2, 2, 2]


def test_the_smaller_size_is_remembered() -> None:
    run, tried = fitting(lambda items: len(items) <= 3, MEMORY[0])
    run(range(8))
    tried.clear()
    run(range(4))
    assert tried == [2, 2]


def test_a_single_request_that_does_not_fit_is_an_error_of_its_own() -> None:
    run, _ = fitting(lambda items: 5 not in items, MEMORY[0])
    results = run(range(8))
    assert [r for r in results if not isinstance(r, ProviderError)] == [0, 2, 4, 6, 8, 12, 14]
    assert results[5].kind == "out_of_memory"


def test_a_single_request_that_does_not_fit_makes_no_later_batch_smaller() -> None:
    run, _ = fitting(lambda items: 5 not in items, MEMORY[0])
    run(range(8))
    assert run.size == 8


def test_another_error_hits_only_the_item_that_causes_it() -> None:
    run, tried = fitting(lambda items: 2 not in items, ValueError("not this one"), size=4)
    results = run(range(4))
    assert [r for r in results if not isinstance(r, ProviderError)] == [0, 2, 6]
    assert results[2].kind == "generation_failed"
    assert str(results[2]) == "ValueError: not this one"
    assert tried == [4, 1, 1, 1, 1]
