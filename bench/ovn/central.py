"""OVN's central part: the northbound and the southbound database, and northd between them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from bench.ovn.daemon import Place
from bench.ovn.ovsdb import Database, Operation, insert, known, many, mapping, mutate, named, update
from netplane.lab.process import Child

SETTINGS = {"northd_probe_interval": "0", "use_logical_dp_groups": "true"}
"""Of the northbound database: nobody asks whether northd still lives, and flows of many networks are kept once."""


class Central(NamedTuple):
    """Running daemons, and a connection to each database."""

    children: dict[str, Child]
    northbound: Database
    southbound: Database

    def kill(self) -> None:
        """End all of it at once, as a power cut would: what is stored stays."""
        self.northbound.close()
        self.southbound.close()
        for child in self.children.values():
            child.kill()

    def write(self) -> int:
        """Give the northbound database a number that goes all the way, and that hosts answer when they have all before.

        This is what `ovn-nbctl --wait=hv` does.
        """
        count = mutate("NB_Global", [], ("nb_cfg", "+=", 1))
        read = {"op": "select", "table": "NB_Global", "where": [], "columns": ["nb_cfg"]}
        return int(self.northbound.transact(count, read)[-1]["rows"][0]["nb_cfg"])

    def read_computed(self) -> int:
        """The last number that northd has passed on, with all that it makes of the change."""
        return max((int(row["nb_cfg"]) for row in self.southbound.select("SB_Global", "nb_cfg")), default=0)

    def read_up(self) -> set[str]:
        """The ports that are up: some host carries them, and has their flows."""
        rows = self.southbound.select("Port_Binding", "logical_port", where=[("up", "==", True)])
        return {row["logical_port"] for row in rows}

    def read_answered(self, number: int) -> set[str]:
        """Which hosts have answered a number, so that Open vSwitch has its flows there."""
        rows = self.southbound.select("Chassis_Private", "name", "nb_cfg")
        return {row["name"] for row in rows if row["nb_cfg"] >= number}


def start_central(place: Place, threads: int) -> Central:
    """Start all three; with that many threads in northd."""
    serve = {"northbound": "OVN_Northbound", "southbound": "OVN_Southbound"}
    children = {file: place.serve(database, file) for file, database in serve.items()}
    children["northd"] = place.start(
        "ovn-northd",
        f"--ovnnb-db=unix:{place.directory}/northbound.sock",
        f"--ovnsb-db=unix:{place.directory}/southbound.sock",
        f"--n-threads={threads}",
    )
    northbound, southbound = (Database(place.directory / f"{file}.sock", name) for file, name in serve.items())
    return Central(children, northbound, southbound)


def store(place: Place, batches: Iterable[list[Operation]]) -> None:
    """Write a description into a northbound database that nobody serves yet, a transaction a batch."""
    server = place.serve("OVN_Northbound", "northbound")
    database = Database(place.directory / "northbound.sock", "OVN_Northbound")
    database.transact(insert("NB_Global", options=mapping(SETTINGS)))
    for batch in batches:
        database.transact(*batch)
    database.close()
    server.kill()


def stand_in(central: Central, hosts: dict[str, str], ports: dict[str, str]) -> None:
    """Do for hosts that do not run what their controllers would: make themselves known, and bind their ports.

    Hosts are by name, with an address in the underlay; ports by id, with the name of a host.
    """
    made: dict[str, Any] = {}
    for name, address in hosts.items():
        encap = insert(
            "Encap", "encap", type="geneve", ip=address, chassis_name=name, options=mapping({"csum": "true"})
        )
        chassis = insert("Chassis", name=name, hostname=name, encaps=many([named("encap")]))
        made[name] = known(central.southbound.transact(encap, chassis)[1]["uuid"][1])
    rows = central.southbound.select("Port_Binding", "_uuid", "logical_port")
    bound = [
        update("Port_Binding", [("_uuid", "==", row["_uuid"])], chassis=made[ports[row["logical_port"]]], up=True)
        for row in rows
        if ports.get(row["logical_port"]) in made
    ]
    central.southbound.transact(*bound)
