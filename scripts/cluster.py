"""A Kubernetes control plane on loopback: etcd, the API server, the controllers and the scheduler are the real ones. kwok plays
the node: it says that pods run. The pods of runtimes do run, as soon as somebody looks into one: `kubectl exec` and `kubectl logs`
start the pod's program here, in a root and a network of its own, from the ConfigMap, the Secrets and the claim that the API server
has for that pod. All other commands of kubectl are its own."""

import base64
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time


def run(*command, check=True, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    def __init__(self, work, tools, runtime):
        self.work, self.tools = work, tools
        self.processes = []
        (work / "programs").mkdir(parents=True)
        wrapper = work / "programs/kubectl"
        wrapper.write_text(f"#!/bin/sh\nexec {sys.executable} {pathlib.Path(__file__).resolve()} {work} {tools / 'kubectl'} {runtime} \"$@\"\n")
        wrapper.chmod(0o755)
        (work / "programs/helm").symlink_to(tools / "helm")
        self.env = {"KUBECONFIG": str(work / "kubeconfig"), "HOME": str(work)}
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def spawn(self, name, *options):
        log = open(self.work / f"{name}.log", "w")
        self.processes.append(subprocess.Popen([self.tools / name, *options], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                               cwd=self.work))

    def kubectl(self, *arguments, **options):
        return run(self.tools / "kubectl", *arguments, env={**os.environ, **self.env}, **options)

    def wait_for(self, what, arguments, seconds=120):
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.kubectl(*arguments)
            except AssertionError as error:
                ended = [p.args[0].name for p in self.processes if p.poll() is not None]
                if ended or time.monotonic() > deadline:
                    logs = "".join((self.work / f"{name}.log").read_text()[-1500:] for name in ended)
                    raise AssertionError(f"no {what}: {error}\n{ended}\n{logs}") from error
                time.sleep(0.5)

    def start(self):
        key, public, tokens = self.work / "accounts.key", self.work / "accounts.pub", self.work / "tokens.csv"
        run("openssl", "genrsa", "-out", key, "2048")
        run("openssl", "rsa", "-in", key, "-pubout", "-out", public)
        token = base64.urlsafe_b64encode(os.urandom(24)).decode()
        tokens.touch(0o600)
        tokens.write_text(f"{token},admin,admin,system:masters\n")
        etcd, peer, secure, kwok = (free_port() for _ in range(4))
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "test",
                  "clusters": [{"name": "test", "cluster": {"server": f"https://127.0.0.1:{secure}", "insecure-skip-tls-verify": True}}],
                  "users": [{"name": "test", "user": {"token": token}}],
                  "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]}
        kubeconfig = self.work / "kubeconfig"
        kubeconfig.touch(0o600)
        kubeconfig.write_text(json.dumps(config))
        self.spawn("etcd", "--data-dir", self.work / "etcd", "--unsafe-no-fsync",
                   "--listen-client-urls", f"http://127.0.0.1:{etcd}", "--advertise-client-urls", f"http://127.0.0.1:{etcd}",
                   "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                   "--initial-cluster", f"default=http://127.0.0.1:{peer}")
        self.spawn("kube-apiserver", "--etcd-servers", f"http://127.0.0.1:{etcd}", "--bind-address", "127.0.0.1",
                   "--secure-port", str(secure), "--cert-dir", self.work / "certificates", "--token-auth-file", tokens,
                   "--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.0.0.0/24",
                   "--service-account-issuer", "https://kubernetes.default.svc",
                   "--service-account-key-file", public, "--service-account-signing-key-file", key)
        self.wait_for("API server", ["get", "--raw", "/readyz"])
        self.spawn("kube-controller-manager", "--kubeconfig", kubeconfig, "--leader-elect=false", "--secure-port", "0",
                   "--node-monitor-grace-period", "1h", "--service-account-private-key-file", key, "--root-ca-file", self.work / "certificates/apiserver.crt")
        self.spawn("kube-scheduler", "--kubeconfig", kubeconfig, "--leader-elect=false", "--secure-port", "0")
        self.spawn("kwok", "--kubeconfig", kubeconfig, "--manage-all-nodes=true", "--server-address", f"127.0.0.1:{kwok}")
        room = {"cpu": "32", "memory": "64Gi", "ephemeral-storage": "100Gi", "pods": "110"}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1", "labels": {"kubernetes.io/hostname": "node-1"}},
                "status": {"capacity": room, "allocatable": room}}
        volumes = [{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"volume-{n}"},
                    "spec": {"capacity": {"storage": "20Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": f"/volume-{n}"}}}
                   for n in range(8)]
        self.kubectl("apply", "--filename", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": [node, *volumes]}))
        self.wait_for("node", ["wait", "--for=condition=Ready", "node/node-1", "--timeout", "60s"])

    def stop(self):
        for pod in (self.work / "pods").glob("*/pid"):
            end(int(pod.read_text()))
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


# ---------------------------------------------------------------- kubectl, and what a node would do


def end(pid):
    try:
        os.kill(pid, signal.SIGTERM)
        for _ in range(200):
            os.kill(pid, 0)
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Node:
    def __init__(self, work, kubectl, runtime):
        self.work, self.kubectl, self.runtime = pathlib.Path(work), kubectl, runtime

    def get(self, namespace, *what):
        return json.loads(run(self.kubectl, "--namespace", namespace, "get", *what, "--output", "json"))

    def pod_of(self, namespace, target):
        """The pod that kubectl would take: one of the workload's that is ready."""
        selector = self.get(namespace, target)["spec"]["selector"]["matchLabels"]
        for _ in range(120):
            for pod in self.get(namespace, "pods", "--selector", ",".join(f"{k}={v}" for k, v in selector.items()))["items"]:
                ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))
                if ready and "deletionTimestamp" not in pod["metadata"]:
                    return pod
            time.sleep(0.5)
        raise SystemExit(f"{target}: no pod is ready")

    def started(self, namespace, pod):
        """The root of the pod's program, which runs."""
        name = f"{namespace}.{pod['metadata']['name']}"
        place, container = self.work / "pods" / name, pod["spec"]["containers"][0]
        root, uid, pid = place / "root", place / "uid", place / "pid"
        alive = pid.exists() and pathlib.Path(f"/proc/{pid.read_text()}").exists()
        if alive and uid.read_text() == pod["metadata"]["uid"]:
            return place
        if alive:
            end(int(pid.read_text()))
        shutil.rmtree(root, ignore_errors=True)
        data = place / "claim"
        for directory in (data, root / "bin", root / "tmp", root / "run/secrets", root / "etc/caisson", root / "var/lib"):
            directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.runtime, root / "bin/caisson-runtime")
        for volume in pod["spec"]["volumes"]:
            if "configMap" in volume:
                for file, text in self.get(namespace, "configmap", volume["configMap"]["name"])["data"].items():
                    (root / "etc/caisson" / file).write_text(text)
            for source in volume.get("projected", {}).get("sources", []):
                values = self.get(namespace, "secret", source["secret"]["name"])["data"]
                for item in source["secret"]["items"]:
                    file = root / "run/secrets" / item["path"]
                    file.write_bytes(base64.b64decode(values[item["key"]]))
                    file.chmod(0o440)
                    os.chown(file, 0, 10001)
        for mount in container["volumeMounts"]:
            if mount["mountPath"] == "/var/lib/caisson":
                # A claim outlives its pod.
                (root / "var/lib/caisson").mkdir()
                os.chown(data, 10001, 10001)
        for path in (root, self.work, place, place.parent):
            path.chmod(0o711)
        script = ('mount --make-rprivate / && mount --bind "$2" "$1/var/lib/caisson" && ip link set lo up && root=$1 && shift 2 && '
                  'exec chroot --userspec=10001:10001 --groups= "$root" /bin/caisson-runtime "$@"')
        log = open(place / "log", "a")
        process = subprocess.Popen(["unshare", "--net", "--mount", "sh", "-c", script, "sh", root, data, *container["args"]],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        pid.write_text(str(process.pid))
        uid.write_text(pod["metadata"]["uid"])
        for _ in range(200):
            if process.poll() is not None:
                raise SystemExit(f"{name} does not start:\n{(place / 'log').read_text()}")
            if self.enter(place, "/bin/caisson-runtime", "health", "--config", container["args"][-1], quiet=True) == 0:
                return place
            time.sleep(0.05)
        raise SystemExit(f"{name} is not ready:\n{(place / 'log').read_text()}")

    def enter(self, place, *command, quiet=False):
        silence = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} if quiet else {}
        return subprocess.run(["nsenter", "--target", (place / "pid").read_text(), "--net", "--mount", "chroot", "--userspec=10001:10001",
                               "--groups=", place / "root", *command], **silence).returncode


def kubectl(work, program, runtime, *arguments):
    node = Node(work, program, runtime)
    if arguments[0] == "--namespace" and arguments[2] in ("exec", "logs"):
        namespace, verb, words = arguments[1], arguments[2], list(arguments[3:])
        target = next(word for word in words if not word.startswith("-"))
        place = node.started(namespace, node.pod_of(namespace, target))
        if verb == "logs":
            print((place / "log").read_text(), end="")
            return 0
        return node.enter(place, *words[words.index("--") + 1:])
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    sys.exit(kubectl(*sys.argv[1:]))
