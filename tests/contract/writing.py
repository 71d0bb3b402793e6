"""Writers in processes of their own: `python -m tests.contract.writing DATABASE PROCESSES COMMITS`."""

import os
import random
import sys

from netplane.store import Store
from tests.contract.stores import new_network


def main(database: str, processes: int, commits: int) -> None:
    children = []
    for number in range(processes):
        pid = os.fork()
        if pid == 0:
            write(database, number, commits)
            os._exit(0)
        children.append(pid)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children))


def write(database: str, number: int, commits: int) -> None:
    """Transactions of one to three records, and between them some that are dropped."""
    store, chance = Store.open(database), random.Random(number)
    for _ in range(commits):
        with store.write(f"writer:{number}") as transaction:
            for _ in range(chance.randint(1, 3)):
                vni = transaction.allocate("vni", 1, 100_000)
                transaction.add(new_network(vni))
        try:
            with store.write(f"dropped:{number}") as transaction:
                transaction.add(new_network(transaction.allocate("vni", 1, 100_000)))
                transaction.flush()
                raise KeyError
        except KeyError:
            pass
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
