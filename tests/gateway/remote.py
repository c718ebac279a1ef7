"""A place with files that callers name by their address: what a gateway that fetches them may meet."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3


class RemotePlace:
    """`paths` are those asked for since the last `clear`, `headers` those of the last request."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.headers: dict[str, str] = {}
        handler = type("Handler", (_Handler,), {"place": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def clear(self) -> None:
        self.paths.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """/picture.png, /large (without a length), /missing, and /elsewhere?to=<address>, a redirect."""

    place: RemotePlace

    def do_GET(self) -> None:
        self.place.paths.append(self.path)
        self.place.headers = {name.lower(): value for name, value in self.headers.items()}
        url = urlsplit(self.path)
        if url.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", parse_qs(url.query)["to"][0])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(404 if url.path == "/missing" else 200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for _ in range(12 if url.path == "/large" else 1):
                self.wfile.write(b"\0" * 1024 * 1024 if url.path == "/large" else PICTURE)
        except OSError:
            pass

    def log_message(self, *_: Any) -> None:
        pass
