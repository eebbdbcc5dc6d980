"""A generated compose project without an engine, for scripts/test-edge: each service is the real program with the real
generated configuration at its real paths, in a network namespace and a root of its own, as its image's user. An ACME
server (pebble) with a name server stands beside it, and a tap between the edge and each runtime notes what arrives.

Needs root, and runs in a network and mount namespace that the caller has made: nothing is seen from outside.
"""

import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time

import yaml

from trial import expect, run

HOST, TRUSTED, EDGE = "10.89.0.1", "10.89.0.77", "10.89.0.10"
RUNTIMES = {"runtime": ("10.89.0.20", "10.89.0.21"), "runtime-umbrella": ("10.89.0.30", "10.89.0.31")}  # tap, real
DASHBOARD = "10.89.0.40"
NAMES = {"pebble.test": HOST, "dashboard": DASHBOARD, "edge": EDGE, "edge-metrics": EDGE,
         **{name: tap for name, (tap, _) in RUNTIMES.items()},
         **{f"{name}-{port}": real for name, (_, real) in RUNTIMES.items() for port in ("operator", "metrics")}}


def until(what, condition, seconds=15):
    end = time.monotonic() + seconds
    while not (value := condition()):
        expect(time.monotonic() < end, f"{what}: not within {seconds} s")
        time.sleep(0.02)
    return value


def make_network():
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "front", "type", "bridge")
    run("ip", "link", "set", "front", "up")
    for address in (HOST, TRUSTED, *(tap for tap, _ in RUNTIMES.values())):
        run("ip", "address", "add", f"{address}/24", "dev", "front")
    for number, (name, address) in enumerate([("edge", EDGE), ("dashboard", DASHBOARD),
                                              *((name, real) for name, (_, real) in RUNTIMES.items())]):
        run("ip", "netns", "add", name)
        run("ip", "link", "add", f"h{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", f"h{number}", "master", "front", "up")
        for words in (["link", "set", "lo", "up"], ["link", "set", "eth0", "up"],
                      ["address", "add", f"{address}/24", "dev", "eth0"]):
            run("ip", "-netns", name, *words)


class Service:
    """One container's worth: `files` at their places in a root of its own, the rest of this machine's below them."""

    def __init__(self, work, name, namespace, files=(), shared=(), env=None):
        self.name, self.namespace, self.env = name, namespace, env or {}
        self.place = work / "services" / name
        self.root = self.place / "root"
        for part in ("upper", "work", "root"):
            (self.place / part).mkdir(parents=True)
        run("mount", "-t", "overlay", "overlay", "-o",
            f"lowerdir=/,upperdir={self.place}/upper,workdir={self.place}/work", self.root)
        for part in ("proc", "dev"):
            run("mount", "--rbind", f"/{part}", self.root / part)
        run("mount", "-t", "tmpfs", "-o", "mode=1777,noexec,nosuid,nodev", "tmpfs", self.root / "tmp")
        for source, target in files:
            self.put(target, pathlib.Path(source).read_bytes())
        for source, target, read_only in shared:
            (self.root / target.lstrip("/")).mkdir(parents=True, exist_ok=True)
            run("mount", "--bind", source, self.root / target.lstrip("/"))
            if read_only:
                run("mount", "-o", "remount,bind,ro", self.root / target.lstrip("/"))
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n" +
                                             "".join(f"{address} {host}\n" for host, address in NAMES.items()))
        run("mount", "-o", "remount,ro", self.root)  # as in the project: nothing but volumes can be written
        self.process = None
        self.log = self.place / "log"

    def put(self, target, data):
        place = self.root / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(0o555 if "/bin/" in target else 0o400 if "/secrets/" in target else 0o444)
        os.chown(place, 10001, 10001)

    def command(self, *words):
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        return [*inside, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                *(f"{key}={value}" for key, value in self.env.items()),
                "chroot", str(self.root), "setpriv", "--reuid=10001", "--regid=10001", "--clear-groups",
                "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--", *map(str, words)]

    def alive(self):
        expect(self.process.poll() is None, f"{self.name} ended:\n{self.log.read_text()[-2000:]}")
        return True

    def start(self, *words):
        self.process = subprocess.Popen(self.command(*words), stdout=self.log.open("a"), stderr=subprocess.STDOUT,
                                        start_new_session=True)
        return self

    def run(self, *words, check=True):
        return run(*self.command(*words), check=check)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Tap:
    """Between the edge and a runtime: passes bytes on and keeps what came from the edge, connection by connection.
    Requests for /tap-... are answered here: silence for ever, or an echo after the change of protocol. Of a request whose path
    ends in /heard-and-gone the whole is heard, and the connection and the listener are gone before an answer."""

    def __init__(self, listen, real):
        self.real = real
        self.streams = []
        self.listen = listen
        self.open()

    def open(self):
        self.server = socket.create_server((self.listen, 8080), backlog=256)
        threading.Thread(target=self.accept, args=(self.server,), daemon=True).start()

    def close(self):
        """Nobody listens here any more."""
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()

    def accept(self, server):
        while True:
            try:
                edge, _ = server.accept()
            except OSError:
                return  # closed
            stream = bytearray()
            self.streams.append(stream)
            threading.Thread(target=self.serve, args=(edge, stream), daemon=True).start()

    def serve(self, edge, stream):
        try:
            behind = socket.create_connection((self.real, 8080))
        except OSError:
            edge.close()
            return
        threading.Thread(target=self.back, args=(behind, edge), daemon=True).start()
        while data := self.receive(edge):
            stream += data
            if data.startswith(b"GET /tap-silence"):
                continue
            if b"/heard-and-gone " in data.split(b"\r\n")[0]:
                self.close()  # the runtime dies of it, and nobody takes its place
                break
            if data.startswith(b"GET /tap-echo"):
                edge.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
                while data := self.receive(edge):
                    edge.sendall(data)
                break
            try:
                behind.sendall(data)
            except OSError:
                break
        behind.close()
        edge.close()

    def back(self, behind, edge):
        while data := self.receive(behind):
            try:
                edge.sendall(data)
            except OSError:
                break
        try:
            edge.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def receive(source):
        try:
            return source.recv(65536)
        except OSError:
            return b""

    def requests(self):
        """Every request as (head, body), read as RFC 9112 says; fails where its ends are open to opinion."""
        found = []
        for stream in list(self.streams):
            rest = bytes(stream)
            while rest:
                head, end, rest = rest.partition(b"\r\n\r\n")
                if not end:
                    break
                fields = [line.split(b":", 1) for line in head.split(b"\r\n")[1:]]
                lengths = [v.strip() for k, v in fields if k.lower() == b"content-length"]
                codings = [v.strip() for k, v in fields if k.lower() == b"transfer-encoding"]
                expect(len(lengths) + len(codings) <= 1, f"two framings behind the edge:\n{head.decode('latin-1')}")
                expect(not codings or codings == [b"chunked"], f"coding {codings} behind the edge")
                body = b""
                if lengths:
                    body, rest = rest[:int(lengths[0])], rest[int(lengths[0]):]
                while codings:
                    size, _, rest = rest.partition(b"\r\n")
                    size = int(size or b"0", 16)
                    body, rest = body + rest[:size], rest[size + 2:]
                    codings = codings if size else []
                found.append((head.decode("latin-1"), body))
                if b"\r\nupgrade: websocket" in head.lower():
                    break
        return found

    def head_of(self, marker):
        """The head of the one request whose target has `marker`."""
        heads = [head for head, _ in self.requests() if marker in head.split("\r\n")[0]]
        expect(len(heads) == 1, f"{len(heads)} requests with {marker} arrived")
        return heads[0]


def fields_of(head):
    fields = {}
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        fields.setdefault(name.lower(), []).append(value.strip())
    return fields


class Acme:
    """pebble, whose validation finds every name at the edge, and the certificate that vouches for its own API."""

    def __init__(self, work):
        self.place = work / "acme"
        self.place.mkdir()
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
            "-keyout", self.place / "root.key", "-out", self.place / "root.pem")
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=pebble.test",
            "-keyout", self.place / "key.pem", "-out", self.place / "csr.pem")
        (self.place / "ext").write_text("subjectAltName=DNS:pebble.test\n")
        run("openssl", "x509", "-req", "-in", self.place / "csr.pem", "-CA", self.place / "root.pem", "-CAkey",
            self.place / "root.key", "-CAcreateserial", "-days", "2", "-extfile", self.place / "ext",
            "-out", self.place / "cert.pem")
        (self.place / "config.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"{HOST}:14000", "managementListenAddress": f"{HOST}:15000",
            "certificate": str(self.place / "cert.pem"), "privateKey": str(self.place / "key.pem"),
            "httpPort": 8080, "tlsPort": 8443, "ocspResponderURL": "", "externalAccountBindingRequired": False}}))
        self.log = self.place / "log"
        self.processes = [
            # Also the name server of the edge's own namespace, in Docker's place.
            subprocess.Popen(["ip", "netns", "exec", "edge", "pebble-challtestsrv", "-management", f"{EDGE}:8055",
                              "-dns01", "127.0.0.11:53", "-defaultIPv6", "", "-defaultIPv4", "", "-http01", "",
                              "-https01", "", "-tlsalpn01", ""], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL),
            subprocess.Popen(["pebble-challtestsrv", "-management", f"{HOST}:8055", "-dns01", f"{HOST}:8053",
                              "-defaultIPv6", "", "-defaultIPv4", EDGE, "-http01", "", "-https01", "", "-tlsalpn01", ""],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
            subprocess.Popen(["pebble", "-config", str(self.place / "config.json"), "-dnsserver", f"{HOST}:8053"],
                             stdout=self.log.open("w"), stderr=subprocess.STDOUT,
                             env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0",
                                  "PEBBLE_AUTHZREUSE": "0"})]
        for host, address in NAMES.items():
            until("name server", lambda: self.know(host, address))
        own = ssl.create_default_context(cafile=str(self.place / "root.pem"))

        def root():
            try:
                connection = http.client.HTTPSConnection("pebble.test", 15000, context=own, timeout=2)
                connection.request("GET", "/roots/0")
                return connection.getresponse().read().decode()
            except OSError:
                return None

        self.root = until("pebble", root)

    @staticmethod
    def know(host, address):
        """Tells the edge's name server of an instance."""
        try:
            connection = http.client.HTTPConnection(EDGE, 8055, timeout=2)
            connection.request("POST", "/add-a", json.dumps({"host": f"{host}.", "addresses": [address]}))
            return connection.getresponse().status == 200
        except OSError:
            return False

    def orders(self):
        return self.log.read_text().count("Added order")

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()


class Stack:
    """The compose project of a spec, started service by service from what compose.yaml and the Dockerfiles say."""

    def __init__(self, work, programs, caddy, spec, acme):
        self.work, self.acme, self.services = work, acme, {}
        work.mkdir()
        (work / "deployment.yaml").write_text(spec)
        shutil.copy(acme.place / "root.pem", work / "root.pem")
        self.generated = work / "generated"
        run(programs / "caisson", "generate", work / "deployment.yaml", "--out", self.generated, "--target",
            "docker,compose", "--no-strict")
        self.compose = self.generated / "compose"
        run(self.compose / "secrets/generate.sh", env={**os.environ, "SOURCE_DIR": str(work)})
        self.programs = [(programs / "caisson-runtime", "/bin/caisson-runtime"), (caddy, "/bin/caddy")]
        self.project = yaml.safe_load((self.compose / "compose.yaml").read_text())
        self.taps = {name: Tap(tap, real) for name, (tap, real) in RUNTIMES.items()}
        for name in (*RUNTIMES, "dashboard", "edge"):
            self.start(name)

    def start(self, name):
        said = self.project["services"][name]
        shared = []
        for volume in said.get("volumes", []):
            if volume["type"] == "bind":
                shared.append((self.compose / volume["source"], volume["target"], volume.get("read_only", False)))
                continue
            place = self.work / "volumes" / volume["source"]
            place.mkdir(parents=True, exist_ok=True)
            os.chown(place, 10001, 10001)
            shared.append((place, volume["target"], volume.get("read_only", False)))
        files = [*self.programs,
                 *((self.compose / mount["source"], mount["target"]) for mount in said.get("configs", [])),
                 *((self.compose / "secrets" / mount["source"], mount["target"]) for mount in said.get("secrets", []))]
        environment = {key: value.replace("$$", "$") for key, value in said.get("environment", {}).items()}
        service = Service(self.work, name, name if name in (*RUNTIMES, "dashboard", "edge") else "", files, shared,
                          environment)
        dockerfile = (self.generated / "docker" / said["build"]["dockerfile"]).read_text()
        service.entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", dockerfile, re.M)[-1])
        self.services[name] = service.start(*service.entry, *said["command"])
        until(f"health of {name}", lambda: service.alive() and service.run(
            *said["healthcheck"]["test"][1:], check=False).returncode == 0)
        return service

    def operator(self, method, path, body=None, runtime="runtime"):
        token = next((self.compose / "secrets").glob(f"operator-token{runtime.removeprefix('runtime')}"))
        connection = http.client.HTTPConnection(f"{runtime}-operator", 9090, timeout=5)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Authorization": f"Bearer {token.read_text()}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        expect(answer.status < 300, f"operator {method} {path}: {answer.status} {text}")
        return json.loads(text) if text else None

    def key(self, slug, runtime="runtime"):
        return self.operator("POST", f"/v1/tenants/{slug}/keys", {"name": "test", "scopes": ["read", "write"]},
                             runtime)["key"]

    def stop(self):
        for service in reversed(self.services.values()):
            service.stop()
        for tap in self.taps.values():
            tap.server.close()
