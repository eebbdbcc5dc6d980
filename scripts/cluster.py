"""A Kubernetes of one node, for tests: etcd, the API server, controllers, scheduler, kubelet, kube-proxy and containerd are the
real ones, kube-router enforces NetworkPolicies, CoreDNS answers names and skipper is the Ingress controller (of system.yaml).
All of it runs in process, mount and network namespaces and control groups of its own, on a link to nobody."""

import base64
import contextlib
import hashlib
import io
import json
import os
import pathlib
import subprocess
import tarfile
import threading
import time

from trial import expect, run

NODE = "10.77.0.1"
PODS = "10.88.0.0/16"
SERVICES = "10.0.0.0/24"
SYSTEM = pathlib.Path(__file__).resolve().parent / "kubernetes/system.yaml"

# What containerd and the kubelet keep at places that no option moves is this boot's own.
BOOT = r"""
set -eu
mount --make-rshared /
for place in /run /var/lib/cni /var/log; do mkdir -p $place; mount -t tmpfs -o mode=755 tmpfs $place; done
ip link set lo up
ip link add node type veth peer name nobody
ip address add $NODE/24 dev node
ip link set node up
ip link set nobody up
ip route add default dev node
sysctl --quiet net.ipv4.ip_forward=1
echo ready
exec sleep infinity
"""


def image_of(archive, name, program):
    """An image of one static program, as an archive that `ctr images import` reads."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(program, pathlib.Path(program).name)
    entry = ["/" + pathlib.Path(program).name]
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    config = {"architecture": "amd64", "os": "linux", "config": {"Entrypoint": entry},
              "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}
    manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(archive, "w") as tar:
        for file, data in (("config.json", json.dumps(config).encode()), ("layer.tar", layer.getvalue()),
                           ("manifest.json", json.dumps(manifest).encode())):
            info = tarfile.TarInfo(file)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def spelled_out(ingress, hosts):
    """An Ingress with the rules of the wildcard hosts of this one, for those of `hosts` that they are for, if there are any."""
    def of(wildcard):
        return [host for host in hosts if host.partition(".")[2] == wildcard.removeprefix("*.") and wildcard.startswith("*.")]

    spec, about = ingress["spec"], ingress["metadata"]
    rules = [{**rule, "host": host} for rule in spec["rules"] for host in of(rule["host"])]
    tls = [{**one, "hosts": of(one["hosts"][0])} for one in spec.get("tls", []) if of(one["hosts"][0])]
    return rules and {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": {**spec, "rules": rules, "tls": tls},
                      "metadata": {"name": f"{about['name']}-spelled-out", "namespace": about["namespace"]}}


class Cluster:
    """A started cluster, in `work`, of the programs in `tools`. `shell` begins a command that runs where the API server and the Ingress
    answer. skipper knows no wildcard hosts: the rule of one is repeated for each of `hosts` that it is for. Nodes pull from
    `registries` without TLS."""

    def __init__(self, work, tools, hosts, registries=()):
        self.work, self.tools, self.hosts, self.registries = work, tools, hosts, registries
        self.ended = threading.Event()
        self.processes = []
        self.group = f"caisson-kubernetes-{os.getpid()}"
        top = pathlib.Path("/sys/fs/cgroup")
        self.groups = [top / self.group] if (top / "cgroup.controllers").exists() else [
            hierarchy / self.group for hierarchy in top.iterdir() if (hierarchy / "cgroup.procs").exists() and not hierarchy.is_symlink()]
        (work / "programs").mkdir(parents=True)
        for program in ("kubectl", "helm"):
            (work / "programs" / program).symlink_to(tools / program)
        self.env = {"KUBECONFIG": str(work / "kubeconfig"), "HOME": str(work)}
        for group in self.groups:
            group.mkdir()
            if (group / "cpuset.cpus").exists():
                for file in ("cpuset.cpus", "cpuset.mems"):
                    (group / file).write_text((group.parent / file).read_text())
        try:
            self.boot()
            self.start()
        except BaseException:
            self.stop()
            raise

    def boot(self):
        self.boot_log = open(self.work / "boot.log", "w+")
        self.outer = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "sh", "-c", BOOT],
                                      env={**os.environ, "NODE": NODE}, stdin=subprocess.DEVNULL, stdout=self.boot_log, stderr=self.boot_log)
        deadline = time.monotonic() + 20
        while (self.work / "boot.log").read_text() != "ready\n":
            expect(self.outer.poll() is None and time.monotonic() < deadline, f"no namespaces: {(self.work / 'boot.log').read_text()}")
            time.sleep(0.05)
        children = pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text().split()
        self.shell = ["nsenter", "--target", children[0], "--mount", "--pid", "--net", "--"]

    def spawn(self, name, program, *options):
        log = open(self.work / f"{name}.log", "w")
        self.processes.append((name, subprocess.Popen([*self.shell, str(program), *map(str, options)], stdout=log, stderr=log,
                                                      stdin=subprocess.DEVNULL, cwd=self.work)))

    def inside(self, *command, **options):
        return run(*self.shell, *command, env={**os.environ, **self.env}, **options)

    def kubectl(self, *arguments, **options):
        return self.inside(self.tools / "kubectl", *arguments, **options).stdout

    def wait_for(self, what, action, seconds=120):
        deadline = time.monotonic() + seconds
        while True:
            try:
                return action()
            except AssertionError as error:
                ended = [name for name, process in self.processes if process.poll() is not None]
                if ended or time.monotonic() > deadline:
                    logs = "".join(f"== {path.stem}\n{path.read_text()[-1500:]}" for path in sorted(self.work.glob("*.log"))
                                   if not ended or path.stem in ended)
                    raise AssertionError(f"no {what}: {error}\n{logs}") from error
                time.sleep(0.5)

    def config(self, name, value):
        path = self.work / name
        path.touch(0o600)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    def start(self):
        work = self.work
        key, public = work / "accounts.key", work / "accounts.pub"
        run("openssl", "genrsa", "-out", key, "2048")
        run("openssl", "rsa", "-in", key, "-pubout", "-out", public)
        token = base64.urlsafe_b64encode(os.urandom(24)).decode()
        tokens = self.config("tokens.csv", f"{token},admin,admin,system:masters\n")
        kubeconfig = self.config("kubeconfig", {
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": f"https://{NODE}:6443", "insecure-skip-tls-verify": True}}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}]})
        self.spawn("etcd", self.tools / "etcd", "--data-dir", work / "etcd", "--unsafe-no-fsync")
        self.spawn("kube-apiserver", self.tools / "kube-apiserver", "--etcd-servers", "http://127.0.0.1:2379", "--bind-address", NODE,
                   "--advertise-address", NODE, "--cert-dir", work / "certificates", "--token-auth-file", tokens,
                   "--authorization-mode", "RBAC", "--service-cluster-ip-range", SERVICES, "--kubelet-preferred-address-types", "InternalIP",
                   "--service-account-issuer", "https://kubernetes.default.svc",
                   "--service-account-key-file", public, "--service-account-signing-key-file", key)
        containerd = self.containerd()
        self.wait_for("API server", lambda: self.kubectl("get", "--raw", "/readyz"))
        self.spawn("kube-controller-manager", self.tools / "kube-controller-manager", "--kubeconfig", kubeconfig, "--leader-elect=false",
                   "--service-account-private-key-file", key, "--root-ca-file", work / "certificates/apiserver.crt",
                   "--allocate-node-cidrs", "--cluster-cidr", PODS)
        self.spawn("kube-scheduler", self.tools / "kube-scheduler", "--kubeconfig", kubeconfig, "--leader-elect=false")
        self.spawn("kube-proxy", self.tools / "kube-proxy", "--kubeconfig", kubeconfig, "--proxy-mode", "iptables", "--cluster-cidr", PODS,
                   "--hostname-override", "node-1", "--conntrack-max-per-core", "0", "--conntrack-tcp-timeout-established", "0",
                   "--conntrack-tcp-timeout-close-wait", "0")
        resolv = self.config("resolv.conf", "# nobody\n")
        kubelet = self.config("kubelet.json", {
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "address": NODE,
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}}, "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{self.group}", "failSwapOn": False, "clusterDNS": ["10.0.0.10"],
            "clusterDomain": "cluster.local", "containerRuntimeEndpoint": f"unix://{containerd}", "resolvConf": str(resolv),
            # How full this machine is, is nobody's business here.
            "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%", "nodefs.inodesFree": "0%"},
            "imageGCHighThresholdPercent": 100,
            # It may not raise its own priority here, and what else only the first namespace may.
            "featureGates": {"KubeletInUserNamespace": True}})
        self.spawn("kubelet", self.tools / "kubelet", "--kubeconfig", kubeconfig, "--config", kubelet, "--root-dir", work / "kubelet",
                   "--hostname-override", "node-1", "--node-ip", NODE)
        self.wait_for("node", lambda: self.kubectl("wait", "--for=condition=Ready", "node/node-1", "--timeout", "5s"))
        self.spawn("kube-router", self.tools / "kube-router", "--kubeconfig", kubeconfig, "--hostname-override", "node-1", "--run-router=false",
                   "--run-service-proxy=false", "--run-firewall=true", "--service-cluster-ip-range", SERVICES)
        volumes = []
        for n in range(8):
            place = work / f"volumes/{n}"
            place.mkdir(parents=True)
            # As provisioners of a node's own disk make them, whatever the umask.
            place.chmod(0o777)
            volumes.append({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"volume-{n}"},
                            "spec": {"capacity": {"storage": "20Gi"}, "accessModes": ["ReadWriteOnce"],
                                     # The kubelet gives the one kind to a pod's fsGroup, and leaves the other as it is.
                                     ("local", "hostPath")[n % 2]: {"path": str(place)},
                                     "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                                         {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node-1"]}]}]}}}})
        self.kubectl("apply", "--filename", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": volumes}))
        self.kubectl("apply", "--filename", SYSTEM)
        for name, namespace in (("dns", "kube-system"), ("ingress", "ingress-nginx")):
            self.kubectl("--namespace", namespace, "rollout", "status", f"daemonset/{name}", "--timeout", "2m")
        threading.Thread(target=self.spell_out, daemon=True).start()

    def spell_out(self):
        known = None
        while not self.ended.wait(0.5):
            listed = self.inside(self.tools / "kubectl", "get", "ingresses", "--all-namespaces", "--output", "json", check=False).stdout
            found = [spelled_out(ingress, self.hosts) for ingress in (json.loads(listed)["items"] if listed else [])]
            if found != known:
                self.inside(self.tools / "kubectl", "apply", "--filename", "-", check=False,
                            input=json.dumps({"apiVersion": "v1", "kind": "List", "items": [one for one in found if one]}))
            known = found

    def containerd(self):
        """Starts it with the images of the system; the path of its socket."""
        network = self.work / "network"
        network.mkdir()
        self.config("network/pods.conflist", {"cniVersion": "0.4.0", "name": "pods", "plugins": [
            {"type": "ptp", "ipam": {"type": "host-local", "dataDir": str(self.work / "addresses"), "ranges": [[{"subnet": PODS}]],
                                     "routes": [{"dst": "0.0.0.0/0"}]}},
            {"type": "portmap", "capabilities": {"portMappings": True}}]})
        self.socket = self.work / "containerd.sock"
        config = self.config("containerd.toml", f"""
version = 2
root = "{self.work}/containerd"
state = "/run/containerd"
[grpc]
address = "{self.socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "caisson.test/pause:1"
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{network}"
""" + "".join(f"""
[plugins."io.containerd.grpc.v1.cri".registry.mirrors."{registry}"]
endpoint = ["http://{registry}"]
""" for registry in self.registries))
        self.spawn("containerd", "containerd", "--config", config)
        pause = self.work / "pause"
        run("gcc", "-static", "-O2", "-x", "c", "-o", pause, "-", input="#include <unistd.h>\nint main(void) { for (;;) pause(); }\n")
        self.wait_for("containerd", lambda: self.ctr("version"), seconds=30)
        for program in (pause, self.tools / "coredns", self.tools / "skipper"):
            archive = self.work / "image.tar"
            image_of(archive, f"caisson.test/{program.name}:1", program)
            self.load(archive)
        return self.socket

    def ctr(self, *words):
        return self.inside("ctr", "--address", self.socket, "--namespace", "k8s.io", *words).stdout

    def load(self, archive):
        """Brings the images of an archive to the node."""
        self.ctr("images", "import", archive)

    def stop(self):
        self.ended.set()
        for _, process in reversed(self.processes):
            process.terminate()
        # With its first process everything in the namespace ends.
        self.outer.kill()
        self.outer.wait()
        for _, process in self.processes:
            process.wait()
        for _ in range(100):
            left = [group for group in self.groups if group.exists()]
            for group in left:
                for directory in [*sorted(group.rglob("*/"), reverse=True), group]:
                    with contextlib.suppress(OSError):
                        directory.rmdir()
            if not left:
                return
            time.sleep(0.1)
