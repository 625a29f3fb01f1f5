#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""The server behind the demo and the smoke tests: says who it is, sends and swallows bytes.

GET /           "hello from NAME/ADDRESS", and with ?slow=MS only after that long
GET /bytes/N    N bytes that depend on N alone; their SHA-256 in the header X-SHA256
PUT or POST /   swallows the body, answers "BYTES SHA256"
"""
import argparse
import hashlib
import random
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = 1 << 20


def pattern(size):
    """Yields `size` bytes, the same for the same size."""
    block = random.Random(size).randbytes(CHUNK)
    serial = 0
    while size > 0:
        piece = (serial.to_bytes(8, "big") + block)[: min(CHUNK, size)]
        yield piece
        size -= len(piece)
        serial += 1


def digest(size):
    sha = hashlib.sha256()
    for piece in pattern(size):
        sha.update(piece)
    return sha.hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name = "server"

    def answer(self, body, headers=()):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        for key, value in headers:
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith("/bytes/"):
            size = int(self.path.split("/")[2])
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.send_header("X-SHA256", digest(size))
            self.end_headers()
            for piece in pattern(size):
                self.wfile.write(piece)
            return
        if "?slow=" in self.path:
            time.sleep(int(self.path.split("=")[1]) / 1000)
        here = self.connection.getsockname()[0]
        there = "%s:%d" % self.client_address[:2]
        self.answer(b"hello from %s/%s\n" % (self.name.encode(), here.encode()),
                    [("X-Seen-From", there)])

    def do_PUT(self):
        left = int(self.headers["Content-Length"])
        sha, size = hashlib.sha256(), left
        while left > 0:
            piece = self.rfile.read(min(CHUNK, left))
            if not piece:
                return
            sha.update(piece)
            left -= len(piece)
        self.answer(b"%d %s\n" % (size, sha.hexdigest().encode()))

    do_POST = do_PUT

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def server_bind(self):
        # The library would ask the name service who it is.
        self.socket.setsockopt(1, 2, 1)  # SOL_SOCKET, SO_REUSEADDR
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.socket.getsockname()[:2]

    def handle_error(self, request, client_address):
        pass  # a client that went away is no news


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    args = parser.parse_args()
    Handler.name = args.name
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = Server((args.address, args.port), Handler)
    print("listening", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
