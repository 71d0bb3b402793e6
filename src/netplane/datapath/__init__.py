"""The programs in the kernel, and the Python that loads, attaches, reads and writes them.

`contract` says what a datapath offers; `KernelDatapath` is the real one, `fake.FakeDatapath` runs the specification in
`netplane.tables.machine` over the same entries and passes the same contract suite. `bpf/` holds the programs.
"""

from netplane.datapath.contract import Datapath, DatapathError, NotLoaded, TableFull
from netplane.datapath.kernel import KernelDatapath

__all__ = ["Datapath", "DatapathError", "KernelDatapath", "NotLoaded", "TableFull"]
