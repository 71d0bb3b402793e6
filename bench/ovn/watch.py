"""When a switch's flows change: Open vSwitch tells of each flow that comes, changes or goes, as it happens.

This is what the figures of changes rest on. OVN's own way to ask (`nb_cfg`, `ovn-nbctl --wait=hv`) makes northd compute
everything once or twice more, for the number goes all the way there and back; whoever does not wait does not pay that.
"""

import re
import subprocess
import threading
import time
from typing import NamedTuple

from bench.ovn.host import BRIDGE, Host

ELSEWHERE = 39
"""The table of ports on other hosts in OVN 23.03 (`OFTABLE_REMOTE_OUTPUT` in its `lflow.h`)."""
LEADS = re.compile(rf"event=(?:ADDED|MODIFIED) table={ELSEWHERE} .*reg15=(0x[0-9a-f]+),metadata=(0x[0-9a-f]+)")
QUIET = 0.3
"""Seconds without any flow, after which those of a change are believed to have come."""


class Key(NamedTuple):
    """How flows name a port: its number, and that of its switch."""

    port: int
    switch: int


class Watch:
    """What one host's switch tells, from now on."""

    def __init__(self, host: Host) -> None:
        self._leads: dict[Key, float] = {}
        self._last = 0.0
        self._news = threading.Condition()
        bridge = f"unix:{host.place.directory}/{BRIDGE}.mgmt"
        argv = [host.place.programs.find("ovs-ofctl"), "monitor", bridge, "watch:!initial"]
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

    def wait_for_lead(self, key: Key, since: float, seconds: float) -> float:
        """When the flow came that leads to a port on another host, in seconds since 1970; TimeoutError if none does."""
        with self._news:
            if not self._news.wait_for(lambda: self._leads.get(key, 0.0) >= since, seconds):
                raise TimeoutError(f"no flow leads to {key}")
            return self._leads[key]

    def wait_for_last(self, since: float, seconds: float) -> float:
        """When the last flow came, of those that come one after the other; TimeoutError if none does."""
        with self._news:
            if not self._news.wait_for(lambda: self._last >= since, seconds):
                raise TimeoutError("no flow has changed")
            while self._news.wait(QUIET):
                pass
            return self._last

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "event=" in line:
                found = LEADS.search(line)
                with self._news:
                    self._last = time.time()
                    if found:
                        self._leads[Key(int(found[1], 16), int(found[2], 16))] = self._last
                    self._news.notify_all()
