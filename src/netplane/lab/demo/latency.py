"""How long it takes from `POST /ports` until the port is in the kernels of all hosts that need it."""

import time
from collections.abc import Iterator

from netplane.lab.demo.check import Check
from netplane.lab.demo.scene import Scene

COUNT = 50


def checks(scene: Scene) -> Iterator[Check]:
    """One port after the other, on each host in turn; the answer to the last question is included in the time."""
    blue = scene.blue
    hosts = scene.lab.host_list
    carriers = {machine.host.name for machine in blue.machines.values()}
    times, made, late = [], [], []
    for index in range(COUNT):
        begun = time.perf_counter()
        made.append(blue.add_port("left", None, hosts[index % len(hosts)])["id"])
        body = blue.admin.read_realised(blue.admin.revision, 5)
        # The hosts of the domain must have said so; that nobody is awaited would prove nothing by itself.
        if body["pending"] or not carriers <= body["realised"].keys():
            late.append(index)
        times.append(time.perf_counter() - begun)
    for port in made:
        blue.admin.delete("port", port)
    times.sort()
    measured = f"median {times[COUNT // 2] * 1000:.1f} ms, p99 {times[-1] * 1000:.1f} ms ({COUNT} ports)"
    yield Check(
        "POST /ports to entries in the kernels of all hosts",
        not late,
        measured,
        f"not realised: {late}" if late else "",
    )
