"""What greedy tenants cost a quiet one, and what creating a tenant costs; see fairness.sh.

A real runtime, real HTTP over loopback, one machine. Greedy tenants run in processes of their own, each with
connections that never rest: lists whose filters match nothing, batches of 1,000 operations, and exports, which
are lists of whole pages. The quiet tenant reads, or writes, one request at a time with a pause in between."""

import argparse
import contextlib
import json
import multiprocessing
import os
import pathlib
import platform
import re
import socket
import threading
import time

import runtime as bench

README = bench.README
BEGIN, END = "<!-- fairness: begin -->", "<!-- fairness: end -->"
PAUSE = 0.005
RECORDS = 20_000


class Connection:
    """Keep-alive requests as bytes: the client must cost little, it shares the machine with the server."""

    def __init__(self, port, host, bearer):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = f"Host: {host}\r\nAuthorization: Bearer {bearer}\r\n"

    def request(self, method, path, body=b""):
        head = f"{method} {path} HTTP/1.1\r\n{self.head}"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body

    def send(self, request):
        """The status of the answer, and its body."""
        self.socket.sendall(request)
        data = bytearray()
        while (end := data.find(b"\r\n\r\n")) < 0:
            self.take(data)
        status = int(data[9:12])
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", data[:end + 2])
        size = end + 4 + (int(length[1]) if length else 0)
        while len(data) < size:
            self.take(data)
        return status, bytes(data[end + 4:size])

    def take(self, data):
        more = self.socket.recv(1 << 18)
        if not more:
            raise SystemExit("the runtime closed a connection")
        data += more


def connect(port, name):
    return Connection(port, f"{name}.bench.localhost", bench.token(name))


def fill(port, name, records):
    """Records of about 400 bytes, with fields to filter by."""
    connection = connect(port, name)
    text = "x" * 300
    for first in range(0, records, 1000):
        operations = [{"op": "create", "collection": "notes", "value": {"n": first + i, "city": f"c{i % 97}", "text": text}}
                      for i in range(min(1000, records - first))]
        status, body = connection.send(connection.request("POST", "/v1/batch", json.dumps({"operations": operations}).encode()))
        if status != 200:
            raise SystemExit(f"cannot fill {name}: {status} {body[:200]}")


def be_greedy(port, name, kind, stop, answers):
    """Asks for one kind of work over and over."""
    connection = connect(port, name)
    batch = json.dumps({"operations": [{"op": "create", "collection": "more", "value": {"n": i, "text": "y" * 100}}
                                       for i in range(1000)]}).encode()
    requests = {
        "list": connection.request("GET", "/v1/records/notes?filter=city:prefix:%22z%22&filter=text:ge:%22zz%22&filter=n:lt:-1"),
        "batch": connection.request("POST", "/v1/batch", batch),
        "export": connection.request("GET", "/v1/records/notes?limit=1000")}
    while not stop.is_set():
        status, _ = connection.send(requests[kind])
        with answers.get_lock():
            answers[min(status // 100, 5)] += 1


def be_quiet(port, name, kind, seconds, out):
    """The times of one tenant's requests, in ms."""
    with contextlib.suppress(PermissionError):
        os.nice(-5)  # the client's own waiting for a processor is not the server's
    connection = connect(port, name)
    write = connection.request("POST", "/v1/records/notes", b'{"n":1,"text":"quiet"}')
    status, body = connection.send(write)
    if status != 201:
        raise SystemExit(f"cannot write: {status}")
    requests = {"read": connection.request("GET", "/v1/records/notes/" + json.loads(body)["id"]),
                "list": connection.request("GET", "/v1/records/notes?limit=10"), "write": write}
    took, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        status, _ = connection.send(requests[kind])
        took.append((time.perf_counter() - began) * 1000)
        if status not in (200, 201):
            raise SystemExit(f"the quiet tenant was answered {status}")
        time.sleep(PAUSE)
    out.put(took)


def percentile(values, share):
    values = sorted(values)
    return values[min(int(len(values) * share), len(values) - 1)]


def quiet_times(port, kind, seconds):
    out = multiprocessing.Queue()
    process = multiprocessing.Process(target=be_quiet, args=(port, "t0", kind, seconds, out))
    process.start()
    took = out.get()
    process.join()
    return took


@contextlib.contextmanager
def greedy_tenants(port, count):
    """Three connections each, one for every kind of work."""
    stop, answers = multiprocessing.Event(), multiprocessing.Array("L", 6)
    processes = [multiprocessing.Process(target=be_greedy, args=(port, f"t{i + 1}", kind, stop, answers))
                 for i in range(count) for kind in ("list", "batch", "export")]
    for process in processes:
        process.start()
    time.sleep(1)
    yield answers
    stop.set()
    for process in processes:
        process.join()


def fairness(place, seconds, greedy):
    """One row for each kind of request of the quiet tenant."""
    with bench.Runtime(tenants=greedy + 1, threads=0, place=place) as runtime:
        for i in range(1, greedy + 1):
            fill(runtime.port, f"t{i}", RECORDS)
        fill(runtime.port, "t0", 100)
        for kind in ("read", "list", "write"):
            alone = quiet_times(runtime.port, kind, seconds)
            with greedy_tenants(runtime.port, greedy) as answers:
                beside = quiet_times(runtime.port, kind, seconds)
                done, refused = answers[2], answers[4] + answers[5]
            a, b = percentile(alone, 0.99), percentile(beside, 0.99)
            bound = max(1.5 * a, a + 5)
            yield (f"{kind}, {greedy} greedy tenants", f"{percentile(alone, .5):.1f} / {a:.1f}",
                   f"{percentile(beside, .5):.1f} / {b:.1f}", f"{bound:.1f}", b <= bound, f"{done} done, {refused} refused")


def creation(place, count, loaded):
    """Tenants made one after another through the operator API; `loaded`: eight others write meanwhile."""
    with bench.Runtime(tenants=8, threads=0, place=place) as runtime:
        stop = threading.Event()

        def write(name):
            connection = connect(runtime.port, name)
            request = connection.request("POST", "/v1/records/notes", b'{"n":1,"text":"load"}')
            while not stop.is_set():
                connection.send(request)

        writers = [threading.Thread(target=write, args=(f"t{i}",)) for i in range(8)] if loaded else []
        for writer in writers:
            writer.start()
        connection = Connection(runtime.operator, "operator", bench.OPERATOR.decode())
        took = []
        for i in range(count):
            request = connection.request("POST", "/v1/tenants", json.dumps({"slug": f"new{i}", "tier": "free"}).encode())
            began = time.perf_counter()
            status, body = connection.send(request)
            took.append((time.perf_counter() - began) * 1000)
            if status != 201:
                raise SystemExit(f"cannot create: {status} {body}")
        stop.set()
        for writer in writers:
            writer.join()
        p99 = percentile(took, .99)
        yield (f"create a tenant{', 8 others write' if loaded else ''}", f"{percentile(took, .5):.1f} / {p99:.1f}", "", "50",
               p99 < 50, "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8, help="of each measurement")
    parser.add_argument("--greedy", type=int, default=8, help="greedy tenants")
    parser.add_argument("--creates", type=int, default=300)
    parser.add_argument("--runtime", type=pathlib.Path, default=bench.RUNTIME, help="the program to measure")
    parser.add_argument("--print", action="store_true", help="leave bench/README.md alone")
    options = parser.parse_args()
    bench.RUNTIME = options.runtime.resolve()
    with contextlib.suppress(PermissionError):
        os.nice(-10)  # whatever else this machine does waits
    rows = []
    for where, place in (("memory", "/dev/shm"), ("disk", None)):
        for row in [*fairness(place, options.seconds, options.greedy), *creation(place, options.creates, False),
                    *creation(place, options.creates, True)]:
            rows.append((where, *row[:4], "yes" if row[4] else "**no**", row[5]))
            print(" | ".join(rows[-1]), flush=True)
    if options.print:
        return
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())[1]
    table = [BEGIN, "## Fairness between tenants", "",
             f"`bench/fairness.sh` on {cpu}, {os.cpu_count()} cores, Linux {platform.release()}, load average {os.getloadavg()[1]:.0f}, "
             f"{options.seconds:g} s each. Every greedy tenant has {RECORDS} records and three connections that never rest: lists whose filters match "
             "nothing, batches of 1,000 operations, pages of 1,000 records. Load, server and quiet tenant share the cores. Times are p50 / p99 in ms; "
             "the bound is max(1.5 x, + 5 ms) of the p99 alone, on a file system in memory; figures of the disk are for comparison, for everybody "
             "waits for the same one.",
             "", "| files on | the quiet tenant's | alone | beside them | p99 bound | met | answers to the greedy |", "|---|---|---|---|---|---|---|"]
    table += [f"| {' | '.join(row)} |" for row in rows] + ["", END]
    text = README.read_text()
    if BEGIN not in text:
        text += f"\n{BEGIN}\n{END}\n"
    README.write_text(text[:text.index(BEGIN)] + "\n".join(table) + text[text.index(END) + len(END):])


if __name__ == "__main__":
    main()
