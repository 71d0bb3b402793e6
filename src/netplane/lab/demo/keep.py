"""What to try while the demo stays up."""

import shlex
import sys

from netplane.lab.demo.scene import Scene

TEXT = """
The demo stays up until Ctrl-C. In another shell, as root:

  export NETPLANE_URL={url} NETPLANE_TOKEN={token}
  {netplane} status
  {netplane} trace {port} icmp dst={target}
  {netplane} trace {port} tcp dst=10.0.2.12 dport=80
  {netplane} tables {host} endpoint policy
  curl -s -H "X-Auth-Token: $NETPLANE_TOKEN" $NETPLANE_URL/v2.0/ports
  curl -s -H "X-Auth-Token: $NETPLANE_TOKEN" $NETPLANE_URL/netplane/v1/status
  bpftool map dump pinned {pins}/endpoint
  bpftool prog show pinned {pins}/programs/from_machine
  ip netns list
  nsenter --net=/run/netns/{machine} ping {target}
  nsenter --net=/run/netns/{machine} tcpdump -n -i eth0
  nsenter --net=/run/netns/{host_namespace} tcpdump -n -i uplink udp port 4789
  tail -f {logs}/*.log
"""


def describe(scene: Scene) -> str:
    """Commands that work as they stand."""
    machine = scene.machine("a1")
    controller = scene.lab.controller
    return TEXT.format(
        url=controller.url,
        token=controller.secrets["admin"],
        netplane=f"{shlex.quote(sys.executable)} -m netplane.cli",
        port=machine.plug.port,
        target=scene.machine("b2").address,
        host=machine.host.name,
        pins=machine.host.pins,
        machine=machine.namespace,
        host_namespace=machine.host.namespace,
        logs=f"{scene.lab.directory}/log",
    )
