from __future__ import annotations

import gc
import importlib.util
import logging
import subprocess
import sys
import textwrap
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import lowvox.memory
from lowvox import engines, models
from lowvox.errors import BudgetError, NotFoundError, UsageError
from lowvox.memory import (
    BatchSizeOptimizer,
    MemoryMonitor,
    MemoryPool,
    ReferenceCycleDetector,
    compat,
    compat_pool,
    get_batch_optimizer,
    get_cycle_detector,
    get_memory_monitor,
    get_memory_pool,
    get_memory_stats,
    ledger,
    limit,
    log_memory_summary,
    memory_efficient_context,
    optimize_model_memory,
)
from lowvox.types import Choice, Footprint, Holding

MB = 2**20
NAMES = {
    *("MemoryPool", "BatchSizeOptimizer", "MemoryMonitor", "ReferenceCycleDetector", "memory_efficient_context"),
    *("optimize_model_memory", "get_memory_stats", "log_memory_summary", "get_memory_pool", "get_batch_optimizer"),
    *("get_memory_monitor", "get_cycle_detector"),
}


@pytest.fixture(autouse=True)
def alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that nobody has used before, without settings."""
    monkeypatch.setattr(compat, "_instances", {})
    for name in ("LOWVOX_MEMORY_LIMIT_MB", "LOWVOX_ENABLE_MEMORY_PROFILING", "LOWVOX_MEMORY_POOL_SIZE"):
        monkeypatch.delenv(name, raising=False)


def run(code: str) -> str:
    """Run code in a process of its own."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- the names


def test_every_name_is_there_and_none_else() -> None:
    assert set(compat.__all__) == NAMES
    for name in lowvox.memory.__all__:
        assert getattr(lowvox.memory, name) is not None
    assert dir(lowvox.memory) == lowvox.memory.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lowvox.memory.nothing


def test_importing_the_package_loads_nothing_heavy() -> None:
    out = run("""
        import sys, lowvox
        before = set(sys.modules)
        import lowvox.memory
        print(*set(sys.modules) - before)
        from lowvox.memory import memory_efficient_context
        print(*(set(sys.modules) - before) & {"numpy", "torch", "msgspec", "sqlite3", "ctypes", "psutil"})
    """)
    assert out == "lowvox.memory\n\n"


def test_examples_of_a_guide_run_with_another_import() -> None:
    out = run("""
        from lowvox.memory import *
        import numpy

        pool = get_memory_pool()
        tensor = pool.get_tensor((1000,), numpy.float32)
        pool.return_tensor(tensor)
        stats = pool.get_stats()
        print(stats["hits"] / (stats["hits"] + stats["misses"]))
        pool.clear()

        optimizer = get_batch_optimizer()
        optimizer = BatchSizeOptimizer(memory_limit_mb=8000, run=lambda size, length: b"x" * (size * length))
        print(1 <= optimizer.get_optimal_batch_size(sequence_length=100) <= 32)
        print(1 <= optimizer.get_optimal_batch_size(100, 500) <= 32)
        print(optimizer.estimate_memory_usage(4, 100, 500) >= 500 * 2**20)

        monitor = get_memory_monitor()
        monitor.start_monitoring()
        try:
            with memory_efficient_context(memory_limit_mb=500):
                print(monitor.get_current_memory_usage() / (1024 * 1024) < 500)
        finally:
            monitor.stop_monitoring()
        print(monitor.get_peak_memory_usage() > 0, monitor.get_memory_alerts())

        detector = get_cycle_detector()
        detector.track_object(monitor)
        print(detector.get_tracked_count())
        print(detector.detect_cycles() >= 0)
        optimize_model_memory(object())
        log_memory_summary()
        print(sorted(get_memory_stats()))
    """)
    assert out.splitlines() == [
        *("0.0", "True", "True", "True", "True", "True []", "1", "True"),
        "['cycle_detector', 'memory_monitor', 'memory_pool', 'process_tree']",
    ]


def test_each_is_one_for_the_whole_process() -> None:
    for get in (get_memory_pool, get_batch_optimizer, get_memory_monitor, get_cycle_detector):
        found: list[object] = []
        threads = [threading.Thread(target=lambda get=get, found=found: found.append(get())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(map(id, found))) == 1


# --- the pool


def test_a_returned_tensor_is_lent_again() -> None:
    pool = MemoryPool(max_pool_size=5)
    first = pool.get_tensor((100,))
    assert (first.shape, first.dtype.name) == ((100,), "float32")
    first[:] = 7
    pool.return_tensor(first)
    second = pool.get_tensor(100)
    assert (second == 7).all()
    stats = pool.get_stats()
    assert (stats["hits"], stats["misses"], stats["allocations"], stats["pooled_tensors"]) == (1, 1, 1, 0)


def test_a_pool_keeps_as_many_as_it_was_told_whatever_they_are() -> None:
    pool = MemoryPool(max_pool_size=5)
    tensors = [pool.get_tensor((50,)) for _ in range(10)] + [pool.get_tensor((5, 5), np.int16)]
    for tensor in tensors:
        pool.return_tensor(tensor)
    assert pool.get_stats()["pooled_tensors"] == 5
    assert pool.get_stats()["dropped"] == 6


def test_a_pool_keeps_no_more_than_64_mb() -> None:
    pool = MemoryPool()
    tensors = [pool.get_tensor((30 * MB,), np.uint8) for _ in range(3)]
    while tensors:
        pool.return_tensor(tensors.pop())
    assert pool.get_stats()["pooled_tensors"] == 2
    assert pool.get_stats()["pooled_bytes"] <= 64 * MB


def test_shapes_and_types_are_kinds() -> None:
    pool = MemoryPool()
    for shape, dtype in (((10,), None), ((10, 10), None), ((100,), None), ((100,), "float16"), ((100,), np.int32)):
        pool.return_tensor(pool.get_tensor(shape, dtype))
    assert pool.get_stats()["pool_types"] == 5


def test_what_is_given_back_twice_is_not_lent_twice() -> None:
    pool = MemoryPool()
    first = pool.get_tensor((100,))
    pool.return_tensor(first)
    second = pool.get_tensor((100,))
    pool.return_tensor(first)  # `second` has the memory now
    third = pool.get_tensor((100,))
    assert not np.shares_memory(second, third)
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1


def test_what_is_foreign_is_left_alone() -> None:
    pool = MemoryPool()
    mine = np.ones(100, np.float32)
    for foreign in (None, mine, MemoryPool().get_tensor(100), pool.get_tensor(100)[10:]):
        pool.return_tensor(foreign)
    assert pool.get_stats()["pooled_tensors"] == 0
    mine[0] = 2


def test_memory_of_which_a_view_lives_is_not_used_again() -> None:
    pool = MemoryPool()
    tensor = pool.get_tensor((100,))
    tensor[:] = 1
    view = tensor[10:]
    pool.return_tensor(tensor)
    pool.get_tensor((100,))[:] = 2
    assert (view == 1).all()


def test_a_tensor_that_is_forgotten_is_not_held() -> None:
    pool = MemoryPool()
    pool.get_tensor((100,))
    gc.collect()
    assert pool._lent == {}


def test_a_pool_goes_when_a_limit_is_near_and_when_nobody_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = limit.Limits(lambda _: (600, 0))
    monkeypatch.setattr(limit, "subscribe", limits.subscribe)
    pool = MemoryPool()
    pool.return_tensor(pool.get_tensor((100,)))
    with limits.limited(1000):
        assert pool.get_stats()["pooled_tensors"] == 1
    with pytest.raises(BudgetError), limits.limited(500):
        pass
    assert pool.get_stats()["pooled_tensors"] == 0
    del pool
    gc.collect()
    assert limits._callbacks == []


def test_the_environment_says_how_many_a_pool_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MemoryPool().max_pool_size == 100
    monkeypatch.setenv("LOWVOX_MEMORY_POOL_SIZE", "7")
    assert get_memory_pool().max_pool_size == 7
    assert MemoryPool(3).max_pool_size == 3
    monkeypatch.setenv("LOWVOX_MEMORY_POOL_SIZE", "many")
    with pytest.raises(UsageError, match="LOWVOX_MEMORY_POOL_SIZE is 'many'"):
        MemoryPool()


def test_without_torch_there_is_only_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with pytest.raises(UsageError, match="no device 'cuda'"):
        MemoryPool().get_tensor((1,), device="cuda")


@dataclass(eq=False)
class Tensor:
    """As much of a torch tensor as a pool uses."""

    shape: tuple[int, ...]
    dtype: str
    device: str
    storage: list[int] = field(default_factory=list)
    nbytes: int = 400

    def detach(self) -> Tensor:
        return Tensor(self.shape, self.dtype, self.device, self.storage)


def test_torch_is_used_where_the_program_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class DType(str):
        __slots__ = ()

    def empty(shape: tuple[int, ...], *, dtype: str, device: str) -> Tensor:
        return Tensor(shape, dtype, device)

    torch = SimpleNamespace(dtype=DType, float32=DType("float32"), empty=empty)
    monkeypatch.setitem(sys.modules, "torch", torch)
    pool = MemoryPool()
    tensor = pool.get_tensor((100,))
    assert (tensor.dtype, tensor.device) == (torch.float32, "cpu")
    pool.return_tensor(tensor)
    again = pool.get_tensor((100,), torch.float32)
    assert again.storage is tensor.storage
    assert again is not tensor
    pool.return_tensor(tensor)
    assert pool.get_tensor((100,)).storage is not again.storage
    pool.return_tensor(again)
    assert pool.get_tensor((100,), device="cuda").storage is not again.storage
    assert isinstance(pool.get_tensor((100,), np.int16), np.ndarray)


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch, which is not installed")
def test_real_torch() -> None:
    out = run("""
        import torch
        from lowvox.memory import MemoryPool, optimize_model_memory
        pool = MemoryPool()
        tensor = pool.get_tensor((10, 10), torch.bfloat16)
        address = tensor.data_ptr()
        pool.return_tensor(tensor)
        again = pool.get_tensor((10, 10), torch.bfloat16)
        print(again.data_ptr() == address, again is tensor, again.dtype)
        model = torch.nn.Linear(2000, 2000)
        model(torch.ones(1, 2000)).sum().backward()
        print(optimize_model_memory(model) > 10 * 2**20, model.training, model.weight.grad, model.weight.requires_grad)
    """)
    assert out.splitlines() == ["True False torch.bfloat16", "True False None False"]


def test_the_pool_logs_what_it_was_good_for(caplog: pytest.LogCaptureFixture) -> None:
    pool = MemoryPool()
    for _ in range(4):
        pool.return_tensor(pool.get_tensor((100,)))
    with caplog.at_level(logging.INFO, "lowvox.memory"):
        pool.log_stats()
    assert "75.0 % of 4 requests from the pool; 1 tensors of 1 kinds" in caplog.text


# --- batch sizes


@pytest.fixture(params=["synthesizer", "recognizer"])
def line(home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Footprint:
    """A ledger that knows the model that lowvox would load: a stream takes 50 MB or little, a unit of input 1 MB."""
    role = request.param
    if role == "recognizer":
        require = engines.require

        def required(name: str) -> None:
            if engines.entry(name).role == "synthesizer":
                raise NotFoundError("There is no voice.")
            require(name)

        monkeypatch.setattr(engines, "require", required)
    model = models.find(role, "en")
    entry = engines.entry(model.engine)
    choice = Choice(model, entry.profiles[0], entry.placements[0])
    footprint = Footprint(40 * MB, 10 * MB, 100 * MB, load_s=1.0, slope=float(MB), longest=100.0)
    ledger.Ledger().put(ledger.key(choice, entry.package), footprint)
    # A recogniser's streams share nothing.
    return footprint if entry.capacity is None else replace(footprint, resident=0, stream=50 * MB)


def test_the_ledger_says_how_many_fit(line: Footprint) -> None:
    used = limit.Limit.used()
    optimizer = BatchSizeOptimizer(memory_limit_mb=(used + line.resident) / MB + 500)
    each = line.stream // MB + 20
    assert optimizer.get_optimal_batch_size(sequence_length=20) == pytest.approx(500 / each, abs=1)
    assert optimizer.get_optimal_batch_size(100) < optimizer.get_optimal_batch_size(20)
    assert optimizer.estimate_memory_usage(4, 20) == line.resident + 4 * each * MB
    assert optimizer.estimate_memory_usage(4, 20, 500) == (500 + 4 * each) * MB


def test_a_model_that_is_new_is_measured(home: Path) -> None:
    optimizer = get_batch_optimizer()
    assert optimizer.get_optimal_batch_size(sequence_length=10) >= 1
    (row,) = (home / "cache").glob("ledger.sqlite")
    before = row.read_bytes()
    assert optimizer.estimate_memory_usage(2, 10) > optimizer.estimate_memory_usage(1, 10)
    assert row.read_bytes() == before


def test_not_even_one_says_why(line: Footprint, caplog: pytest.LogCaptureFixture) -> None:
    optimizer = BatchSizeOptimizer(memory_limit_mb=limit.Limit.used() / MB + 5)
    assert optimizer.get_optimal_batch_size(20) == 0
    # What is used may change by a hair between the two.
    told = optimizer.explain(20).reason.partition(":")[0]
    assert told == "Not even one fits"
    assert f"{told}: it would take" in caplog.text
    assert BatchSizeOptimizer(memory_limit_mb=0).get_optimal_batch_size(20) == 0


def test_the_answer_changes_with_the_limit(line: Footprint, monkeypatch: pytest.MonkeyPatch) -> None:
    optimizer, used = get_batch_optimizer(), limit.Limit.used() // MB
    free = optimizer.get_optimal_batch_size(20)
    with memory_efficient_context(used + 700):
        inside = optimizer.get_optimal_batch_size(20)
        with memory_efficient_context(used + 300):
            assert 0 < optimizer.get_optimal_batch_size(20) < inside <= free
        with memory_efficient_context(used + 20):
            assert optimizer.get_optimal_batch_size(20) == 0
    monkeypatch.setenv("LOWVOX_MEMORY_LIMIT_MB", str(used + 300))
    assert 0 < optimizer.get_optimal_batch_size(20) < inside


def test_work_that_is_given_is_measured_once_for_each_length() -> None:
    calls = []

    def work(size: int, length: int) -> int:
        calls.append((size, length))
        return len(b"x" * (size * length * MB))

    optimizer = BatchSizeOptimizer(memory_limit_mb=limit.Limit.used() / MB + 100, run=work)
    assert optimizer.get_optimal_batch_size(5) == pytest.approx(20, abs=3)
    assert optimizer.get_optimal_batch_size(10) == pytest.approx(10, abs=2)
    assert optimizer.estimate_memory_usage(2, 10) == pytest.approx(20 * MB, rel=0.2)
    assert optimizer.estimate_memory_usage(2, 10, 50) == pytest.approx(70 * MB, rel=0.2)
    assert len(calls) == 6


# --- the monitor


def test_a_monitor_is_started_and_stopped_as_often_as_one_likes() -> None:
    monitor = MemoryMonitor(check_interval=0.1)
    for _ in range(2):
        monitor.start_monitoring()
        monitor.start_monitoring()
        assert monitor._monitoring
        monitor.stop_monitoring()
        monitor.stop_monitoring()
        assert not monitor._monitoring
    assert monitor.get_peak_memory_usage() > MB
    assert "lowvox-monitor" not in {thread.name for thread in threading.enumerate()}


def test_a_monitor_knows_now_and_the_most() -> None:
    monitor = MemoryMonitor()
    assert monitor.get_peak_memory_usage() == 0
    block = b"x" * (50 * MB)
    high = monitor.get_current_memory_usage()
    del block
    assert monitor.get_current_memory_usage() < high - 40 * MB
    assert monitor.get_peak_memory_usage() == high
    monitor.reset_stats()
    assert monitor.get_peak_memory_usage() == 0


def test_alerts_are_sentences_and_go_with_a_reset() -> None:
    monitor = MemoryMonitor()
    with limit.limited(limit.Limit.used() + 40 * MB):
        block = b"x" * (37 * MB)
        monitor.start_monitoring()
        assert monitor._monitor is not None
        monitor._monitor.look()
        del block
    (alert,) = monitor.get_memory_alerts()
    assert "lowvox takes" in alert
    monitor.reset_stats()
    assert monitor._monitoring
    monitor.stop_monitoring()
    assert monitor.get_memory_alerts() == []


def test_profiling_starts_the_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWVOX_ENABLE_MEMORY_PROFILING", "1")
    monitor = get_memory_monitor()
    assert monitor._monitoring
    monitor.stop_monitoring()
    assert not get_memory_monitor()._monitoring
    monkeypatch.setattr(compat, "_instances", {})
    monkeypatch.setenv("LOWVOX_ENABLE_MEMORY_PROFILING", "perhaps")
    with pytest.raises(UsageError, match="LOWVOX_ENABLE_MEMORY_PROFILING is 'perhaps'"):
        get_memory_monitor()


# --- cycles


class Node:
    other: Any = None


def test_cycles_are_counted_and_freed(caplog: pytest.LogCaptureFixture) -> None:
    detector = ReferenceCycleDetector()
    gc.collect()
    one, two = Node(), Node()
    one.other, two.other = two, one
    detector.track_object(one)
    detector.track_object(two)
    assert detector.get_tracked_count() == 2
    del one, two
    assert detector.detect_cycles() >= 2
    assert detector.get_tracked_count() == 0
    assert detector.cycles_detected >= 2
    assert "Node" in caplog.text


def test_what_cannot_be_watched_is_counted_until_it_is_forgotten() -> None:
    detector = ReferenceCycleDetector()
    detector.track_object({"a": 1})
    watched = Node()
    detector.track_object(watched)
    del watched
    assert detector.get_tracked_count() == 1
    detector.clear_registry()
    assert detector.get_tracked_count() == 0


# --- the context and the rest


def test_a_context_limits_and_watches() -> None:
    size = limit.Limit.used() // MB + 200
    with memory_efficient_context(size) as outer:
        assert outer is not None
        assert limit.current() == outer.bytes == size * MB
        assert get_memory_monitor()._monitoring
        with memory_efficient_context(size + 100):
            assert limit.current() == size * MB
        assert get_memory_monitor()._monitoring
    assert limit.current() is None
    assert not get_memory_monitor()._monitoring
    assert get_memory_monitor().get_peak_memory_usage() > 0


@pytest.mark.parametrize("size", [-1, float("nan"), float("inf")])
def test_a_limit_is_a_number_of_mb(size: float) -> None:
    with pytest.raises(UsageError, match="is no number of MB"):
        BatchSizeOptimizer(size)
    with pytest.raises(UsageError, match="is no number of MB"), memory_efficient_context(size):
        pass
    with pytest.raises(UsageError, match="A limit of 0 bytes"), memory_efficient_context(0):
        pass


def test_a_context_refuses_what_cannot_be_and_what_was_too_much() -> None:
    with pytest.raises(BudgetError, match="nothing was begun"), memory_efficient_context(memory_limit_mb=1):
        pass
    with pytest.raises(BudgetError, match="at its peak"), memory_efficient_context(limit.Limit.used() // MB + 30):
        block = b"x" * (60 * MB)
    assert len(block) == 60 * MB
    assert limit.current() is None
    assert not get_memory_monitor()._monitoring


def test_without_a_limit_a_context_takes_the_budget_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    with memory_efficient_context() as nothing:
        assert nothing is None
        assert limit.current() is None
    monkeypatch.setenv("LOWVOX_MEMORY_LIMIT_MB", "900")
    with memory_efficient_context():
        assert limit.current() == 900 * MB


@dataclass
class Parameter:
    grad: object = "a buffer"
    requires_grad: bool = True

    def requires_grad_(self, wanted: bool) -> None:
        self.requires_grad = wanted


class Module:
    training = True

    def __init__(self) -> None:
        self.weights = [Parameter(), Parameter()]

    def eval(self) -> None:
        self.training = False

    def parameters(self) -> list[Parameter]:
        return self.weights


def test_a_torch_module_stops_training() -> None:
    model = Module()
    assert optimize_model_memory(model) >= 0
    assert not model.training
    assert model.weights == [Parameter(None, False)] * 2


class Manager:
    """Holds blocks as if they were models."""

    def __init__(self) -> None:
        self.blocks = {"leased": b"", "pinned": b"", "idle": b"x" * (30 * MB)}

    def holdings(self) -> tuple[Holding, ...]:
        idle = Holding("idle", "recognizer", "in-process", None, "idle", 0, 0, 1, 0, 1.0, -1.0, False)
        leased = replace(idle, model="leased", status="leased")
        return leased, replace(idle, model="pinned", pinned=True), idle

    def unload(self, name: str) -> None:
        del self.blocks[name]


@pytest.mark.parametrize("wrapped", [True, False])
def test_what_lowvox_does_not_use_is_unloaded(wrapped: bool) -> None:
    manager = Manager()
    came_back = optimize_model_memory(SimpleNamespace(manager=manager) if wrapped else manager)
    assert set(manager.blocks) == {"leased", "pinned"}
    assert came_back > 25 * MB


def test_the_figures_are_real_and_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    get_cycle_detector().cycles_detected = 3
    get_memory_monitor()._alerts.append("Something.")
    stats = get_memory_stats()
    assert stats["memory_pool"]["hits"] == 0
    assert stats["memory_monitor"]["alerts"] == ["Something."]
    assert stats["memory_monitor"]["peak_usage"] >= stats["memory_monitor"]["current_usage"] > MB
    assert stats["cycle_detector"] == {"tracked_objects": 0, "cycles_detected": 3}
    assert stats["process_tree"]["rss"] >= stats["process_tree"]["pss"] > MB
    assert stats["process_tree"]["limit"] is None
    with caplog.at_level(logging.INFO, "lowvox.memory"):
        log_memory_summary()
        with limit.limited(5000 * MB):
            log_memory_summary()
    for text in ("no limit", "limit 5000.0 MB", "Memory pool:", "Memory alert: Something.", "cycles: 3 objects"):
        assert text in caplog.text


def test_a_pool_counts_with_its_cap() -> None:
    assert compat_pool.CAP == 64 * MB
