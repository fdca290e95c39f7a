"""CPU quotas and memory limits, read from a tree like that of a container, a service or a plain machine."""

import pytest

import trimatte as tm
from trimatte._runtime import memory, threads
from trimatte._runtime.cgroup import cpu_quotas, memory_limits
from trimatte._runtime.memory import available_memory, check_need, memory_now
from trimatte.cli import run


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
    assert sorted(memory_limits(tmp_path)) == [(1000, 700), (2000, 100)]
    (tmp_path / "sys/fs/cgroup/a/memory.stat").write_text("anon 200\ninactive_file 50\nactive_file 7\n")
    assert sorted(memory_limits(tmp_path)) == [(1000, 750), (2000, 100)]
    assert available_memory(tmp_path) == 100
    assert memory_now(tmp_path) == (100, 2000, "this container or service")
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    0 kB\n")
    assert memory_now(tmp_path) == (0, 9 * 1024, "this machine")


def test_memory_of_version_1(tmp_path):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("4:memory:/a\n2:cpu:/b\n")
    group = tmp_path / "sys/fs/cgroup/memory/a"
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text("500")
    (group / "memory.usage_in_bytes").write_text("600")
    assert list(memory_limits(tmp_path)) == [(500, 0)]


@pytest.fixture
def container(tmp_path, monkeypatch):
    """A container of 1 GB, of which a part is left."""

    def leave(left):
        (tmp_path / "proc/self").mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc/self/cgroup").write_text("0::/\n")
        group = tmp_path / "sys/fs/cgroup"
        group.mkdir(parents=True, exist_ok=True)
        (group / "memory.max").write_text("1000000000")
        (group / "memory.current").write_text(str(1000000000 - left))
        monkeypatch.setattr(memory, "memory_now", lambda *_: memory_now(tmp_path))

    return leave


def test_a_need_above_what_is_left_is_said_in_one_line(container):
    container(600_000_000)
    check_need(599_000_000, "it")
    line = (
        "it needs about 1.66 GB of memory, and 600 MB are left of the 1.00 GB of this container or service; "
        "make the picture smaller, or raise the limit"
    )
    with pytest.warns(tm.TrimatteWarning, match=line) as heard:
        check_need(1_660_000_000, "it")
    assert heard[0].filename == __file__
    with pytest.raises(MemoryError, match=r"it needs about 2\.10 GB of memory"):
        check_need(2_100_000_000, "it")
    container(0)
    check_need(99_000_000, "what is small")


def test_large_calls_ask_for_the_limit(container, scene, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(memory, "_LARGE", 0)
    container(1000)
    with pytest.warns(tm.TrimatteWarning, match=r"a solve for \d\S* million pixels needs about .* and 0?.* MB"):
        tm.solve_alpha(scene.image, scene.trimap)
    with pytest.warns(
        tm.TrimatteWarning, match="finding the colours of 0.00192 million pixels needs about 0.127 MB"
    ):
        tm.estimate_foreground(scene.image, scene.alpha)
    tm.io.save_image(tmp_path / "i.png", scene.image)
    tm.io.save_image(tmp_path / "t.png", scene.trimap)
    arguments = [str(tmp_path / name) for name in ("i.png", "t.png")]
    assert run(["alpha", *arguments, "-o", str(tmp_path / "a.png")]) == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("trimatte: warning: a solve for ")
    monkeypatch.setattr(memory, "_HOPELESS", 1e-9)
    assert run(["alpha", *arguments, "-o", str(tmp_path / "b.png")]) == 1
    assert "trimatte: error: not enough memory (a solve for" in capsys.readouterr().err
    assert not (tmp_path / "b.png").exists()
