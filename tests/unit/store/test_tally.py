"""The numbers of a database that was made before they were kept."""

from pathlib import Path

from sqlalchemy import create_engine, text

from netplane.model import Network, Subnet
from netplane.store import Store


def test_an_older_database_gets_its_numbers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/db"
    store = Store.open(url)
    with store.write("test") as transaction:
        for number in range(1, 4):
            transaction.add(Network(id=f"n{number}", vni=number, project_id="blue" if number < 3 else "red"))
        transaction.add(Subnet(id="s", network_id="n1", cidr="10.0.0.0/24", project_id="blue"))
    store.close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE tally"))
    engine.dispose()
    store = Store.open(url)
    with store.read() as reader:
        assert reader.used("blue") == {"network": 2, "subnet": 1}
        assert reader.used("red") == {"network": 1}
    store.close()
