"""Files of an Azure container arrive as those of a folder. The server is Azurite, Microsoft's own emulator, which knows blobs
but no data lake; what Azure's permissions do is not proved."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.fs
import pytest
from pydantic import SecretStr

from lakehouse.errors import SourceUnavailableError
from lakehouse.orchestrate.runs import Status
from lakehouse.sources.files.settings import Settings
from lakehouse.sources.files.store import Store
from scripts.services.process import free_ports
from scripts.services.settings import HOST
from tests.conftest import TestLake
from tests.integration.loads import run
from tests.npm import installed, running

VERSION, ACCOUNT = "3.35.0", "shop"
KEY = base64.b64encode(b"a key of the tests, for nobody else").decode()


@pytest.fixture
def azurite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an emulator that knows one account."""
    (port,) = free_ports(HOST, 1)
    program = installed("azurite", VERSION) / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    options = ["--blobHost", HOST, "--blobPort", str(port), "--location", str(tmp_path / "azurite"), "--silent",
               "--skipApiVersionCheck", "--disableTelemetry"]  # fmt: skip
    monkeypatch.setenv("AZURITE_ACCOUNTS", f"{ACCOUNT}:{KEY}")
    with running(program, options, port):
        yield f"http://{HOST}:{port}"


def test_files_of_a_container_arrive(make_lake: Callable[[], TestLake], azurite: str) -> None:
    authority = azurite.removeprefix("http://")
    server = {"blob_storage_authority": authority, "dfs_storage_authority": authority}
    schemes = {"blob_storage_scheme": "http", "dfs_storage_scheme": "http"}
    system = pyarrow.fs.AzureFileSystem(ACCOUNT, account_key=KEY, **server, **schemes)
    system.create_dir("landing")
    for number in (1, 2):
        with system.open_output_stream(f"landing/in/day={number}/a.jsonl") as stream:
            stream.write(json.dumps({"id": number}).encode())
    source = Settings(
        type="files",
        root=f"abfs://landing@{ACCOUNT}.dfs.core.windows.net/in",
        endpoint=azurite,
        secret_key=SecretStr(KEY),
    )
    lake = make_lake().with_source("landing", source)
    text = "source: {connection: landing, relation: 'day=*/*.jsonl'}\nload: arrivals\nkey: [id]\ncolumns: {id: int}\n"
    lake.register("of_azure", text)
    run(lake, "of_azure")
    assert lake.rows("silver.of_azure", "id, source_file") == [(1, "day=1/a.jsonl"), (2, "day=2/a.jsonl")]
    assert run(lake, "of_azure").status is Status.UNCHANGED
    refused = source.model_copy(update={"secret_key": SecretStr(base64.b64encode(b"wrong").decode())})
    with pytest.raises(SourceUnavailableError, match=r"listing .*the credentials in the profile"):
        Store(refused).listed("*")
