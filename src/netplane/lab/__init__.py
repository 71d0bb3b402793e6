"""Real hosts on one machine: network namespaces, real agents and datapaths, real packets.

`Lab` builds the hosts and runs controller and agents; `Machine` is a tenant's machine in it; `traffic` makes packets
and watches them; `ledger` sees to it that nothing is left behind, whatever happens. `demo` and the
tests in `tests/lab` stand on these.
"""

from netplane.lab.host import Host
from netplane.lab.lab import Lab, interruptible
from netplane.lab.ledger import LabBusy, sweep
from netplane.lab.machine import Machine, Plug

__all__ = ["Host", "Lab", "LabBusy", "Machine", "Plug", "interruptible", "sweep"]
