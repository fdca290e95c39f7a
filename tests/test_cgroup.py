"""CPU quotas and memory limits, read from a tree like that of a container, a service or a plain machine."""

import pytest

from trimatte._runtime import threads
from trimatte._runtime.cgroup import cpu_quotas, memory_left
from trimatte._runtime.memory import available_memory


@pytest.fixture
def quotas(tmp_path):
    """Write files below a false root, given as path and text, and return what is found there."""

    def find(files):
        for path, text in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return list(cpu_quotas(tmp_path))

    return find


def v1(group, quota, period=100000):
    return {f"{group}/cpu.cfs_quota_us": f"{quota}\n", f"{group}/cpu.cfs_period_us": f"{period}\n"}


def test_no_cgroups(quotas):
    assert quotas({}) == []


def test_a_plain_machine(quotas):
    assert quotas({"proc/self/cgroup": "0::/user.slice/session-1.scope\n"}) == []


def test_v2_in_a_container(quotas):
    assert quotas({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}) == [1.5]


def test_v2_no_limit(quotas):
    assert quotas({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}) == []


def test_v2_limits_of_the_groups_above_count(quotas):
    files = {
        "proc/self/cgroup": "0::/system.slice/web server.service/worker\n",
        "sys/fs/cgroup/system.slice/cpu.max": "400000 100000\n",
        "sys/fs/cgroup/system.slice/web server.service/cpu.max": "100000 50000\n",
        "sys/fs/cgroup/system.slice/web server.service/worker/cpu.max": "max 100000\n",
        "sys/fs/cgroup/system.slice/other.service/cpu.max": "10000 100000\n",
    }
    assert quotas(files) == [2, 4]


@pytest.mark.parametrize("controllers", ["cpu", "cpu,cpuacct", "cpuacct,cpu"])
def test_v1(quotas, controllers):
    files = {
        "proc/self/cgroup": f"12:memory:/a\n4:{controllers}:/a\n2:cpuset:/\n1:name=systemd:/a\n0::/a\n",
        **v1("sys/fs/cgroup/cpu/a", 300000),
        **v1("sys/fs/cgroup/cpu", -1),
        **v1("sys/fs/cgroup/memory/a", 10000),
    }
    assert quotas(files) == [3]


def test_v1_in_a_container_that_shows_the_path_of_the_host(quotas):
    files = {"proc/self/cgroup": "4:cpu,cpuacct:/docker/0123abcd\n0::/\n", **v1("sys/fs/cgroup/cpu", 50000)}
    assert quotas(files) == [0.5]


@pytest.mark.parametrize("text", ["", "1\n", "a b\n", "1 0\n", "1 2 3\n", "-1 100000\n"])
def test_nonsense_is_no_limit(quotas, text):
    assert quotas({"proc/self/cgroup": "nonsense\n0::/\n", "sys/fs/cgroup/cpu.max": text}) == []


@pytest.mark.parametrize(("found", "cpus"), [([], 8), ([3.0, 5.5], 3), ([1.2], 2), ([0.1], 1), ([64], 8)])
def test_the_smallest_limit_counts_and_a_part_of_a_core_is_one(monkeypatch, found, cpus):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: range(8), raising=False)
    monkeypatch.setattr(threads, "cpu_quotas", lambda: iter(found))
    assert threads.usable_cpus() == cpus


def test_memory_that_a_group_and_those_above_it_have_left(tmp_path):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/a/b\n")
    for path, limit, used in (("a/b", "max", "5"), ("a", "1000", "300"), ("", "2000", "1900")):
        group = tmp_path / "sys/fs/cgroup" / path
        group.mkdir(parents=True, exist_ok=True)
        (group / "memory.max").write_text(f"{limit}\n")
        (group / "memory.current").write_text(f"{used}\n")
    assert sorted(memory_left(tmp_path)) == [100, 700]
    (tmp_path / "sys/fs/cgroup/a/memory.stat").write_text("anon 200\ninactive_file 50\nactive_file 7\n")
    assert sorted(memory_left(tmp_path)) == [100, 750]
    assert available_memory(tmp_path) == 100
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    0 kB\n")
    assert available_memory(tmp_path) == 0


def test_memory_of_version_1(tmp_path):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("4:memory:/a\n2:cpu:/b\n")
    group = tmp_path / "sys/fs/cgroup/memory/a"
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text("500")
    (group / "memory.usage_in_bytes").write_text("600")
    assert list(memory_left(tmp_path)) == [0]
