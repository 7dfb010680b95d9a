"""A real HTTP server on this machine, and what servers do wrong."""

import re
import threading
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Fault = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """Answers a GET as the file's next behaviour says, or else as it should."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.close_connection = True
        site = self.server.site
        path = self.path
        site.requests.append((path, self.headers.get("Range", "")))
        if path not in site.files:
            self.send_error(404)
            return
        with site.lock:
            waiting = site.faults.get(path, [])
            behave = waiting.pop(0) if waiting else fine
        try:
            behave(self, site.files[path])
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has heard enough

    def start(self, status, length=None, **headers):
        """Send status and headers; names with underscores stand for hyphens."""
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


def fine(handler, content):
    """Answer well, ranges included."""
    told = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    tag = f'"{len(content)}-{content[:8].hex()}"'
    if told and handler.headers.get("If-Range", tag) == tag:
        first = int(told[1])
        if first >= len(content):
            handler.start(416, 0, Content_Range=f"bytes */{len(content)}")
            return
        part = f"bytes {first}-{len(content) - 1}/{len(content)}"
        handler.start(206, len(content) - first, Content_Range=part, ETag=tag)
        handler.wfile.write(content[first:])
        return
    handler.start(200, len(content), ETag=tag)
    handler.wfile.write(content)


def status(code) -> Fault:
    return lambda handler, content: handler.start(code, 0)


def cut(share) -> Fault:
    """Announce everything, send a share, hang up."""

    def behave(handler, content):
        handler.start(200, len(content))
        handler.wfile.write(content[: int(len(content) * share)])

    return behave


def whole_whatever_was_asked(handler, content):
    handler.start(200, len(content))
    handler.wfile.write(content)


def other_body(handler, content):
    handler.start(200, len(content))
    handler.wfile.write(bytes(len(content)))


def other_length(handler, content):
    handler.start(200, len(content) + 7)
    handler.wfile.write(content + b"surplus")


def redirect(to) -> Fault:
    return lambda handler, content: handler.start(302, 0, Location=to)


def endless(handler, content):
    handler.start(200, Transfer_Encoding="chunked")
    while True:
        handler.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")


def endless_redirect(handler, content):
    handler.start(302, Location="/file", Transfer_Encoding="chunked")
    while True:
        handler.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")


def trickle(handler, content):
    """Send one byte after the other, a second apart, for as long as somebody listens."""
    handler.start(200, len(content))
    for byte in content:
        handler.wfile.write(bytes([byte]))
        if handler.server.site.closing.wait(1.0):
            return


def stop_after(count) -> Fault:
    """Send so many bytes of what was asked for, then nothing until the test is over."""

    def behave(handler, content):
        told = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        first = int(told[1]) if told else 0
        if told:
            part = f"bytes {first}-{len(content) - 1}/{len(content)}"
            handler.start(206, len(content) - first, Content_Range=part)
        else:
            handler.start(200, len(content))
        handler.wfile.write(content[first : first + count])
        handler.wfile.flush()
        handler.server.site.closing.wait()

    return behave


class Site:
    """What the server holds: paths to bytes, and behaviours to come."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.address = ""

    def put(self, path, content, *faults):
        """Serve a file, its first answers being the faults; return its address."""
        self.files[path], self.faults[path] = content, list(faults)
        return self.address + path


@contextmanager
def serving():
    """Run a server on a free port of the loopback interface."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.site = Site()
    server.site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.site
    finally:
        server.site.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
