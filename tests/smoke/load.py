# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Lath authors
"""Traffic for the smoke tests, run inside a namespace.

load.py http URL [--keepalive] [--threads N] [--pause MS]
    Requests until SIGTERM, each on a new connection or all of a thread on one. SIGUSR1 prints what
    was seen so far as one JSON line, SIGTERM prints it and ends.
load.py echo ADDRESS PORT [--udp] [--processes N] [--close-after]
    Sends everything back until SIGTERM; with --close-after it closes first, after one answer.
load.py flows ADDRESS PORT COUNT [--first-port P] [--processes N] [--short]
    Opens COUNT TCP connections from ports P, P+1, ..., keeps them all open, then asks each once
    more; prints one JSON line. --short: one question each, then the server closes first.
"""
import argparse
import collections
import http.client
import json
import multiprocessing
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from urllib.parse import urlsplit

OPENING = 256  # connections a process has half open at a time


# ---- http -------------------------------------------------------------------------------------

class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.begun = time.monotonic()
        self.answers = collections.Counter()
        self.failures = []
        self.slowest_ms = 0
        self.failed = 0

    def add(self, answer, began):
        with self.lock:
            self.answers[answer] += 1
            self.slowest_ms = max(self.slowest_ms, int((time.monotonic() - began) * 1000))

    def fail(self, error):
        with self.lock:
            self.failed += 1
            if len(self.failures) < 10:
                self.failures.append(f"{time.monotonic() - self.begun:.2f} s: {error!r}")

    def text(self):
        with self.lock:
            return json.dumps({"ok": sum(self.answers.values()), "failed": self.failed,
                               "answers": self.answers, "failures": self.failures,
                               "slowestMs": self.slowest_ms})


def requests(url, keepalive, pause, tally):
    parts = urlsplit(url)
    connection = None
    while True:
        began = time.monotonic()
        try:
            if connection is None:
                connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
            connection.request("GET", parts.path or "/")
            answer = connection.getresponse().read().decode().strip()
            tally.add(answer, began)
        except (OSError, http.client.HTTPException) as error:
            tally.fail(error)
            connection.close()
            connection = None
        if connection is not None and not keepalive:
            connection.close()
            connection = None
        time.sleep(pause)


def do_http(args):
    tally = Tally()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
    for _ in range(args.threads):
        threading.Thread(target=requests, daemon=True,
                         args=(args.url, args.keepalive, args.pause / 1000, tally)).start()
    print("started", flush=True)
    while signal.sigwait({signal.SIGTERM, signal.SIGUSR1}) == signal.SIGUSR1:
        print(tally.text(), flush=True)
    print(tally.text(), flush=True)
    os._exit(0)


# ---- echo -------------------------------------------------------------------------------------

def echo_loop(listener, close_after):
    listener.setblocking(False)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    open_ones = {}
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                accept_all(listener, poll, open_ones)
                continue
            connection = open_ones[number]
            try:
                data = connection.recv(65536)
                if data:
                    connection.sendall(data)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data or close_after:
                poll.unregister(number)
                del open_ones[number]
                connection.close()


def accept_all(listener, poll, open_ones):
    for _ in range(64):
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        open_ones[connection.fileno()] = connection
        poll.register(connection, select.EPOLLIN)


def do_echo(args):
    raise_limit()
    if args.udp:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((args.address, args.port))
        print("started", flush=True)
        while True:
            data, peer = sock.recvfrom(65536)
            sock.sendto(data, peer)
    children = []
    for _ in range(args.processes):  # a listener each: the kernel spreads connections evenly
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((args.address, args.port))
        listener.listen(4096)
        children.append(fork(echo_loop, listener, args.close_after))
        listener.close()
    print("started", flush=True)
    signal.sigwait({signal.SIGTERM})
    for child in children:
        os.kill(child, signal.SIGKILL)


def fork(function, *args):
    """A child that ends with its parent."""
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        threading.Thread(target=follow, args=(parent,), daemon=True).start()
        try:
            function(*args)
        finally:
            os._exit(0)
    return child


def follow(parent):
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)


# ---- flows ------------------------------------------------------------------------------------

def raise_limit():
    import resource
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Slice:
    """One process's share of the connections."""

    def __init__(self, args, first, count):
        self.peer = (args.address, args.port)
        self.short = args.short
        self.first = first
        self.todo = collections.deque(range(first, first + count))
        self.poll = select.epoll()
        self.by_number = {}
        self.errors = collections.Counter()

    def begin(self, port):
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", port))
        sock.connect_ex(self.peer)
        self.by_number[sock.fileno()] = (sock, port)
        self.poll.register(sock, select.EPOLLOUT)

    def drop(self, number, error):
        sock, _ = self.by_number.pop(number)
        self.poll.unregister(number)
        sock.close()
        self.errors[str(error)] += 1

    def end(self, number):
        sock, _ = self.by_number.pop(number)
        self.poll.unregister(number)
        sock.close()

    def event(self, number, what):
        """True when this connection has answered."""
        sock, port = self.by_number[number]
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.drop(number, os.strerror(error))
            return True
        try:
            if what & select.EPOLLOUT:
                sock.send(struct.pack("!I", port))
                self.poll.modify(number, select.EPOLLIN)
                return False
            data = sock.recv(16)
        except OSError as problem:
            self.drop(number, problem)
            return True
        if data != struct.pack("!I", port):
            self.drop(number, f"answer {data!r}")
        return True

    def open_all(self, deadline):
        waiting = set()
        opened = 0
        while (self.todo or waiting) and time.monotonic() < deadline:
            while self.todo and len(waiting) < OPENING:
                port = self.todo.popleft()
                self.begin(port)
                waiting.add(next(reversed(self.by_number)))
            for number, what in self.poll.poll(0.2):
                if number not in waiting or not self.event(number, what):
                    continue
                waiting.discard(number)
                opened += number in self.by_number
                if number not in self.by_number:
                    continue
                if self.short:
                    self.by_number[number][0].setblocking(True)
                    self.by_number[number][0].recv(1)  # the server's FIN comes first
                    self.end(number)
        self.errors["no answer in time"] += len(waiting) + len(self.todo)
        return opened

    def ask_all(self, deadline):
        """One more question to everyone; how many answer."""
        waiting = collections.deque(self.by_number)
        asked = set()
        alive = 0
        while (waiting or asked) and time.monotonic() < deadline:
            while waiting and len(asked) < OPENING:
                number = waiting.popleft()
                sock, port = self.by_number[number]
                try:
                    sock.send(struct.pack("!I", port))
                except OSError as problem:
                    self.drop(number, problem)
                    continue
                asked.add(number)
            for number, what in self.poll.poll(0.2):
                if number in asked and self.event(number, what & ~select.EPOLLOUT):
                    asked.discard(number)
                    alive += number in self.by_number
        self.errors["dead at the end"] += len(asked) + len(waiting)
        return alive


def run_slice(args, first, count, barrier, queue):
    raise_limit()
    part = Slice(args, first, count)
    opened = part.open_all(time.monotonic() + args.seconds)
    barrier.wait()
    alive = 0 if args.short else part.ask_all(time.monotonic() + args.seconds)
    queue.put((opened, alive, +part.errors))
    barrier.wait()


def do_flows(args):
    began = time.monotonic()
    barrier = multiprocessing.Barrier(args.processes)
    queue = multiprocessing.Queue()
    share = -(-args.count // args.processes)
    children = []
    for i in range(args.processes):
        first, left = args.first_port + i * share, min(share, args.count - i * share)
        children.append(multiprocessing.Process(
            target=run_slice, args=(args, first, left, barrier, queue), daemon=True))
    for child in children:
        child.start()
    print("started", flush=True)
    total = {"opened": 0, "alive": 0, "errors": collections.Counter()}
    for _ in children:
        opened, alive, errors = queue.get()
        total["opened"] += opened
        total["alive"] += alive
        total["errors"] += errors
    print(json.dumps({**total, "seconds": round(time.monotonic() - began, 1)}), flush=True)
    for child in children:
        child.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_subparsers(required=True)
    one = what.add_parser("http")
    one.add_argument("url")
    one.add_argument("--keepalive", action="store_true")
    one.add_argument("--threads", type=int, default=2)
    one.add_argument("--pause", type=int, default=2)
    one.set_defaults(do=do_http)
    one = what.add_parser("echo")
    one.add_argument("address")
    one.add_argument("port", type=int)
    one.add_argument("--udp", action="store_true")
    one.add_argument("--processes", type=int, default=1)
    one.add_argument("--close-after", action="store_true")
    one.set_defaults(do=do_echo)
    one = what.add_parser("flows")
    one.add_argument("address")
    one.add_argument("port", type=int)
    one.add_argument("count", type=int)
    one.add_argument("--first-port", type=int, default=2000)
    one.add_argument("--processes", type=int, default=1)
    one.add_argument("--seconds", type=int, default=120)
    one.add_argument("--short", action="store_true")
    one.set_defaults(do=do_flows)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if args.do is do_echo and not args.udp:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    args.do(args)


if __name__ == "__main__":
    main()
