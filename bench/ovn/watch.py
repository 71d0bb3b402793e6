"""When a switch has the flow that leads to another host's port: Open vSwitch tells of each flow that comes or goes.

`ovs-ofctl monitor` is told of one table only, that of ports elsewhere, whose flow for a port is the last thing a host
needs, since it comes when the port's own host has said that it carries it. Whatever is told is kept with its time.
"""

import re
import subprocess
import threading
import time
from typing import NamedTuple

from bench.ovn.host import BRIDGE, Host

ELSEWHERE = 39
"""The table of ports on other hosts in OVN 23.03 (`OFTABLE_REMOTE_OUTPUT` in its `lflow.h`)."""
EVENT = re.compile(r"event=(ADDED|MODIFIED) .*reg15=(0x[0-9a-f]+),metadata=(0x[0-9a-f]+)")


class Key(NamedTuple):
    """How flows name a port: its number, and that of its switch."""

    port: int
    switch: int


class Watch:
    """What one host's switch tells, from now on."""

    def __init__(self, host: Host) -> None:
        self._seen: dict[Key, float] = {}
        self._news = threading.Condition()
        bridge = f"unix:{host.place.directory}/{BRIDGE}.mgmt"
        argv = [host.place.programs.find("ovs-ofctl"), "monitor", bridge, f"watch:!initial,table={ELSEWHERE}"]
        self._process = subprocess.Popen(
            argv, env=host.place.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Be told no more."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def wait(self, key: Key, since: float, seconds: float) -> float:
        """When a port's flow has come, in seconds since 1970, `since` that time; TimeoutError if it does not."""
        with self._news:
            if not self._news.wait_for(lambda: self._seen.get(key, 0.0) >= since, seconds):
                raise TimeoutError(f"no flow for {key}")
            return self._seen[key]

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            found = EVENT.search(line)
            if found:
                with self._news:
                    self._seen[Key(int(found[2], 16), int(found[3], 16))] = time.time()
                    self._news.notify_all()
