"""Real runtimes of this machine with the configurations that target `local` generates, over data that outlive them as volumes do."""

import json
import os
import pathlib
import re
import subprocess
import urllib.error
import urllib.request

from trial import expect


class Stack:
    """The runtimes of one tree of configurations."""

    def __init__(self, runtime, work, configurations):
        self.runtime, self.work, self.running, self.ports = runtime, work, {}, {}
        for name in sorted(path.stem for path in configurations.glob("runtime*.json")):
            config = json.loads((configurations / f"{name}.json").read_text())
            data = work / "data" / name
            data.mkdir(parents=True, exist_ok=True)
            token = work / "token"
            token.write_text("t" * 43)
            token.chmod(0o600)
            config.update(data=str(data), operator={"token-file": str(token)}, proxy={}, listen={"data": "127.0.0.1:0", "operator": "127.0.0.1:0"})
            config.get("auth", {}).pop("tokens", None)
            self.tell(name, config.pop("tenants"))
            config["tenants-file"] = str(self.tenants_of(name))
            self.file(name).write_text(json.dumps(config))
            log = (work / f"{name}.log").open("w+")
            self.running[name] = subprocess.Popen([runtime, "serve", "--config", self.file(name)], stderr=log)
            listening = self.listening(name, log.name)
            self.ports[name] = listening
            config["listen"] = {"data": f"127.0.0.1:{listening[0]}", "operator": f"127.0.0.1:{listening[1]}"}
            self.file(name).write_text(json.dumps(config))  # whom the operator's commands ask

    def file(self, name):
        return self.work / f"{name}.json"

    def tenants_of(self, name):
        return self.work / f"{name}.ndjson"

    def tell(self, name, tenants):
        """What the runtime reads again while it serves, as on every other target."""
        fresh = self.work / f"{name}.ndjson.new"
        fresh.write_text("".join(json.dumps(tenant) + "\n" for tenant in tenants))
        fresh.rename(self.tenants_of(name))

    def listening(self, name, log):
        while self.running[name].poll() is None:
            ports = listening_ports(self.running[name].pid)
            if len(ports) == 2:
                return ports
        raise AssertionError(f"{name} ended: {pathlib.Path(log).read_text()}")

    def operator(self, name, *words, **options):
        done = subprocess.run([self.runtime, "operator", "--config", self.file(name), *words], capture_output=True, text=True, check=False, **options)
        expect(done.returncode == 0, f"{words}: {done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def ask(self, name, key, path, body=None, tenant="globex", method=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[name][0]}{path}", data=None if body is None else json.dumps(body).encode(), method=method,
                                         headers={"Host": f"{tenant}.acme.localhost", "Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.loads(answer.read() or "{}")
        except urllib.error.HTTPError as error:
            return error.code, {}

    def stop(self):
        self.end("terminate")

    def end(self, how):
        """`how` they end is a method of Popen: `kill` leaves the data as a power cut does."""
        for process in self.running.values():
            getattr(process, how)()
        for process in self.running.values():
            process.wait()


def listening_ports(pid):
    """Data, then operator: in the order in which the process opened them."""
    inodes = []
    for fd in sorted(pathlib.Path(f"/proc/{pid}/fd").iterdir(), key=lambda path: int(path.name)):
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(fd))
        except FileNotFoundError:
            continue
        if found:
            inodes.append(found.group(1))
    ports = {}
    for line in pathlib.Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[3] == "0A" and words[9] in inodes:
            ports[words[9]] = int(words[1].split(":")[1], 16)
    return [ports[inode] for inode in inodes if inode in ports]
