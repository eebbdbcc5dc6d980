"""Benchmarks of caisson-runtime; see runtime.sh. Everything runs on this machine, over loopback."""

import argparse
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import platform
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUNTIME = ROOT / "build/release/bin/caisson-runtime"
README = ROOT / "bench/README.md"
BEGIN, END = "<!-- runtime: begin -->", "<!-- runtime: end -->"
OPERATOR = b"operator-token-of-a-benchmark-deployment"
KEY = b"a benchmark's token secret, 32 bytes and more"
TICK = os.sysconf("SC_CLK_TCK")
SERVER_CORE, LOAD_CORE = "0", "1"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(tenant):
    now = int(time.time())
    claims = {"iss": "bench", "aud": "bench", "sub": "bench", "tid": tenant, "iat": now, "exp": now + 86400}
    signed = base64url(b'{"alg":"HS256","typ":"JWT"}') + b"." + base64url(json.dumps(claims).encode())
    return (signed + b"." + base64url(hmac.new(KEY, signed, hashlib.sha256).digest())).decode()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rss_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


class Runtime:
    """A caisson-runtime of its own, in a directory of its own."""

    def __init__(self, tenants=1, threads=1, core=None, limits=None, place=None):
        self.directory = tempfile.TemporaryDirectory(prefix="caisson-bench-", dir=place)
        root = pathlib.Path(self.directory.name)
        self.port, self.operator, self.metrics = free_port(), free_port(), free_port()
        for name, secret in (("token.key", KEY), ("operator.token", OPERATOR)):
            (root / name).write_bytes(secret)
            (root / name).chmod(0o600)
        with open(root / "tenants.ndjson", "w") as out:
            for i in range(tenants):
                out.write(json.dumps({"slug": f"t{i}", "tier": "free"}) + "\n")
        (root / "runtime.json").write_text(json.dumps({
            "deployment": "bench", "instance": "runtime", "domain": "bench.localhost",
            "listen": {"data": f"127.0.0.1:{self.port}", "operator": f"127.0.0.1:{self.operator}",
                       "metrics": f"127.0.0.1:{self.metrics}"},
            "data": "data", "threads": threads, "modules": ["records"], "limits": limits or {},
            "auth": {"resolve": ["subdomain", "header", "token"], "api-keys": True,
                     "tokens": {"issuer": "bench", "audience": "bench", "key-file": "token.key",
                                "algorithms": ["HS256"]}},
            "operator": {"token-file": "operator.token"}, "log": {"level": "warn"},
            "tiers": {"free": {"isolation": "database"}}, "tenants-file": "tenants.ndjson"}))
        self.command = [str(RUNTIME), "serve", "--config", str(root / "runtime.json")]
        if core:
            self.command = ["taskset", "-c", core] + self.command
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.directory.cleanup()

    def start(self):
        """Starts, and returns the seconds until the first 200."""
        began = time.perf_counter()
        self.process = subprocess.Popen(self.command)
        while True:
            with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", self.port)) as s:
                s.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                if s.recv(64).startswith(b"HTTP/1.1 200"):
                    return time.perf_counter() - began
            if self.process.poll() is not None:
                raise SystemExit("caisson-runtime did not start")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    def metric(self, name):
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        return sum(float(v) for v in re.findall(rf"^{name}(?:{{[^}}]*}})? ([0-9.e+]+)$", text, re.MULTILINE))


class Tenant:
    """One keep-alive connection in the name of one tenant."""

    def __init__(self, runtime, name):
        self.connection = http.client.HTTPConnection("127.0.0.1", runtime.port)
        self.headers = {"Host": f"{name}.bench.localhost", "Authorization": "Bearer " + token(name),
                        "Content-Type": "application/json"}

    def ask(self, method, path, body=None):
        self.connection.request(method, path, json.dumps(body) if body else None, self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text}")
        return json.loads(text) if text else None


def wrk(url, seconds, connections, threads=1, core=None, headers=(), script=None):
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s"]
    for header in headers:
        command += ["-H", header]
    if script:
        command += ["-s", script]
    if core:
        command = ["taskset", "-c", core] + command
    out = subprocess.run(command + [url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(out)
    return int(re.search(r"(\d+) requests in", out)[1])


@contextlib.contextmanager
def nginx():
    """nginx with one worker on the server's core; gives its port and the worker's process."""
    with tempfile.TemporaryDirectory(prefix="caisson-bench-nginx-") as directory:
        port = free_port()
        config = pathlib.Path(directory, "nginx.conf")
        config.write_text(
            f"daemon off; master_process off; pid {directory}/pid; error_log /dev/null;\n"
            "events { worker_connections 4096; }\n"
            "http { access_log off; keepalive_requests 1000000000; default_type text/plain;\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ return 200 \"ok\\n\"; }} }} }}\n")
        process = subprocess.Popen(["taskset", "-c", SERVER_CORE, "nginx", "-p", directory, "-c", str(config)],
                                   stderr=subprocess.DEVNULL)
        while True:
            with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)):
                break
        yield port, process.pid
        process.terminate()
        process.wait()


def cpu_per_request(pid, url, headers=(), seconds=4):
    before = cpu_seconds(pid)
    requests = wrk(url, seconds, 32, core=LOAD_CORE, headers=headers)
    return (cpu_seconds(pid) - before) / requests * 1e6


def spread(values, unit, digits=2):
    middle = statistics.median(values)
    return f"{middle:.{digits}f} {unit}".strip(), f"{min(values):.{digits}f} to {max(values):.{digits}f}"


def trivial(rounds):
    ours, theirs = [], []
    with Runtime(core=SERVER_CORE) as runtime, nginx() as (port, pid):
        for _ in range(rounds):
            ours.append(cpu_per_request(runtime.pid, f"http://127.0.0.1:{runtime.port}/livez"))
            theirs.append(cpu_per_request(pid, f"http://127.0.0.1:{port}/"))
    ratios = [a / b for a, b in zip(ours, theirs)]
    yield "trivial response, CPU per request", *spread(ours, "us"), "", ""
    yield "nginx 1.22 `return 200`, CPU per request", *spread(theirs, "us"), "", ""
    yield "ratio to nginx", *spread(ratios, "x"), "<= 1.2 x", statistics.median(ratios) <= 1.2


def read(rounds):
    values = []
    with Runtime(core=SERVER_CORE) as runtime:
        tenant = Tenant(runtime, "t0")
        ids = [tenant.ask("POST", "/v1/records/notes", {"n": i, "text": "x" * 200})["id"] for i in range(1000)]
        headers = [f"{k}: {v}" for k, v in tenant.headers.items()]
        for i in range(rounds):
            url = f"http://127.0.0.1:{runtime.port}/v1/records/notes/{ids[i * 37 % len(ids)]}"
            values.append(cpu_per_request(runtime.pid, url, headers))
    yield "authenticated tenant read, CPU per request", *spread(values, "us"), "<= 20 us", statistics.median(values) <= 20


WRITE_SCRIPT = """
local requests, turn = {}, 0
function init(args)
  local body = '{"n":1,"text":"' .. string.rep("x", 100) .. '"}'
  for line in io.lines(os.getenv("BENCH_TOKENS")) do
    local host, bearer = line:match("(%S+) (%S+)")
    requests[#requests + 1] = wrk.format("POST", "/v1/records/notes", {["Host"] = host,
      ["Authorization"] = "Bearer " .. bearer, ["Content-Type"] = "application/json"}, body)
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
"""


def writes(rounds):
    for tenants in (1, 16):
        values = []
        with Runtime(tenants=tenants, threads=0) as runtime, tempfile.TemporaryDirectory() as directory:
            tokens, script = pathlib.Path(directory, "tokens"), pathlib.Path(directory, "writes.lua")
            tokens.write_text("".join(f"t{i}.bench.localhost {token(f't{i}')}\n" for i in range(tenants)))
            script.write_text(WRITE_SCRIPT)
            os.environ["BENCH_TOKENS"] = str(tokens)
            for _ in range(rounds):
                values.append(wrk(f"http://127.0.0.1:{runtime.port}/", 4, 256, script=str(script)) / 4)
        target = ("", "") if tenants == 1 else (">= 50000 /s", statistics.median(values) >= 50000)
        yield (f"durable writes, 256 connections, {tenants} tenant{'s' if tenants > 1 else ''}",
               *spread(values, "/s", 0), *target)


def touch(runtime, names, workers=8):
    """A write and a read of every tenant, over its own connection."""
    names = list(names)

    def work(part):
        for name in part:
            tenant = Tenant(runtime, name)
            made = tenant.ask("POST", "/v1/records/notes", {"of": name})
            if tenant.ask("GET", "/v1/records/notes/" + made["id"])["value"]["of"] != name:
                raise SystemExit("a tenant read another's record")
            tenant.connection.close()

    threads = [threading.Thread(target=work, args=(names[i::workers],)) for i in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def memory(rounds):
    idle, per_tenant = [], []
    for _ in range(rounds):
        with Runtime(threads=0) as runtime:
            time.sleep(0.5)
            idle.append(rss_kib(runtime.pid) / 1024)
    for _ in range(max(1, rounds // 2)):
        with Runtime(tenants=600, threads=0) as runtime:
            touch(runtime, (f"t{i}" for i in range(100)))
            before = rss_kib(runtime.pid)
            touch(runtime, (f"t{i}" for i in range(100, 600)))
            if runtime.metric("caisson_open_tenants") != 600:
                raise SystemExit("not every tenant stayed open")
            per_tenant.append((rss_kib(runtime.pid) - before) / 500)
    yield "idle resident memory", *spread(idle, "MiB"), "<= 12 MB", statistics.median(idle) * 1.048576 <= 12
    yield ("resident memory per open tenant", *spread(per_tenant, "KiB", 1), "<= 140 KiB",
           statistics.median(per_tenant) <= 140)


def start(rounds):
    values = []
    with Runtime(threads=0) as runtime:
        for _ in range(rounds * 3):
            runtime.stop()
            values.append(runtime.start() * 1000)
    yield "start to first 200", *spread(values, "ms", 1), "<= 50 ms", statistics.median(values) <= 50


def many(_):
    with Runtime(tenants=10000, threads=0) as runtime:
        runtime.stop()
        again = runtime.start() * 1000
        began = time.perf_counter()
        touch(runtime, (f"t{i}" for i in range(10000)))
        took = time.perf_counter() - began
        opened = runtime.metric("caisson_open_tenants")
        yield "10,000 tenants in one process: open at the end", f"{opened:.0f}", "", "<= 1000", opened <= 1000
        yield "10,000 tenants: a write and a read of each", f"{took:.1f} s", "", "", ""
        yield "10,000 tenants: resident memory", f"{rss_kib(runtime.pid) / 1024:.0f} MiB", "", "", ""
        yield "10,000 tenants: start to first 200 (registry filled)", f"{again:.1f} ms", "", "", ""


def main():
    benches = {f.__name__: f for f in (trivial, read, writes, memory, start, many)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(benches))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--print", action="store_true", help="leave bench/README.md alone")
    options = parser.parse_args()
    with contextlib.suppress(PermissionError):
        os.nice(-20)  # whatever else this machine does waits
    rows = []
    for name in options.names or benches:
        for what, value, between, target, met in benches[name](options.rounds):
            rows.append((what, value, between, target, {True: "yes", False: "**no**"}.get(met, "")))
            print(" | ".join(rows[-1]), flush=True)
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())[1]
    table = [BEGIN, "## Runtime", "",
             f"`bench/runtime.sh` on {cpu}, {os.cpu_count()} cores, Linux {platform.release()}, "
             f"{options.rounds} rounds, medians and spread, load average {os.getloadavg()[1]:.0f}. CPU per request is the server's user and system time "
             "over the requests of one round; the server has one core, the load the other. nginx and the runtime "
             "take turns in the same run. Writes have both cores for the server and the load together; durable means committed with `synchronous=FULL` before the answer.",
             "", "| what | median | spread | target | met |", "|---|---|---|---|---|"]
    table += [f"| {' | '.join(row)} |" for row in rows] + ["", END]
    if options.print:
        return
    text = README.read_text() if README.exists() else f"# Benchmarks\n\n{BEGIN}\n{END}\n"
    if BEGIN not in text:
        text += f"\n{BEGIN}\n{END}\n"
    README.write_text(text[:text.index(BEGIN)] + "\n".join(table) + text[text.index(END) + len(END):])


if __name__ == "__main__":
    main()
