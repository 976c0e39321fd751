"""An S3 server that gets full: a proxy before a real one that refuses to take more than it has room for.

The requests go on as they come, signature and all, since the server checks it against the Host header that the client sent.
Only uploads cost room. One FullStore owns one port and its threads; it is used in a with statement.
"""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FullStore:
    def __init__(self, endpoint: str, room_bytes: int, status: int, code: str):
        self._lock = threading.Lock()
        self._room_bytes = room_bytes
        self._answer = status, f"<Error><Code>{code}</Code><Message>no room</Message></Error>".encode()
        self.refused = 0
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_request(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, answer = store._pass_on(endpoint, self, body)
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                        self.send_header(name, value)
                length = dict((name.lower(), value) for name, value in headers).get("content-length", "0")
                self.send_header("Content-Length", length if self.command == "HEAD" else str(len(answer)))
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else answer)

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

            def log_message(self, *_arguments) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "FullStore":
        self._thread.start()
        return self

    def __exit__(self, *_exception) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _takes(self, size: int) -> bool:
        with self._lock:
            self._room_bytes -= size
            self.refused += self._room_bytes < 0
            return self._room_bytes >= 0

    def _pass_on(self, endpoint: str, request, body: bytes) -> tuple[int, list, bytes]:
        if request.command == "PUT" and not self._takes(len(body)):
            return self._answer[0], [("Content-Type", "application/xml")], self._answer[1]
        connection = http.client.HTTPConnection(endpoint, timeout=60)
        try:
            connection.putrequest(request.command, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()
