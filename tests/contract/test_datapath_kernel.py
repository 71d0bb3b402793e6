"""What only the kernel's datapath does: it outlives processes, takes new programs in and migrates entries."""

import errno
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from ctypes import byref, c_uint32, sizeof
from pathlib import Path
from struct import pack

import pytest
from pyroute2 import IPRoute

from netplane.base.delta import Delta
from netplane.datapath import DatapathError, KernelDatapath, NotLoaded, libbpf
from netplane.datapath.attachment import HANDLE, INGRESS, PRIORITY, Attachments, is_served
from netplane.datapath.installation import Installation
from netplane.datapath.kernel import SHIPPED
from netplane.datapath.libbpf import KernelRefused, TcHook, TcOptions
from netplane.tables.decisions import Class, Direction, Reason, Verdict
from netplane.tables.outcome import Program, Synthetic
from netplane.tables.pipeline import CONNECTION, COUNTER, PORT, TABLES
from tests.contract import packets, world
from tests.contract.datapaths import KernelBench, kernel_bench, ways
from tests.contract.namespaces import add_veth, remove_link
from tests.contract.packets import ACK, SYN, TCP
from tests.contract.world import ANN, BEN, frame

pytestmark = pytest.mark.kernel


@pytest.fixture(params=ways())
def bench(request: pytest.FixtureRequest) -> Iterator[KernelBench]:
    with kernel_bench(request.param) as made:
        yield made


def all_entries(datapath: KernelDatapath) -> dict[str, dict[bytes, bytes]]:
    return {table.name: datapath.read(table.name) for table in TABLES if table.name != "trace"}


def copy_of_object(directory: Path) -> Path:
    """The shipped programs in a file that is not the same."""
    path = directory / "copy.o"
    shutil.copy(SHIPPED, path)
    with path.open("ab") as file:
        file.write(b"\0")
    return path


def test_reopening_changes_nothing(bench: KernelBench) -> None:
    device = add_veth("near", "far")
    bench.datapath.apply(Delta(world.world()))
    bench.datapath.attach(device, Program.FROM_MACHINE)
    before, entries = bench.identities(), all_entries(bench.datapath)
    bench.datapath.close()
    again = bench.reopen()
    assert bench.identities() == before
    assert all_entries(again) == entries
    assert again.attached() == {device: Program.FROM_MACHINE}
    again.close()


def test_another_object_replaces_programs_and_keeps_tables(bench: KernelBench, tmp_path: Path) -> None:
    device = add_veth("near", "far")
    bench.datapath.apply(Delta(world.world()))
    bench.datapath.attach(device, Program.FROM_MACHINE)
    before, entries = bench.identities(), all_entries(bench.datapath)
    bench.datapath.close()
    again = KernelDatapath.open(bench.pin_dir, copy_of_object(tmp_path), attachment=bench.attachment)
    after = bench.identities()
    assert {name for name in before if before[name] != after[name]} == {program.value for program in Program}
    assert all_entries(again) == entries
    assert again.attached() == {device: Program.FROM_MACHINE}
    again.close()


def onward(pin_dir: Path) -> set[int]:
    """The kernel's numbers of the pinned arrays of programs."""
    return {int(path.name) for path in (pin_dir / "onward").iterdir()}


def is_in_kernel(map_number: int) -> bool:
    following = c_uint32()
    result = libbpf.attempt("bpf_map_get_next_id", map_number - 1, byref(following))
    return result == 0 and following.value == map_number


def wait_until_gone(map_number: int) -> None:
    """The kernel lets go of maps when it finds the time."""
    end = time.monotonic() + 10
    while is_in_kernel(map_number):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_each_set_of_programs_has_its_own_array(bench: KernelBench) -> None:
    [before] = onward(bench.pin_dir)
    bench.datapath.replace()
    [after] = onward(bench.pin_dir)
    assert after != before
    wait_until_gone(before)
    bench.datapath.remove()
    wait_until_gone(after)


def test_a_swap_that_was_cut_short_leaves_what_runs_whole(bench: KernelBench) -> None:
    """Whichever programs run on which device then, theirs is an array that is pinned."""
    bench.datapath.apply(Delta(world.world()))
    before = onward(bench.pin_dir)

    def swap(_: dict[Program, int]) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        Installation(bench.pin_dir).install(SHIPPED, swap)
    assert len(onward(bench.pin_dir)) == 2
    assert onward(bench.pin_dir) > before
    start = frame(ANN, BEN, TCP, packets.tcp(4000, 80, SYN))
    assert bench.datapath.run(Program.FROM_MACHINE, start, Synthetic(ifindex=ANN.ifindex)).target == BEN.ifindex
    again = bench.reopen()
    assert len(onward(bench.pin_dir)) == 1
    assert again.run(Program.FROM_MACHINE, start, Synthetic(ifindex=ANN.ifindex)).target == BEN.ifindex
    again.close()


def test_a_missing_program_lets_nothing_pass(bench: KernelBench) -> None:
    bench.datapath.apply(Delta(world.world()))
    [path] = (bench.pin_dir / "onward").iterdir()
    with libbpf.closing(libbpf.pinned(path)) as array:
        for place in range(5):
            libbpf.call("empty the array", "bpf_map_delete_elem", array, pack("=I", place))
    start = frame(ANN, BEN, TCP, packets.tcp(4000, 80, SYN))
    outcome = bench.datapath.run(Program.FROM_MACHINE, start, Synthetic(ifindex=ANN.ifindex))
    assert (outcome.verdict, outcome.reason) == (Verdict.DROP, Reason.NO_PROGRAM)
    key = COUNTER.pack_key(ANN.vni, ANN.mac, Direction.EGRESS, Class.DROPPED + Reason.NO_PROGRAM)
    assert COUNTER.unpack_value(bench.datapath.read("counter")[key])["packets"] == 1


def test_an_install_that_was_cut_short_is_made_good(bench: KernelBench) -> None:
    bench.datapath.apply(Delta(world.world()))
    entries = all_entries(bench.datapath)
    bench.datapath.close()
    (bench.pin_dir / "object").unlink()
    (bench.pin_dir / "layouts" / "object-new").symlink_to("left over")
    shutil_pin = bench.pin_dir / "endpoint-new"
    with libbpf.closing(libbpf.pinned(bench.pin_dir / "endpoint")) as fd:
        libbpf.pin(fd, shutil_pin)
    again = bench.reopen()
    assert all_entries(again) == entries
    assert not shutil_pin.exists()
    again.close()


def test_an_object_that_does_not_load_changes_nothing(bench: KernelBench, tmp_path: Path) -> None:
    before = bench.identities()
    broken = tmp_path / "broken.o"
    broken.write_bytes(b"no object")
    for path in (broken, tmp_path / "absent.o"):
        with pytest.raises(NotLoaded, match=r"(broken|absent)\.o"):
            bench.datapath.replace(path)
    assert bench.identities() == before
    assert bench.datapath.read("endpoint") == {}


def test_entries_move_into_a_new_layout(bench: KernelBench) -> None:
    """Pretend that a release without `connection.flags` and `port.flags` wrote the tables."""
    datapath = bench.datapath
    datapath.apply(Delta(world.world()))
    start, more = (frame(ANN, BEN, TCP, packets.tcp(4000, 80, flags)) for flags in (SYN, ACK))
    datapath.run(Program.FROM_MACHINE, start, Synthetic(ifindex=ANN.ifindex))
    [before] = datapath.read("connection").values()
    layouts, before_ids = bench.pin_dir / "layouts", bench.identities()
    for name in ("connection", "port"):
        text = os.readlink(layouts / name)
        (layouts / name).unlink()
        (layouts / name).symlink_to(text.replace("flags:U16", "pad_flags:U16"))
    datapath.replace()
    assert {name for name, number in bench.identities().items() if number != before_ids[name]} == {
        "connection",
        "port",
        *(program.value for program in Program),
    }
    [after] = datapath.read("connection").values()
    assert CONNECTION.unpack_value(after) == CONNECTION.unpack_value(before) | {"flags": 0}
    assert datapath.read("endpoint") == world.world()["endpoint"]
    assert len(datapath.read("port")) == len(world.world()["port"])
    outcome = datapath.run(Program.FROM_MACHINE, more, Synthetic(ifindex=ANN.ifindex))
    assert outcome.target == BEN.ifindex


def before_kernel(*version: int) -> bool:
    return tuple(int(number) for number in platform.release().split(".")[:2]) < version


def memory(pin_dir: Path) -> int:
    """Bytes that the kernel holds for the tables, as it says itself since 6.4."""
    found = 0
    for table in TABLES:
        with libbpf.closing(libbpf.pinned(pin_dir / table.name)) as fd:
            lines = Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines()
        found += sum(int(line.split()[1]) for line in lines if line.startswith("memlock:"))
    return found


@pytest.mark.skipif(before_kernel(6, 4), reason="older kernels say what it would be at most, not what it is")
def test_a_host_without_entries_takes_little_memory(bench: KernelBench) -> None:
    assert memory(bench.pin_dir) < 13 << 20


def test_a_table_that_has_grown_stays_so(bench: KernelBench, tmp_path: Path) -> None:
    datapath = bench.datapath
    device = add_veth("near", "far")
    datapath.apply(Delta(world.world()))
    datapath.attach(device, Program.FROM_MACHINE)
    start, more = (frame(ANN, BEN, TCP, packets.tcp(4000, 80, flags)) for flags in (SYN, ACK))
    datapath.run(Program.FROM_MACHINE, start, Synthetic(ifindex=ANN.ifindex))
    before, entries = bench.identities(), all_entries(datapath)
    datapath.grow({"endpoint": 40_000, "budget": 20_000})
    grown = {"endpoint", "budget", *(program.value for program in Program)}
    assert {name for name, number in bench.identities().items() if number != before[name]} == grown
    outcome = datapath.run(Program.FROM_MACHINE, more, Synthetic(ifindex=ANN.ifindex, dry=True))
    assert outcome.target == BEN.ifindex
    datapath.close()
    for object_path in (None, copy_of_object(tmp_path)):
        with closing(KernelDatapath.open(bench.pin_dir, object_path, attachment=bench.attachment)) as again:
            assert (again.room("endpoint"), again.room("budget"), again.room("port")) == (65_536, 32_768, PORT.room)
            assert all_entries(again) == entries
            assert again.attached() == {device: Program.FROM_MACHINE}


def test_programs_of_another_release_wait_for_their_agent(bench: KernelBench, tmp_path: Path) -> None:
    """A package may be brought up to date while the agent runs; what it takes entries to mean is not known here."""
    path = copy_of_object(tmp_path)
    with closing(KernelDatapath.open(bench.pin_dir, path, attachment=bench.attachment)) as datapath:
        before = bench.identities()
        path.write_bytes(path.read_bytes() + b"later")
        with pytest.raises(DatapathError, match="of another release now: start the agent anew"):
            datapath.grow({"endpoint": 40_000})
        assert bench.identities() == before


class Unlucky(Attachments):
    """Of a host one of whose devices goes while programs are replaced."""

    goes = 0

    def forget(self) -> None:
        super().forget()
        remove_link(self.goes)


def test_a_device_that_goes_while_programs_are_replaced(bench: KernelBench) -> None:
    """The others get theirs all the same."""
    one, other = add_veth("one", "far1"), add_veth("other", "far2")
    for device in (one, other):
        bench.datapath.attach(device, Program.FROM_MACHINE)
    attachments = Unlucky(bench.pin_dir / "attached")
    attachments.goes = one
    Installation(bench.pin_dir).install(SHIPPED, attachments.replace)
    assert Installation(bench.pin_dir).holds(SHIPPED)
    assert bench.datapath.attached() == {other: Program.FROM_MACHINE}


class Refusing(Attachments):
    """Of a host whose kernel refuses one more device its program, the first time."""

    has_refused = False

    def replace(self, programs: dict[Program, int]) -> None:
        super().replace(programs)
        if not self.has_refused:
            self.has_refused = True
            raise KernelRefused("replace the program of one more device", errno.ENOMEM)


def running(bench: KernelBench, device: int) -> int:
    """The kernel's number of the program that a device has."""
    path = bench.pin_dir / "attached" / "from_machine" / str(device)
    if path.is_symlink():
        hook = TcHook(sz=sizeof(TcHook), ifindex=device, attach_point=INGRESS)
        options = TcOptions(sz=sizeof(TcOptions), handle=HANDLE, priority=PRIORITY)
        libbpf.call("find the filter", "bpf_tc_query", byref(hook), byref(options))
        return int(options.prog_id)
    with libbpf.closing(libbpf.pinned(path)) as link:
        return libbpf.link_device(link)[0]


def test_growth_that_is_refused_halfway(bench: KernelBench) -> None:
    """Packets meet the tables that are written, and what is deleted after it does not come back with the next."""
    device, installation = add_veth("near", "far"), Installation(bench.pin_dir)
    bench.datapath.apply(Delta(world.world()))
    bench.datapath.attach(device, Program.FROM_MACHINE)
    before, entries = bench.identities(), all_entries(bench.datapath)
    attachments, rooms = Refusing(bench.pin_dir / "attached"), {"endpoint": 65_536, "budget": 16_384}
    with pytest.raises(DatapathError, match="one more device"):
        installation.install(SHIPPED, attachments.replace, rooms)
    assert running(bench, device) == before["from_machine"]
    assert bench.identities() == before
    gone = entries["endpoint"].popitem()[0]
    bench.datapath.delete("endpoint", [gone])
    bench.datapath.grow(rooms)
    assert all_entries(bench.datapath) == entries
    assert running(bench, device) == bench.identities()["from_machine"]


def test_a_device_number_that_comes_back(bench: KernelBench) -> None:
    """A new device with the number of one that is gone is not taken for it."""
    device = add_veth("near", "far")
    bench.datapath.attach(device, Program.FROM_MACHINE)
    remove_link(device)
    subprocess.run(["ip", "link", "add", "name", "again", "index", str(device), "type", "veth"], check=True)
    assert bench.datapath.attached() == {}
    bench.datapath.attach(device, Program.FROM_TUNNEL)
    assert bench.datapath.attached() == {device: Program.FROM_TUNNEL}


def test_whether_a_device_is_served(bench: KernelBench) -> None:
    """Anybody can tell, without the pins."""
    device = add_veth("near", "far")
    assert not is_served(device)
    bench.datapath.attach(device, Program.FROM_MACHINE)
    assert is_served(device)
    bench.datapath.detach(device)
    # The kernel lets go of links when it finds the time.
    end = time.monotonic() + 10
    while is_served(device):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert not is_served(4711)


def test_attaching_to_no_device(bench: KernelBench) -> None:
    with pytest.raises(DatapathError, match="device 4711"):
        bench.datapath.attach(4711, Program.FROM_MACHINE)
    assert bench.datapath.attached() == {}


@pytest.mark.parametrize("by", ["its owner", "anybody"])
def test_remove_leaves_nothing(bench: KernelBench, by: str) -> None:
    device = add_veth("near", "far")
    bench.datapath.attach(device, Program.FROM_MACHINE)
    if by == "its owner":
        bench.datapath.remove()
    else:
        bench.datapath.close()
        (bench.pin_dir / "programs" / "from_tunnel").unlink()
        KernelDatapath.discard(bench.pin_dir)
    assert not bench.pin_dir.exists()
    with IPRoute() as links:
        assert "clsact" not in [qdisc.get("kind") for qdisc in links.get_qdiscs()]


def test_places_to_pin_in(bench: KernelBench, tmp_path: Path) -> None:
    with pytest.raises(DatapathError, match="not below a bpffs"):
        KernelDatapath.open(tmp_path / "pins")
    with pytest.raises(DatapathError, match="takes no name with a dot"):
        KernelDatapath.open(bench.pin_dir / "host.example")


def test_what_is_installed_is_known_by_its_digest(bench: KernelBench, tmp_path: Path) -> None:
    installation = Installation(bench.pin_dir)
    assert installation.holds(SHIPPED)
    assert not installation.holds(copy_of_object(tmp_path))


def test_segments_that_nobody_has_counted_are_counted(bench: KernelBench) -> None:
    """Guests hand over what is to be cut into segments with their size only; without it, it is one packet."""
    bench.datapath.apply(Delta(world.world()))
    headers, data = 14 + 20 + 20, 2500
    packet = frame(ANN, BEN, TCP, packets.tcp(5000, 6000, SYN)) + bytes(data)
    packet = packet[:16] + (len(packet) - 14).to_bytes(2, "big") + packet[18:]
    key = COUNTER.pack_key(BEN.vni, BEN.mac, Direction.INGRESS, Class.SAME_NETWORK)
    for size, segments in ((1000, 3), (1250, 2), (0, 1)):
        bench.datapath.delete("counter", [key])
        # struct __sk_buff: cb[0] at 48, gso_size at 176.
        context = pack("=48xI", ANN.ifindex).ljust(176, b"\0") + pack("=I", size)
        libbpf.test_run(bench.datapath.program_fd(Program.FROM_MACHINE), packet, context, 4096)
        value = COUNTER.unpack_value(bench.datapath.read("counter")[key])
        assert value == {"packets": segments, "bytes": len(packet) + (segments - 1) * headers}
