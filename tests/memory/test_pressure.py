"""Pressure as the real files here give it, and as trees of files of the machines that are not here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowvox.memory import pressure
from lowvox.memory.meter import MB
from lowvox.memory.pressure import STALLED, Pressure, cgroups, meminfo, psi, read, reserve, wanted

GB = 1024 * MB
SIZES = st.integers(0, 64 * GB)
MEMINFO = (
    "MemTotal:        4096000 kB\nMemFree:          200000 kB\nMemAvailable:    1024000 kB\nHugePages_Total:       0\n"
)
WAITING = "some avg10={} avg60=1.50 avg300=0.00 total=877354\nfull avg10=99.00 avg60=0.00 avg300=0.00 total=0\n"


def tree(root: Path, **files: str) -> Path:
    """Write files below a root; two underscores in a name are a slash."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def put(folder: Path, **files: int | str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / name.replace("_", ".", 1)).write_text(f"{value}\n")


def test_this_machine() -> None:
    now = read()
    memory = psutil.virtual_memory()
    assert now.total == memory.total
    assert now.available == pytest.approx(memory.available, rel=0.1)
    assert 0 < now.room <= now.available
    assert now.most <= now.total
    if Path("/proc/pressure/memory").exists():
        assert now.stalled is not None
        assert 0 <= now.stalled <= 100


@pytest.fixture
def limited() -> Iterator[Path]:
    """A cgroup of version 1 below our own with a limit of 300 MB."""
    known = cgroups(Path("/proc/self/cgroup").read_text(), Path("/sys/fs/cgroup"))
    own = next((folder for folder in known if (folder / "memory.limit_in_bytes").exists()), None)
    if own is None or not os.access(own, os.W_OK):
        pytest.skip("needs cgroups of version 1 and the right to make one")
    group = own / f"lowvox-test-{os.getpid()}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(300 * MB))
        yield group
    finally:
        group.rmdir()


def test_a_process_in_a_real_cgroup(limited: Path) -> None:
    code = (
        "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid()))\n"
        "from lowvox.memory import pressure; held = bytearray(b'x' * 50 * 2**20); now = pressure.read()\n"
        "print(now.limit, now.headroom, now.most)"
    )
    command = [sys.executable, "-c", code, str(limited / "cgroup.procs")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    limit, headroom, most = map(int, told.split())
    assert limit == most == 300 * MB
    assert 200 * MB < headroom < 250 * MB


def test_version_2(tmp_path: Path) -> None:
    root = tree(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="0::/user.slice/app\n")
    own = root / "sys/fs/cgroup/user.slice/app"
    put(own, memory_max="max", memory_high=800 * MB, memory_current=700 * MB, memory_stat=f"inactive_file {50 * MB}")
    put(own.parent, memory_max=1000 * MB, memory_high="max", memory_current=900 * MB)
    (own / "memory.pressure").write_text(WAITING.format("12.34"))
    tree(root, proc__pressure__memory=WAITING.format("0.00"))
    assert read(root) == Pressure(1024000 * 1024, 4096000 * 1024, 100 * MB, 800 * MB, 12.34)
    assert (read(root).room, read(root).most) == (100 * MB, 800 * MB)


def test_version_1_in_a_container_that_hides_the_path(tmp_path: Path) -> None:
    root = tree(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="5:cpu:/\n4:hugetlb,memory:/docker/abc\n0::/\n")
    top = root / "sys/fs/cgroup/hugetlb,memory"
    put(top, memory_limit_in_bytes=512 * MB, memory_usage_in_bytes=500 * MB)
    (top / "memory.stat").write_text(f"inactive_file 0\ntotal_inactive_file {100 * MB}\n")
    (root / "sys/fs/cgroup/unified").mkdir()
    tree(root, proc__pressure__memory=WAITING.format("1.00"))
    assert read(root) == Pressure(1024000 * 1024, 4096000 * 1024, 112 * MB, 512 * MB, 1.0)


def test_a_limit_beyond_the_machine_is_none(tmp_path: Path) -> None:
    root = tree(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="4:memory:/\n")
    put(root / "sys/fs/cgroup/memory", memory_limit_in_bytes=9223372036854771712, memory_usage_in_bytes=5)
    assert read(root) == Pressure(1024000 * 1024, 4096000 * 1024)


def test_a_cgroup_over_its_limit_has_no_headroom(tmp_path: Path) -> None:
    root = tree(tmp_path, proc__meminfo=MEMINFO, proc__self__cgroup="0::/\n")
    put(root / "sys/fs/cgroup", memory_max=MB, memory_current=2 * MB)
    assert (read(root).headroom, read(root).room) == (0, 0)


def test_no_files_no_figures(tmp_path: Path) -> None:
    assert read(tmp_path) == Pressure(0, 0)
    assert wanted(read(tmp_path)) == 0


def test_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pressure, "_LINUX", False)
    now = read()
    assert (now.total, now.headroom, now.limit, now.stalled) == (psutil.virtual_memory().total, None, None, None)
    assert 0 < now.available < now.total


def test_meminfo_of_a_sandbox_without_the_newer_line() -> None:
    assert meminfo("MemTotal: 2048 kB\nMemFree:    1024 kB\n") == (MB, 2 * MB)


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    available, total = meminfo(text)
    assert available >= 0
    assert total >= 0
    assert psi(text) is None
    root = Path("/nowhere")
    assert all(folder.is_relative_to(root) for folder in cgroups(text, root))


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.floats(0, 100))
def test_what_is_written_is_read(available: int, total: int, stalled: float) -> None:
    assert meminfo(f"MemTotal: {total} kB\nMemAvailable: {available} kB\n") == (available * 1024, total * 1024)
    assert psi(WAITING.format(f"{stalled:.2f}")) == pytest.approx(stalled, abs=0.005)


@given(st.lists(st.sampled_from(["a", "b.slice", "c-1"])))
def test_a_group_and_all_above_it(parts: list[str]) -> None:
    root = Path("/sys/fs/cgroup")
    own = root.joinpath("memory", *parts)
    found = cgroups(f"3:cpuset:/x\n2:memory:/{'/'.join(parts)}\n", root)
    assert found[0] == own
    assert found[-1] == root / "memory"
    assert len(found) == len(parts) + 1


@given(st.integers(1, 64 * 1024))
def test_the_reserve_is_a_small_part(mb: int) -> None:
    kept = reserve(mb * MB)
    assert 0 < kept <= min(512 * MB, mb * MB // 8)
    assert kept <= reserve((mb + 1) * MB)


def test_the_reserve_of_real_machines() -> None:
    sizes = {128 * MB: 16, 512 * MB: 64, GB: 64, 2 * GB: 102, 4 * GB: 204, 64 * GB: 512}
    assert {total: reserve(total) // MB for total in sizes} == sizes


@given(SIZES, SIZES, st.one_of(st.none(), SIZES), SIZES, st.one_of(st.none(), st.floats(0, 100)))
def test_giving_back_what_is_wanted_is_enough(
    available: int, total: int, headroom: int | None, limit: int, stalled: float | None
) -> None:
    now = Pressure(available, total, headroom, None if headroom is None else limit, stalled)
    ask = wanted(now)
    assert ask >= 0
    after = Pressure(available + ask, total, None if headroom is None else headroom + ask, now.limit, stalled)
    assert wanted(after) == 0
    calm = Pressure(available, total, headroom, now.limit, 0.0)
    assert wanted(calm) <= ask


def test_when_memory_is_wanted_back() -> None:
    assert wanted(Pressure(103 * MB, 2 * GB)) == 0
    assert wanted(Pressure(100 * MB, 2 * GB)) == reserve(2 * GB) * 3 // 2 - 100 * MB
    assert wanted(Pressure(103 * MB, 2 * GB, stalled=STALLED - 0.1)) == 0
    assert wanted(Pressure(103 * MB, 2 * GB, stalled=STALLED)) > 0
    assert wanted(Pressure(GB, 2 * GB, stalled=99.0)) == 0  # others wait, and what we hold would not help them
    assert wanted(Pressure(GB, 2 * GB, headroom=60 * MB, limit=512 * MB)) == 36 * MB
