"""Upgrades of an installed chart that change its claims and doors, and what RUNBOOK.md does to the claims, in the cluster of cluster.py."""

import base64
import functools
import gzip
import json
import pathlib
import re
import shlex
import time

import yaml

from trial import expect


class Release:
    """An installed release of the chart in `place`, in the namespace and by the name of the deployment."""

    def __init__(self, kubernetes, place, name):
        self.kubernetes, self.place, self.name = kubernetes, place, name

    def upgrade(self, *words, check=True):
        return self.kubernetes.inside(self.kubernetes.tools / "helm", "upgrade", self.name, self.place, "--reset-values", "--namespace", self.name,
                                      "--wait", "--timeout", "2m", *words, check=check)

    def refused(self, said, *words):
        """Nothing is changed by an upgrade that the chart refuses, and it says why."""
        before = self.kubernetes.kubectl("get", "persistentvolumeclaims,statefulsets,ingresses", "--all-namespaces", "--output", "name")
        done = self.upgrade(*words, check=False)
        expect(done.returncode != 0 and all(text in done.stderr for text in said), f"an upgrade with {words}: {done.returncode} {done.stderr}")
        after = self.kubernetes.kubectl("get", "persistentvolumeclaims,statefulsets,ingresses", "--all-namespaces", "--output", "name")
        expect(after == before, f"a refused upgrade changed {before}: {after}")
        return done.stderr

    def claim(self, namespace, name):
        return json.loads(self.kubernetes.kubectl("--namespace", namespace, "get", "persistentvolumeclaim", name, "--output", "json"))


def gibibytes(quantity):
    return int(re.fullmatch(r"(\d+)Gi", quantity)[1])


def sizes_are_amounts(release):
    """However a size is written, it is the same size; another one stops the upgrade, and a claim of backups never shrinks."""
    claim = release.claim("acme", "runtime-data-runtime-0")
    size = gibibytes(claim["spec"]["resources"]["requests"]["storage"])
    key = "workloads.runtime.volumes.runtime-data.size"
    for same in (f"{size * 1024 ** 3}", f"{size / 1024}Ti"):
        release.upgrade("--set-string", f"{key}={same}")
    for other in (f"{size * 1000}M", f"{size + 1}Gi", f"{size}Ti"):
        release.refused(["statefulset/runtime", f"should have {other}", "'Grow a volume'"], "--set-string", f"{key}={other}")
    copies = release.claim("acme", "runtime.backup")["spec"]["resources"]["requests"]["storage"]
    key = "workloads.runtime.backup"
    for smaller in ("1Gi", "1G"):
        release.upgrade("--set", f"{key}.keep=1", "--set-string", f"{key}.size={smaller}")
        found = release.claim("acme", "runtime.backup")["spec"]["resources"]["requests"]["storage"]
        expect(found == copies, f"with fewer copies a claim of {copies} has {found}")
    release.refused(["claim runtime.backup in namespace acme", "should have 7Ti", "'Grow a volume'"], "--set-string", f"{key}.size=1Ti")
    release.refused(["the storage class '' and should have 'fast'", "'Another storage class'"], "--set", "storageClass=fast")
    release.upgrade()
    print("  sizes are amounts, whichever way they are written, and claims of backups never shrink")


def function(runbook, name):
    """What the runbook defines by this name."""
    [found] = [command.text for command in runbook.commands if command.text.startswith(f"{name}() {{")]
    return found


def claims_grow(release, runbook):
    """`grow` of the runbook leaves alone what is as large already, however that is written, touches nothing where the class lets nothing
    grow, and grows a claim where it does."""
    kubernetes = release.kubernetes
    functions = function(runbook, "bytes") + "\n" + function(runbook, "grow") + "\n"

    def grow(*words):
        return kubernetes.inside("bash", "-c", functions + shlex.join(["grow", "acme", *words]), check=False)

    def sets():
        return kubernetes.kubectl("--namespace", "acme", "get", "statefulsets", "--output", "jsonpath={.items[*].metadata.uid}")

    before, data = sets(), "runtime-data-runtime-[0-9]+"
    size = release.claim("acme", "runtime-data-runtime-0")["spec"]["resources"]["requests"]["storage"]
    for same in (size, f"{gibibytes(size) * 1024}Mi", "1M"):
        done = grow(data, same, "runtime")
        expect(done.returncode == 0 and not done.stdout, f"a claim of {size} and {same}: {done.stdout}{done.stderr}")
    done = grow(data, "9Gi", "runtime")
    expect(done.returncode != 0 and "resize" in done.stderr, f"a class that lets nothing grow: {done.stdout}{done.stderr}")
    expect(sets() == before, "a claim that cannot grow costs its StatefulSet")
    kubernetes.kubectl("apply", "--filename", "-", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "grows"}, "provisioner": "kubernetes.io/no-provisioner",
         "allowVolumeExpansion": True},
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "grows"},
         "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "grows", "hostPath": {"path": str(kubernetes.work)},
                  "claimRef": {"namespace": "acme", "name": "grows"}}},
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "grows", "namespace": "acme"},
         "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "grows", "volumeName": "grows", "resources": {"requests": {"storage": "1Gi"}}}}]}))
    kubernetes.kubectl("--namespace", "acme", "wait", "persistentvolumeclaim/grows", "--for=jsonpath={.status.phase}=Bound", "--timeout", "1m")
    done = grow("grows", "2Gi")
    found = release.claim("acme", "grows")["spec"]["resources"]["requests"]["storage"]
    expect(done.returncode == 0 and found == "2Gi", f"a claim that may grow has {found}: {done.stdout}{done.stderr}")
    kubernetes.kubectl("--namespace", "acme", "delete", "persistentvolumeclaim", "grows")
    print("  claims grow where their class lets them, and nothing else is touched")


def claims_stay(release):
    """A volume that leaves the claims which a StatefulSet makes stops the upgrade before anything is changed."""
    release.refused(["statefulset/runtime in namespace acme makes the claims of [runtime-data] and should make those of []", "--cascade=orphan"],
                    "--set", "workloads.runtime.volumes.runtime-data.existingClaim=brought")
    print("  a volume neither leaves nor enters the claims of a StatefulSet that is there")


def rotated_secrets_stay_rotated(release):
    """Through a rollback and the upgrade after it, a Secret has the value that it was rotated to; a given value that is another one is refused."""
    kubernetes = release.kubernetes

    def value():
        return kubernetes.kubectl("--namespace", "acme", "get", "secret", "operator-token", "--output", "jsonpath={.data.value}")

    first = value()
    given = base64.b64decode(first).decode()
    release.upgrade("--set-string", f"secrets.operator-token.value={given}")
    expect(value() == first, "the value that is there already was given, and another one is there")
    rotated = base64.b64encode(given[::-1].encode()).decode()
    kubernetes.kubectl("--namespace", "acme", "patch", "secret", "operator-token", "--patch", json.dumps({"data": {"value": rotated}}))
    release.refused(["secrets.operator-token.value is another value than secret/operator-token", "'Rotate secrets'"],
                    "--set-string", f"secrets.operator-token.value={given}")
    kubernetes.inside(kubernetes.tools / "helm", "rollback", release.name, "--namespace", release.name, "--wait", "--timeout", "2m")
    expect(value() == rotated, "a rollback revived a rotated secret")
    release.upgrade("--set-string", "secrets.operator-token.value=")
    expect(value() == rotated, "the upgrade after a rollback revived a rotated secret")
    kubernetes.kubectl("--namespace", "acme", "patch", "secret", "operator-token", "--patch", json.dumps({"data": {"value": first}}))
    # A node hears of it in its own time, and a pod that starts before keeps the other one.
    for _ in range(24):
        kubernetes.kubectl("--namespace", "acme", "rollout", "restart", "statefulset/runtime")
        kubernetes.kubectl("--namespace", "acme", "rollout", "status", "statefulset/runtime", "--timeout", "2m")
        address = kubernetes.kubectl("--namespace", "acme", "get", "pod", "runtime-0", "--output", "jsonpath={.status.podIP}")
        answer = kubernetes.inside("curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "10", "--header", "@-",
                                   f"http://{address}:9090/v1/status", input=f"Authorization: Bearer {given}\n", check=False).stdout
        if answer == "200":
            break
        time.sleep(5)
    expect(answer == "200", f"the first token is answered with {answer} since it is back")
    print("  what was rotated stays rotated through a rollback and the upgrade after it")


def doors_stay_apart(release):
    """A path of a host that goes to another namespace stops the upgrade as long as it stands, and what the message says lets it through."""
    host = "umbrella.acme.localhost"
    dotted = host.replace(".", "\\.")
    moved = ["--set", f"tenants.umbrella.hosts.{dotted}=null", "--set-json", f'hosts.{dotted}={{"/":{{"workload":"dashboard","port":"http"}}}}']
    said = release.refused([f"{host}/ moves to ingress/", "in namespace acme,", "ingress-nginx refuses it"], *moved)
    command = shlex.split(re.search(r"'(kubectl [^']*)'", said)[1])
    release.kubernetes.kubectl(*command[1:])
    release.upgrade(*moved)
    release.upgrade()  # an Ingress that stays, of the namespace that comes first, gives the path up before another one takes it
    tenants = yaml.safe_load((release.place / "values.yaml").read_text())["tenants"]
    another = json.dumps({**tenants["umbrella"], "namespace": "acme-another", "hosts": {}})
    release.refused([f"{host}/ moves to ingress/", "in namespace acme-umbrella has it"],
                    "--set", "tenants.umbrella=null", "--set-json", f"tenants.another={another}", *moved[2:])
    print("  a path of a host goes to another namespace and back as the message says")


def what_outlives_a_revision_goes_back(release, runbook):
    """An upgrade that drops a tenant, whole or refused half way by the API server, leaves what Helm wants to make when it goes back: each way
    of "Roll back" finds it."""
    kubernetes = release.kubernetes
    dropped = ["--set", "tenants.umbrella=null"]
    functions = function(runbook, "good") + "\n" + function(runbook, "back") + "\n"
    ways = [command.text for command in runbook.commands if command.section == "Roll back" and command.text.startswith("back ")]
    expect(len(ways) == 2, f"the runbook goes back in {len(ways)} ways")

    def go_back(way):
        done = kubernetes.inside("bash", "-c", f"set -eo pipefail\nPATH={kubernetes.tools}:$PATH\n{functions}{way}", check=False)
        expect(done.returncode == 0, f"{way}: {done.stdout}{done.stderr}")
        kubernetes.kubectl("--namespace", "acme-umbrella", "rollout", "status", "statefulset/runtime-umbrella", "--timeout", "2m")

    # Whatever became of earlier ways back, and whoever waited for them.
    history = [("superseded", "Upgrade complete"), ("superseded", "Upgrade complete"), ("failed", 'Release "acme" failed: context deadline exceeded'),
               ("failed", 'Rollback "acme" failed: no PersistentVolumeClaim'), ("pending-rollback", "Rollback to 1")]
    told = json.dumps([{"revision": number, "status": status, "description": text} for number, (status, text) in enumerate(history, 1)])
    for many in range(2, len(history) + 1):
        said = kubernetes.inside("bash", "-c", f"helm() {{ jq '.[:{many}]' <<< {shlex.quote(told)}; }}\n{functions}good").stdout.strip()
        expect(said == "1", f"after {history[:many]} the newest revision before is {said}")
    release.upgrade(*dropped)
    expect("backup" in kubernetes.kubectl("--namespace", "acme-umbrella", "get", "persistentvolumeclaims", "--output", "name"), "no copies stay")
    go_back(ways[0])
    release.upgrade()
    done = release.upgrade(*dropped, "--set-json", 'ingress.annotations={"no/such/key":"x"}', check=False)
    expect(done.returncode != 0 and "nvalid" in done.stderr, f"the API server takes an impossible annotation: {done.stderr}")
    go_back(ways[1])
    release.upgrade()
    print("  upgrades that drop a tenant, whole or refused half way, go back as the runbook says")


def releases_keep_no_secrets(release):
    """What the runbook has in the directory of the chart, and is secret or a tenant's, is in no release."""
    for name in ("move/acme.10000.json", "backup/acme.json", "operator-token.txt", "tls.key", "tls.crt", "ca.pem"):
        (release.place / name).parent.mkdir(exist_ok=True)
        (release.place / name).touch()
    release.upgrade()
    newest = json.loads(release.kubernetes.kubectl("--namespace", release.name, "get", "secrets", "--selector", "owner=helm,status=deployed", "--output", "json"))
    stored = base64.b64decode(base64.b64decode(newest["items"][0]["data"]["release"]))
    files = {file["name"] for file in json.loads(gzip.decompress(stored))["chart"]["files"]}
    expect(files <= {"rules.yaml", ".helmignore", "SITE"}, f"a release keeps {files}")
    print("  a release keeps nothing that is secret or a tenant's")


def scale_runtime(kubernetes, replicas):
    kubernetes.kubectl("--namespace", "acme", "scale", "statefulset/runtime", "--replicas", str(replicas))
    if replicas:
        kubernetes.kubectl("--namespace", "acme", "rollout", "status", "statefulset/runtime", "--timeout", "2m")
    else:
        kubernetes.kubectl("--namespace", "acme", "wait", "pod/runtime-0", "--for=delete", "--timeout", "2m")


def volume_of(kubernetes, claim):
    """The volume of a claim, and the part of it that says where on the node it is."""
    volume = json.loads(kubernetes.kubectl("get", "persistentvolume", claim["spec"]["volumeName"], "--output", "json"))
    return volume, volume["spec"].get("local") or volume["spec"]["hostPath"]


def lost_data_come_back(release, runbook, record_of_shared):
    """The volume of a runtime is empty, and so are the tenants that it makes: the copies bring them back, as RUNBOOK.md says."""
    kubernetes = release.kubernetes

    def say(*commands, check=True):
        return kubernetes.inside("bash", "-c", f"set -eo pipefail\nPATH={kubernetes.tools}:$PATH\n" + "\n".join(commands), check=check)

    lost = record_of_shared("lost")
    say(*[command.text for command in runbook.commands if command.section == "Back up" and "job" in command.text and "umbrella" not in command.text])
    scale_runtime(kubernetes, 0)
    _, place = volume_of(kubernetes, release.claim("acme", "runtime-data-runtime-0"))
    root = pathlib.Path(place["path"])
    kept = [path.name for path in root.iterdir() if path.name != "lost+found"]
    expect(kept == ["private"], f"in a volume to which everybody may write there is {kept}")
    kubernetes.inside("rm", "--recursive", *[root / name for name in kept])
    scale_runtime(kubernetes, 1)
    expect(record_of_shared("lost") != lost, "the data are not lost")
    restore = function(runbook, "restore")
    done = say(restore, "restore runtime globex", check=False)
    expect(done.returncode != 0 and "say --by-slug" in done.stdout, f"a copy of an earlier tenant is restored unasked: {done.stdout}{done.stderr}")
    say(restore, "restore runtime --by-slug globex")
    expect(record_of_shared("lost") == lost, "the record is not back")
    print("  data that were lost with their volume come back from the copies")


def a_claim_is_made_anew(release, runbook, record_of_shared):
    """What a VolumeSnapshot has comes back as the restore of RUNBOOK.md says. No driver is here that fills a claim from one: the definition of
    the kind is, and the volume that the new claim gets is the copy that was made in its place."""
    kubernetes = release.kubernetes
    name = "runtime-data-runtime-0"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    kubernetes.kubectl("apply", "--filename", "-", input=json.dumps({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {
            "name": "volumesnapshots.snapshot.storage.k8s.io", "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-csi/external-snapshotter"}},
        "spec": {"group": "snapshot.storage.k8s.io", "scope": "Namespaced", "names": {"kind": "VolumeSnapshot", "plural": "volumesnapshots"},
                 "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]}}))
    kubernetes.kubectl("wait", "--for=condition=Established", "crd/volumesnapshots.snapshot.storage.k8s.io", "--timeout", "1m")

    def snapshot(called, ready):
        kubernetes.kubectl("apply", "--filename", "-", input=json.dumps({
            "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": {"name": called, "namespace": "acme"},
            "spec": {"source": {"persistentVolumeClaimName": name}}, "status": {"readyToUse": ready}}))

    scale = functools.partial(scale_runtime, kubernetes)
    before = record_of_shared("before")
    scale(0)
    claim = release.claim("acme", name)
    volume, place = volume_of(kubernetes, claim)
    kept = pathlib.Path(place["path"])
    copy = kept.parent / "copy"
    kubernetes.inside("cp", "--archive", kept, copy)
    snapshot("nightly", True)
    snapshot("unfinished", False)
    scale(1)
    after = record_of_shared("after")
    scale(0)
    volume["metadata"] = {"name": "restored"}
    volume["spec"]["claimRef"] = {"namespace": "acme", "name": name}
    place["path"] = str(copy)
    volume.pop("status")
    kubernetes.kubectl("apply", "--filename", "-", input=json.dumps(volume))

    anew = function(runbook, "anew")
    for called, works in (("nowhere", False), ("unfinished", False), ("nightly", True)):
        done = kubernetes.inside("bash", "-c", f"{anew}\nanew acme {name} {called}", check=False)
        expect((done.returncode == 0) == works, f"anew from {called}: {done.stdout}{done.stderr}")
        found = release.claim("acme", name)
        expect((found["metadata"]["uid"] == claim["metadata"]["uid"]) != works, f"anew from {called} and the claim: {found}")
    expect(found["spec"]["dataSource"] == {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "nightly"}, f"{found['spec']}")
    expect(found["spec"]["resources"] == claim["spec"]["resources"] and found["metadata"]["labels"] == claim["metadata"]["labels"], f"{found}")
    scale(1)
    expect(record_of_shared("before") == before, "the record of before is not there")
    expect(record_of_shared("after") != after, "a record is there that the snapshot does not have")
    print("  a claim is made anew from a snapshot that is ready, and from no other")
