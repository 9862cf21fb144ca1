"""The document server that stands in for MongoDB: a fake, on this machine only, that leaves nothing behind."""

from pathlib import Path

from scripts.services.control import Services
from scripts.services.process import free_ports, port_taken
from scripts.services.settings import HOST, Home


def test_it_listens_on_this_machine_only_keeps_its_data_and_leaves_no_process(tmp_path: Path) -> None:
    services = Services(Home(tmp_path), ports={"documents": (port := free_ports(HOST, 1)[0])})
    try:
        assert services.start("documents") == ["documents"]
        assert not port_taken("127.0.0.2", port)  # it would answer there if it listened on every interface
        with services.documents.client() as client:
            client.app.orders.insert_one({"_id": 1})
        assert services.stop("documents") == ["documents"]
        assert not services.running("documents")
        assert not port_taken(HOST, port)
        assert services.start("documents") == ["documents"]
        with services.documents.client() as client:
            assert client.app.orders.find_one() == {"_id": 1}
    finally:
        services.stop()
    assert not port_taken(HOST, port)
