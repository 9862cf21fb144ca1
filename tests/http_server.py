"""A server of HTTP in the tests' own process, which says nothing on its own."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from scripts.services.settings import HOST


class Quiet(BaseHTTPRequestHandler):
    """Answers requests without printing them."""

    def reply(self, status: int, body: bytes, headers: Mapping[str, str], *, cut: bool = False) -> None:
        """Send an answer; ``cut``: the connection ends in the middle of its body."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Nothing is printed."""


@contextmanager
def listening(handler: type[Quiet]) -> Iterator[int]:
    """The port of this machine at which ``handler`` answers, until the end."""
    with ThreadingHTTPServer((HOST, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
