"""What a deployment uses at rest and under a small load; see idle.sh. Everything runs on this machine, over loopback."""

import argparse
import http.client
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CAISSON = pathlib.Path(os.environ.get("CAISSON", ROOT / "build/release/bin/caisson"))
SPEC = ROOT / "examples/quickstart/deployment.yaml"
README = ROOT / "bench/README.md"
BEGIN, END = "<!-- idle: begin -->", "<!-- idle: end -->"
TICK = os.sysconf("SC_CLK_TCK")
TENANTS = ("globex", "initech", "umbrella")
RATE = 30  # requests a second over all tenants, every third a write


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(pid):
    """Bytes that are the process's own, and all that it has in memory."""
    lines = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return tuple(int(lines[name].split()[0]) * 1024 for name in ("RssAnon", "VmRSS"))


def call(port, host, method, path, token, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Host": host, "Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 300:
        raise SystemExit(f"bench: {method} {path} of {host}: {answer.status} {text[:200]!r}")
    return json.loads(text) if text else None


def keys(state):
    """An API key for each tenant, made by its runtime's operator API."""
    made = {}
    for tenant in TENANTS:
        own = (state / f"config/runtime-{tenant}.json").exists()
        configuration = json.loads((state / f"config/runtime{'-' + tenant if own else ''}.json").read_text())
        address = configuration["listen"]["operator"]
        token = (state / "config" / configuration["operator"]["token-file"]).read_text().strip()
        answer = call(int(address.rsplit(":", 1)[1]), address, "POST", f"/v1/tenants/{tenant}/keys", token,
                      {"name": "bench", "scopes": ["read", "write"]})
        made[tenant] = answer["key"]
    return made


def load(port, made, seconds):
    written = {tenant: [] for tenant in TENANTS}
    start, count = time.monotonic(), 0
    while time.monotonic() < start + seconds:
        tenant = TENANTS[count % len(TENANTS)]
        host, ids = f"{tenant}.acme.localhost:{port}", written[tenant]
        if not ids or count // len(TENANTS) % 3 == 0:
            ids.append(call(port, host, "POST", "/v1/records/notes", made[tenant], {"text": "a note of ordinary length " * 8})["id"])
        else:
            call(port, host, "GET", f"/v1/records/notes/{ids[count % len(ids)]}", made[tenant])
        count += 1
        time.sleep(max(0.0, start + count / RATE - time.monotonic()))


def measure(pids, seconds, work):
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    started = time.monotonic()
    work(seconds)
    passed = time.monotonic() - started
    return {name: ((cpu_seconds(pid) - before[name]) / passed, *resident(pid)) for name, pid in pids.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--print", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o711)  # each process of the stack is a user of its own
        state = pathlib.Path(directory) / "state"
        up = subprocess.run([CAISSON, "up", SPEC, "--state", state], check=True, stderr=subprocess.PIPE, text=True)
        try:
            pids = {name: int(pid) for name, pid in re.findall(r"^(\S+) is ready \(\S+, pid (\d+)\)$", up.stderr, re.MULTILINE)}
            port = int(json.loads((state / "stack.json").read_text())["url"].rsplit(":", 1)[1])
            rest = measure(pids, arguments.seconds, time.sleep)
            made = keys(state)
            busy = measure(pids, arguments.seconds, lambda seconds: load(port, made, seconds))
        finally:
            subprocess.run([CAISSON, "down", SPEC, "--target", "local", "--state", state], check=True, stderr=subprocess.DEVNULL)
    lines = [f"{'program':<20}{'at rest: cpu':>14}{'own':>10}{'resident':>11}{'loaded: cpu':>14}{'own':>10}{'resident':>11}"]
    for name in sorted(pids):
        row = f"{name:<20}"
        for cpu, own, all_of_it in (rest[name], busy[name]):
            row += f"{cpu * 1000:>13.1f}m{own / 2**20:>6.1f} MiB{all_of_it / 2**20:>7.1f} MiB"
        lines.append(row)
    table = "\n".join("    " + line for line in lines)
    text = f"""{BEGIN}
## At rest

`bench/idle.sh`, {arguments.seconds} seconds each: what the programs of examples/quickstart use while nobody asks anything of them, and under {RATE} requests a second
over three tenants, a third of them writes. *Own* is memory that no other process shares. The defaults of `resources` in a spec ask for this and some room.

{table}

{END}"""
    print(text)
    if not arguments.print:
        old = README.read_text()
        if BEGIN in old:
            old = old[: old.index(BEGIN)] + text + old[old.index(END) + len(END):]
        else:
            old = old.rstrip("\n") + "\n\n" + text + "\n"
        README.write_text(old)


if __name__ == "__main__":
    main()
