#!/usr/bin/env python3
"""Holds the generated charts of the examples, and of a hostile spec, against tools that nobody here wrote and against
the plan.

usage: accept_chart.py CAISSON [CASE...]

Every chart must pass helm lint --strict, and what it renders kubeconform -strict for every supported Kubernetes, Pod
Security "restricted", ingress-nginx's check of overlaps, kube-score, kube-linter, checkov and the rules of kubescape, but for the waivers of
blueprints/helm/waivers.yaml, each of which must be used. A change of any leaf of values.yaml must change what is rendered. What is rendered must be what the plan says: who
runs where, as what, with how much, and who reaches whom.
"""

import base64
import concurrent.futures
import copy
import gzip
import itertools
import json
import pathlib
import random
import re
import shutil
import sys
import tempfile

import jsonschema
import yaml

from accept_checkers import ROOT, findings, lint, overlaps, pod_security, run, schemas, tools
from accept_moves import domains_move

HOSTILE = ROOT / "generator/render/testdata/helm/hostile.yaml"
CASES = {
    "quickstart": (ROOT / "examples/quickstart/deployment.yaml", ""),
    "agentik": (ROOT / "examples/agentik/deployment.yaml", ""),
    "devtools-demo": (ROOT / "examples/devtools/deployment.yaml", "demo"),
    "hostile": (HOSTILE, ""),
}
# What `objects` has to reach; together the cases have all of it.
EVERY_KIND = {"ConfigMap", "CronJob", "Deployment", "HorizontalPodAutoscaler", "Ingress", "Job", "LimitRange", "Namespace", "NetworkPolicy",
              "PersistentVolumeClaim", "Pod", "PodDisruptionBudget", "PrometheusRule", "ResourceQuota", "Secret", "Service", "ServiceAccount",
              "ServiceMonitor", "StatefulSet"}
RUN_BY_THE_CHART = {"runtime", "dashboard", "service", "database", "cache"}

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Chart:
    """A generated chart with its plan."""

    def __init__(self, caisson, name, work):
        spec, environment = CASES[name]
        options = ["--env", environment] if environment else []
        run(caisson, "generate", spec, "--no-strict", "--quiet", "--target", "helm", "--out", work / name, *options)
        self.name = name
        self.work = work
        self.plan = json.loads(run(caisson, "plan", spec, "--format", "json", "--no-strict", *options).stdout)["plan"]
        self.directory = work / name / "helm" / self.plan["name"]
        self.values = yaml.load((self.directory / "values.yaml").read_text(), Loader)
        self.schema = json.loads((self.directory / "values.schema.json").read_text())
        # The namespace that the spec asks for is the deployment's name in every case.
        self.namespace = self.plan["name"]
        self.text = self.render(None)
        self.objects = [o for o in yaml.load_all(self.text, Loader) if o]
        self.file = work / f"{name}.yaml"
        self.file.write_text(self.text)

    def render(self, values, *options):
        if values is not None:
            with tempfile.NamedTemporaryFile("w", suffix=".json", dir=self.work) as file:
                # JSON that is YAML as well: there, a character is never written as two halves.
                pair = re.compile(r"\\ud[89ab]..\\ud[c-f]..")
                file.write(pair.sub(lambda m: f"\\U{ord(json.loads(f'{chr(34)}{m[0]}{chr(34)}')):08x}", json.dumps(values)))
                file.flush()
                return self.render(None, "--values", file.name, *options)
        return run(tools() / "helm", "template", "release", self.directory, "--namespace", self.namespace,
                   "--kube-version", "1.32.0", "--api-versions", "monitoring.coreos.com/v1", *options).stdout

    def of(self, kind):
        return [o for o in self.objects if o["kind"] == kind]

    def one(self, kind, namespace, name):
        found = [o for o in self.of(kind) if o["metadata"].get("namespace") == namespace and o["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} {kind} {namespace}/{name}"
        return found[0]

    def instances(self):
        return [i for i in self.plan["instances"] if i["role"] in RUN_BY_THE_CHART]

    def own_namespaces(self):
        return {slug: tenant["namespace"] for slug, tenant in self.values["tenants"].items()}

    def namespace_of(self, instance):
        return self.own_namespaces().get(instance["tenant"], self.namespace)

    def workload(self, instance):
        """The Deployment or StatefulSet of an instance, found by what its Service selects."""
        namespace = self.namespace_of(instance)
        found = [o for o in self.of("StatefulSet") + self.of("Deployment") if o["metadata"]["namespace"] == namespace and
                 o["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] == instance["name"]]
        assert len(found) == 1, f"{len(found)} workloads for {instance['name']}"
        return found[0]


# What values do


def leaves(node, path=()):
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list) and node:
        for index, value in enumerate(node):
            yield from leaves(value, (*path, index))
    else:
        yield path, node


def changed(values, changes):
    """Values with some leaves replaced. As an overlay, Helm would keep what a map loses, so all of them are written."""
    result = copy.deepcopy(values)
    for path, value in changes.items():
        at = result
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
    return result


def without_randomness(text):
    return re.sub(r"(?m)^(  value: )([A-Za-z0-9+/=]+)$", lambda m: f"{m[1]}{len(m[2])}", text)


def every_leaf_is_live(chart):
    """Texts and numbers become marks, which must be found again; what has no mark, or whose mark was lost on the way, is
    changed alone."""
    base = without_randomness(chart.render(None))
    assert base == without_randomness(chart.render(None)), "rendering twice gives two results"
    found = list(leaves(chart.values))
    marks, alone = {}, []
    for index, (path, value) in enumerate(found):
        if path[-1] in ("kind", "generate") or isinstance(value, (bool, dict, list)) or value is None:
            alone.append((path, value))
        elif path in (("helpers", "requestedCpu"), ("helpers", "cpu")):
            marks[path] = f"{7_000 + index}m"  # they are compared
        elif isinstance(value, str):
            marks[path] = f"zq{index}q"
        else:
            marks[path] = 7_000_000 + index
    marked = chart.render(changed(chart.values, marks), "--skip-schema-validation")
    decoded = [base64.b64decode(m).decode(errors="replace") for m in re.findall(r"(?m)^  value: ([A-Za-z0-9+/=]+)$", marked)]
    marked += "\n".join(decoded)
    alone += [(path, value) for path, value in found if path in marks and
              not re.search(rf"(?<![0-9]){marks[path]}(?![0-9])", marked)]

    somebody = {"namespace": "zq", "podSecurity": "baseline", "quota": {}, "limitRange": {"default": {}, "defaultRequest": {}},
                "workloads": {}, "hosts": {}}
    added = {"limits": 7, "imagePullSecrets": True, "tenants": somebody, "hosts": {"/": {"workload": "zq", "port": "zq"}},
             "extraObjects": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "zq"}}}

    def other(path, value):
        if path[-1] == "kind":
            return {"ExternalSecret": "Existing", "StatefulSet": "Deployment", "Deployment": "StatefulSet"}.get(value, "ExternalSecret")
        if isinstance(value, bool):
            return not value
        if path == ("pinnedImages",):
            return {next(name for at, name in found if at[-1] == "image"): "zq"}
        if isinstance(value, dict):
            return {"zqnew": added.get(path[-1], "zq")}
        if isinstance(value, list):
            return ["zqnew"]
        return value + 16 if isinstance(value, int) else value + "zq"

    def is_dead(leaf):
        path, value = leaf
        return without_randomness(chart.render(changed(chart.values, {path: other(path, value)}), "--skip-schema-validation")) == base

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        dead = ["/".join(map(str, path)) for (path, _), is_one in zip(alone, pool.map(is_dead, alone)) if is_one]
    assert not dead, f"values that nothing reads: {dead}"
    print(f"  {chart.name}: {len(found)} leaves are live, {len(alone)} of them changed one at a time")


def schema_is_closed(chart):
    """No map takes a name or a type that the schema does not know, and everything has a description."""
    validator = jsonschema.Draft7Validator(chart.schema)
    assert not list(validator.iter_errors(chart.values))

    def maps(node, path=()):
        if isinstance(node, dict):
            yield path
            for key, value in node.items():
                yield from maps(value, (*path, key))

    count = 0
    for path in maps(chart.values):
        if path == ("pods", "spec"):
            continue  # Kubernetes' own keys
        count += 1
        values = copy.deepcopy(chart.values)
        at = values
        for key in path:
            at = at[key]
        at["zq"] = None
        assert not validator.is_valid(values), f"/{'/'.join(path)} takes what is not in the schema"

    def described(schema, path=""):
        for key, value in schema.get("properties", {}).items():
            assert value.get("description"), f"{path}/{key} has no description"
            described(value, f"{path}/{key}")
        if isinstance(schema.get("additionalProperties"), dict):
            described(schema["additionalProperties"], f"{path}/*")
        if schema.get("type") == "object":
            assert "additionalProperties" in schema, path

    described(chart.schema)
    for definition in chart.schema["definitions"].values():
        described(definition)
    refused = run(tools() / "helm", "template", chart.directory, "--kube-version", "1.32.0", "--set", "workload.x=1", check=False)
    assert refused.returncode != 0 and "workload" in refused.stderr, "helm takes a value that is not in the schema"
    print(f"  {chart.name}: {count} maps are closed")


# What the plan says


def expanded(text, variables=()):
    """As the kubelet does it: $(NAME) of a known variable, $$ as $."""
    return re.sub(r"\$(\$|\(([^)]*)\))?", lambda m: "$" if m[1] == "$" else dict(variables).get(m[2], m[0]) if m[1] else m[0], text)


def quantity(text):
    for suffix, size in (("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10), ("G", 1e9), ("M", 1e6), ("k", 1e3), ("m", 0.001)):
        if str(text).endswith(suffix):
            return float(text[:-len(suffix)]) * size
    return float(text)


def workloads_are_planned(chart):
    seen = set()
    for instance in chart.instances():
        workload = chart.workload(instance)
        seen.add(id(workload))
        pod = workload["spec"]["template"]["spec"]
        assert len(pod["containers"]) == 1
        container = pod["containers"][0]
        where = f"{chart.name}: {instance['name']}"

        def expect(what, actual, planned):
            assert actual == planned, f"{where}: {what} is {actual!r}, planned {planned!r}"

        expect("uid", pod["securityContext"]["runAsUser"], instance["uid"])
        serves_on = 0
        if instance["role"] == "runtime":
            serves_on = json.loads(chart.one("ConfigMap", chart.namespace_of(instance), instance["name"])["data"]["runtime.json"])["lame-duck-ms"]
            assert serves_on > 0 and container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "data"}, where
            assert all(container[probe]["httpGet"] == {"path": "/livez", "port": "data"} for probe in ("startupProbe", "livenessProbe")), where
        expect("grace", pod["terminationGracePeriodSeconds"] * 1000, instance["stop-grace-ms"] + serves_on)
        if instance["image"]:
            expect("image", container["image"], instance["image"])
        expect("ports", {p["name"]: p["containerPort"] for p in container.get("ports", [])},
               {p["name"]: p["number"] for p in instance["ports"]})
        amount, planned = container["resources"], instance["resources"]
        for kind, name, key, unit in (("requests", "cpu", "cpu-request-millis", 0.001), ("limits", "cpu", "cpu-limit-millis", 0.001),
                                      ("requests", "memory", "memory-request-bytes", 1), ("limits", "memory", "memory-limit-bytes", 1)):
            expect(f"{kind}.{name}", round(quantity(amount[kind][name]), 6), round(planned[key] * unit, 6))
        scalers = [o for o in chart.of("HorizontalPodAutoscaler") if o["metadata"]["namespace"] == workload["metadata"]["namespace"] and
                   o["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": workload["kind"], "name": workload["metadata"]["name"]}]
        replicas = instance["replicas"]
        if replicas["max"] > replicas["min"]:
            expect("scaling", [(s["spec"]["minReplicas"], s["spec"]["maxReplicas"]) for s in scalers], [(replicas["min"], replicas["max"])])
            assert "replicas" not in workload["spec"], where
        else:
            expect("replicas", (workload["spec"]["replicas"], scalers), (replicas["min"], []))
        variables = {v["name"]: v for v in container.get("env", [])}
        for name, value in instance["env"].items():
            if "secret" in value:
                assert "valueFrom" in variables[name] and "value" not in variables[name], where
            else:
                expect(f"variable {name}", expanded(variables[name]["value"], {"TEMPLATE": "EXPANDED", "HOME": "EXPANDED"}), value["value"])
        words = [expanded(word, {"HOME": "EXPANDED"}) for word in container.get("args", [])]
        expect("command", words[-len(instance["command"]):] if instance["command"] else [], instance["command"])

        mounted = {m["mountPath"]: m["name"] for m in container.get("volumeMounts", [])}
        volumes = {v["name"]: v for v in pod.get("volumes", [])}
        claims = {c["metadata"]["name"]: c["spec"]["resources"]["requests"]["storage"] for c in workload["spec"].get("volumeClaimTemplates", [])}
        sizes = {v["name"]: v["size-bytes"] for v in chart.plan["volumes"]}
        secret_files = set()
        for source in volumes.get("caisson-secrets", {}).get("projected", {}).get("sources", []):
            secret_files |= {f"/run/secrets/{item['path']}" for item in source["secret"]["items"]}
        planned_secrets = set()
        for mount in instance["mounts"]:
            if mount["kind"] == "volume":
                expect(f"volume {mount['name']}", mounted.get(mount["path"]), mount["name"])
                expect(f"size of {mount['name']}", quantity(claims[mount["name"]]), sizes[mount["name"]])
            elif mount["kind"] == "secret":
                planned_secrets.add(mount["path"])
            else:
                assert mount["path"] in mounted, f"{where}: {mount['path']} is not mounted"
        expect("secrets", secret_files, planned_secrets)
        for writable in instance["writable"]:
            assert volumes[mounted[writable["path"]]]["emptyDir"]["medium"] == "Memory", where
    strangers = [o["metadata"]["name"] for o in chart.of("StatefulSet") + chart.of("Deployment") if id(o) not in seen]
    assert not strangers, f"{chart.name}: nobody planned {strangers}"


def selected(selector, labels):
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(labels.get(e["key"]) in e["values"] for e in selector.get("matchExpressions", []))


def peer_matches(peer, pod, own_namespace):
    if "ipBlock" in peer:
        return False
    namespaces = peer.get("namespaceSelector")
    if namespaces is None:
        if pod["namespace"] != own_namespace:
            return False
    elif not selected(namespaces, {"kubernetes.io/metadata.name": pod["namespace"]}):
        return False
    return selected(peer.get("podSelector", {}), pod["labels"])


def reaches(chart, source, target, port):
    """Whether the network policies let a pod connect: both ends must, and without a policy nothing is denied."""
    for pod, other, direction, peers in ((target, source, "Ingress", "from"), (source, target, "Egress", "to")):
        policies = [p for p in chart.of("NetworkPolicy") if p["metadata"]["namespace"] == pod["namespace"] and
                    direction in p["spec"]["policyTypes"] and selected(p["spec"]["podSelector"], pod["labels"])]
        assert policies, f"no policy is about {pod['name']}"
        rules = [rule for p in policies for rule in p["spec"].get(direction.lower()) or []]
        if not any((not rule.get("ports") or any(p["port"] in (port["name"], port["number"]) for p in rule["ports"])) and
                   any(peer_matches(peer, other, pod["namespace"]) for peer in rule.get(peers, [])) for rule in rules):
            return False
    return True


def policies_are_the_networks(chart):
    """For every two instances and every port: the policies let through exactly what shares a network in the plan."""
    pods = {}
    for instance in chart.instances():
        labels = chart.workload(instance)["spec"]["template"]["metadata"]["labels"]
        pods[instance["name"]] = {"name": instance["name"], "namespace": chart.namespace_of(instance), "labels": labels}
    looked = allowed = 0
    for source, target in itertools.permutations(chart.instances(), 2):
        for port in target["ports"]:
            networks = {port["network"]} if port.get("network") else set(target["networks"])
            planned = bool(networks & set(source["networks"]))
            actual = reaches(chart, pods[source["name"]], pods[target["name"]], port)
            assert actual == planned, f"{chart.name}: {source['name']} -> {target['name']}:{port['name']}: {actual}, planned {planned}"
            looked += 1
            allowed += actual
    routed = {(r["instance"], r["port"]) for r in chart.plan["routes"]}
    measured = {(i["name"], p["name"]) for i in chart.instances() for p in i["ports"] if p["purpose"] == "metrics"}
    # Pods of these two namespaces reach what is routed and what is measured: who reads metrics, no operator API.
    doors = {chart.values["ingress"]["controllerNamespace"]: routed, chart.values["metrics"]["namespace"]: measured}
    assert len(doors) == 2 and measured.isdisjoint(routed)
    for target in chart.instances():
        for port in target["ports"]:
            rules = [rule for p in chart.of("NetworkPolicy") if p["metadata"]["namespace"] == pods[target["name"]]["namespace"] and
                     selected(p["spec"]["podSelector"], pods[target["name"]]["labels"]) for rule in p["spec"].get("ingress") or []
                     if any(p["port"] == port["name"] for p in rule["ports"])]
            for namespace, reached in doors.items():
                pod = {"name": "outside", "namespace": namespace, "labels": {}}
                open_to = any(peer_matches(peer, pod, "") for rule in rules for peer in rule["from"])
                assert open_to == ((target["name"], port["name"]) in reached), f"{namespace} -> {target['name']}:{port['name']}"
        egress = [peer["ipBlock"]["cidr"] for p in chart.of("NetworkPolicy") if p["metadata"]["name"] == target["name"]
                  for rule in p["spec"]["egress"] for peer in rule.get("to", []) if "ipBlock" in peer]
        assert bool(egress) == bool(target["egress"]), f"{target['name']} reaches {egress}, planned {target['egress']}"
    for namespace in {p["namespace"] for p in pods.values()}:
        chart.one("NetworkPolicy", namespace, "caisson.default-deny")
    print(f"  {chart.name}: {looked} connections looked at, {allowed} are allowed, as planned")


def tenants_are_placed(chart):
    own = chart.own_namespaces()
    assert set(own) == {t["slug"] for t in chart.plan["tenants"] if t["isolation"] == "deployment"}
    for slug, namespace in own.items():
        labels = next(o for o in chart.of("Namespace") if o["metadata"]["name"] == namespace)["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        for kind in ("ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount", "StatefulSet", "Ingress"):
            assert any(o["metadata"].get("namespace") == namespace for o in chart.of(kind)), f"{namespace} has no {kind}"
        hard = next(o for o in chart.of("ResourceQuota") if o["metadata"]["namespace"] == namespace)["spec"]["hard"]
        needed = sum(quantity(chart.workload(i)["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]) *
                     i["replicas"]["max"] for i in chart.instances() if i["tenant"] == slug)
        assert quantity(hard["limits.memory"]) >= needed, f"{namespace} has no room for itself"
    configs = {}
    for instance in chart.instances():
        if instance["role"] != "runtime":
            continue
        text = chart.one("ConfigMap", chart.namespace_of(instance), instance["name"])["data"]["runtime.json"]
        configs[instance["name"]] = json.loads(text)
        assert not {"tiers", "tenants"} & set(configs[instance["name"]]), "a change of a tenant or tier would replace the pod"
        lines = chart.one("ConfigMap", chart.namespace_of(instance), instance["name"] + "-tenants")["data"]["tenants.ndjson"].splitlines()
        tiers, *tenants = [json.loads(line) for line in lines if line]
        configs[instance["name"]].update(tiers, tenants=tenants)
        ports = {p["name"]: p["number"] for p in instance["ports"]}
        assert configs[instance["name"]]["listen"] == {name: f"[::]:{number}" for name, number in ports.items()}
    for tenant in chart.plan["tenants"]:
        config = configs[tenant["instance"]]
        entry = next(t for t in config["tenants"] if t["slug"] == tenant["slug"])
        limits = {**config["tiers"][entry["tier"]]["limits"], **entry.get("limits", {})}
        assert limits == tenant["limits"], f"{tenant['slug']}: {limits}, planned {tenant['limits']}"
        assert entry["name"] == tenant["name"] and (entry["status"] == "suspended") == tenant["suspended"]
        assert sum(tenant["slug"] in (t["slug"] for t in c["tenants"]) for c in configs.values()) == 1


def ingresses_are_the_routes(chart):
    rules = {}
    for ingress in chart.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                key = (rule["host"], path["path"])
                backend = path["backend"]["service"]
                # ingress-nginx takes a path of a host once in the whole cluster. Its own check, which runs below, looks no
                # further into an Ingress of which one path is its own already; this does.
                assert key not in rules, f"{key} twice"
                rules[key] = (ingress["metadata"]["namespace"], backend["name"], backend["port"]["name"])
    instances = {i["name"]: i for i in chart.instances()}
    wildcard = "*." + chart.plan["domain"]
    # What nobody serves may move: no controller takes a host in two namespaces.
    closed = {domain for tenant in chart.plan["tenants"] if tenant["suspended"] for domain in tenant["domains"]}
    assert not closed & {host for host, _ in rules}, f"domains of tenants that are suspended: {closed & {host for host, _ in rules}}"
    for route in chart.plan["routes"]:
        if route["host"] in closed:
            continue
        if route["host"] == "*":
            continue
        path = route["path-prefix"] or "/"
        found = rules.get((route["host"], path)) or rules.get((wildcard, path))
        assert found == (chart.namespace_of(instances[route["instance"]]), route["instance"], route["port"]), f"{route}: {found}"
    for host in {host for host, path in rules if path == "/"}:
        for hidden in ("/ask", "/livez", "/readyz"):
            assert rules[(host, hidden)][1] == chart.values["ingress"]["closed"], f"{host}{hidden} is open"


def shut_doors_serve_nobody(chart):
    """Every path stays where it is, and behind it, in its own namespace, is a Service of which nobody answers."""
    def paths(objects):
        return {(o["metadata"]["namespace"], rule["host"], path["path"]): path["backend"]["service"] for o in objects if o["kind"] == "Ingress"
                for rule in o["spec"]["rules"] for path in rule["http"]["paths"]}

    values = copy.deepcopy(chart.values)
    values["ingress"]["shut"] = True
    objects = [o for o in yaml.load_all(chart.render(values), Loader) if o]
    shut = paths(objects)
    assert shut.keys() == paths(chart.objects).keys(), "a path comes or goes with the door"
    for (namespace, host, path), backend in shut.items():
        [service] = [o for o in objects if o["kind"] == "Service" and o["metadata"]["namespace"] == namespace and
                     o["metadata"]["name"] == backend["name"]]
        assert backend == {"name": chart.values["ingress"]["closed"], "port": {"name": "closed"}}, f"{host}{path} is open: {backend}"
        assert "selector" not in service["spec"] and service["spec"]["ports"][0]["name"] == "closed", service


def names_fit(chart):
    names = set()
    for o in chart.objects:
        key = (o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"])
        assert key not in names, f"{key} twice"
        names.add(key)
        longest = {"StatefulSet": 52, "Service": 63, "Namespace": 63, "Job": 63, "CronJob": 52}.get(o["kind"], 253)
        assert len(key[2]) <= longest, f"{key} is longer than {longest}"
        # The API server warns of anything else, as the name becomes that of a host.
        assert key[0] not in ("Job", "CronJob") or "." not in key[2], f"{key} is no label of DNS"
        for label, value in o["metadata"]["labels"].items():
            assert len(value) <= 63 and len(label.split("/")[-1]) <= 63, f"{key}: label {label}={value}"


def secrets_are_references(chart):
    planned = {s["name"]: s for s in chart.plan["secrets"]}
    for name, secret in chart.values["secrets"].items():
        source = planned[name]["source"]
        kind = {"kubernetes": "Existing", "vault": "ExternalSecret", "aws": "ExternalSecret", "sealed": "SealedSecret"}.get(source)
        assert kind is None or secret["kind"] == kind or planned[name].get("internal"), (name, secret)
        assert not secret.get("value") and not secret.get("encrypted"), f"{name} has a value"
    for o in chart.of("Secret"):
        assert planned[o["metadata"]["name"]]["source"] == "generate", f"{o['metadata']['name']} was made of nothing"
    # A service's account, and nothing else, is what it runs as; nobody has a token of the API server.
    for o in chart.of("StatefulSet") + chart.of("Deployment"):
        chart.one("ServiceAccount", o["metadata"]["namespace"], o["spec"]["template"]["spec"]["serviceAccountName"])


def nothing_dangles(chart):
    """What names or selects something finds it."""
    pods = [(o["metadata"]["namespace"], o["spec"]["template"]["metadata"]["labels"], o["spec"]["template"]["spec"]["containers"][0])
            for o in chart.of("StatefulSet") + chart.of("Deployment")]
    pods += [(o["metadata"]["namespace"], o["metadata"]["labels"], {}) for o in chart.of("Pod")]
    for o in chart.of("CronJob"):
        template = o["spec"]["jobTemplate"]["spec"]["template"]
        pods.append((o["metadata"]["namespace"], template["metadata"]["labels"], template["spec"]["containers"][0]))

    def behind(namespace, selector):
        return [container for where, labels, container in pods if where == namespace and selected({"matchLabels": selector}, labels)]

    services = {}
    for o in chart.of("Service"):
        namespace, name = o["metadata"]["namespace"], o["metadata"]["name"]
        services[(namespace, name)] = o
        if "selector" in o["spec"]:
            containers = behind(namespace, o["spec"]["selector"])
            assert len(containers) == 1, f"Service {namespace}/{name} has {len(containers)} workloads"
            named = {p["name"] for p in containers[0]["ports"]}
            assert all(p["targetPort"] in named for p in o["spec"]["ports"]), f"Service {namespace}/{name} misses a port"
        elif o["spec"]["type"] == "ExternalName":
            there = o["spec"]["externalName"].split(".")
            assert any((s["metadata"]["name"], s["metadata"]["namespace"]) == (there[0], there[1]) and "selector" in s["spec"]
                       for s in chart.of("Service")), f"Service {namespace}/{name} leads to nothing"
        else:
            assert name == chart.values["ingress"]["closed"], f"Service {namespace}/{name} selects nothing"
    for o in chart.of("StatefulSet"):
        assert services[(o["metadata"]["namespace"], o["spec"]["serviceName"])]["spec"]["clusterIP"] == "None"
    for o in chart.of("NetworkPolicy") + chart.of("PodDisruptionBudget"):
        selector = (o["spec"].get("podSelector") or o["spec"].get("selector") or {}).get("matchLabels")
        assert not selector or behind(o["metadata"]["namespace"], selector), f"{o['kind']} {o['metadata']['name']} selects nothing"
    monitors = chart.of("ServiceMonitor")
    for o in monitors:
        found = [s for s in chart.of("Service") if s["metadata"]["namespace"] == o["metadata"]["namespace"] and
                 selected(o["spec"]["selector"], s["metadata"]["labels"])]
        assert len(found) == 1 and o["spec"]["endpoints"][0]["port"] in {p["name"] for p in found[0]["spec"]["ports"]}, o["metadata"]
    assert len(monitors) == sum(i["role"] == "runtime" for i in chart.instances())
    for o in chart.of("HorizontalPodAutoscaler"):
        target = o["spec"]["scaleTargetRef"]
        chart.one(target["kind"], o["metadata"]["namespace"], target["name"])
    for o in chart.of("Ingress"):
        for rule in o["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                service = services[(o["metadata"]["namespace"], backend["name"])]
                assert backend["port"]["name"] in {p["name"] for p in service["spec"]["ports"]}, backend


def rules_are_handed_over(chart):
    [rules] = chart.of("PrometheusRule")
    assert rules["spec"] == yaml.load((chart.directory / "rules.yaml").read_text(), Loader), "other rules than rules.yaml's"
    for monitor in chart.of("ServiceMonitor"):
        [endpoint] = monitor["spec"]["endpoints"]
        labels = {rule["targetLabel"]: rule.get("replacement") for rule in endpoint["relabelings"]}
        assert labels == {"job": "runtime", "deployment": chart.plan["name"], "replica": None,
                          "instance": monitor["metadata"]["name"]}, labels


def given_secrets_are_made(chart):
    """What is given at install time becomes a Secret, or a SealedSecret, of every namespace that reads it."""
    values = copy.deepcopy(chart.values)
    for secret in values["secrets"].values():
        for key in ("value", "encrypted"):
            if key in secret:
                secret[key] = "given: {{ fail }}\n"
    text = chart.render(values)
    chart.work.joinpath(f"{chart.name}-given.yaml").write_text(text)
    place = tools().parent / "schemas"
    run(tools() / "kubeconform", "-strict", "-kubernetes-version", "1.32.0",
        "-schema-location", f"{place}/{{{{.NormalizedKubernetesVersion}}}}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
        "-schema-location", f"{place}/operators/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", chart.work / f"{chart.name}-given.yaml")
    made = {o["metadata"]["name"]: o for o in yaml.load_all(text, Loader) if o and o["kind"] in ("Secret", "SealedSecret", "ExternalSecret")}
    for name, secret in values["secrets"].items():
        if secret["kind"] == "Existing":
            assert name not in made
            continue
        assert made[name]["kind"] == secret["kind"], name
        if secret["kind"] == "Secret":
            assert base64.b64decode(made[name]["data"]["value"]).decode() == "given: {{ fail }}\n", name


def part_of_another(caisson, work):
    """Under another name, as a part of another chart, whose condition reads `enabled`, rules still find what they ask for."""
    name = "quickstart"
    chart = Chart(caisson, name, work / "part")
    whole = work / "part/whole"
    (whole / "charts").mkdir(parents=True)
    shutil.copytree(chart.directory, whole / "charts" / chart.directory.name)
    (whole / "Chart.yaml").write_text(json.dumps({"apiVersion": "v2", "name": "whole", "version": "1.0.0", "dependencies": [
        {"name": chart.directory.name, "version": chart.plan["version"], "alias": "shop", "condition": "shop.enabled"}]}))
    for enabled in (True, False):
        (whole / "values.yaml").write_text(json.dumps({"shop": {"enabled": enabled}}))
        text = run(tools() / "helm", "template", "release", whole, "--namespace", chart.namespace, "--kube-version", "1.32.0",
                   "--api-versions", "monitoring.coreos.com/v1").stdout
        labels = set(re.findall(r"targetLabel: deployment, replacement: \"?([^\"}]+)", text))
        asked = set(re.findall(r'deployment=\\?"([^"\\]+)', text))
        assert labels == ({chart.plan["name"]} if enabled else set()), f"enabled: {enabled}, and the deployment is {labels}"
        assert asked <= labels, f"rules ask for {asked}, and monitors say {labels}"
        assert bool(text.strip()) == enabled, text[:200]
    print("  the chart is a part of another one, by another name")


def release_bytes(directory):
    """Of what Helm keeps of an upgrade to a chart, in a Secret: everything of the chart but what .helmignore leaves out, its manifest and its hooks."""
    ignored = [line for line in (directory / ".helmignore").read_text().split("\n") if line and not line.startswith("#")]
    read = {path.relative_to(directory): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    files = {str(path): base64.b64encode(data).decode() for path, data in read.items()
             if not any(path.match(pattern) for pattern in ignored) and path.name != "values.yaml"}
    text = run(tools() / "helm", "template", "release", directory, "--namespace", directory.name, "--kube-version", "1.32.0").stdout
    objects = text.split("\n---\n")
    release = {"chart": {"files": files, "values": yaml.load(read[pathlib.Path("values.yaml")], Loader)}} | {
        kind: "\n---\n".join(o for o in objects if ("helm.sh/hook" in o) == (kind == "hooks")) for kind in ("manifest", "hooks")}
    return len(base64.b64encode(gzip.compress(json.dumps(release, separators=(",", ":"), ensure_ascii=False).encode(), 9)))


def releases_fit(caisson, work):
    """So many tenants with three domains of their own each as the generator says that fit make a release that Helm can keep."""
    some = random.Random(7)
    syllables = [c + v for c in "b c d f g h k l m n p r s t v w z br st tr".split() for v in "a e i o u ar en il on us".split()]

    def word():
        return "".join(some.choices(syllables, k=3))

    tenants = []
    for i in range(5000):
        slug = f"{word()}{i}"
        tenants.append(f"  - {{ slug: {slug}, name: {word()} {word()} Ltd, owner: {word()}@{slug}.example, "
                       f"domains: [app.{slug}.example, shop.{slug}.example, {word()}{i}.example] }}")

    def generate(count):
        spec = work / f"release-{count}.yaml"
        spec.write_text("\n".join(["caisson: v1", "name: many", "version: 1.0.0", "domain: many.example.com",
                                   "tiers: { free: { isolation: schema } }", "tenants:", *tenants[:count]]) + "\n")
        return run(caisson, "generate", spec, "--no-strict", "--quiet", "--target", "helm", "--out", work / f"release-{count}", check=False)

    refused = generate(len(tenants))
    said = re.search(r"a release of the chart(?s:.*?)of its 5000 tenants about (\d+) fit", refused.stderr)
    assert refused.returncode == 1 and said and "E0308" in refused.stderr, refused.stderr
    count = int(said[1]) * 97 // 100
    done = generate(count)
    assert done.returncode == 0, done.stderr
    size = release_bytes(work / f"release-{count}/helm/many")
    assert count > 3219 and size < 1 << 20, f"{count} tenants make a release of {size} bytes"
    print(f"  {count} tenants with three domains each make a release of {size} bytes")


def templates_of(o):
    """Every pod that an object is or makes, wherever in it that stands."""
    if not isinstance(o, (dict, list)):
        return
    if isinstance(o, dict) and isinstance(o.get("spec"), dict) and "containers" in o["spec"]:
        yield o
    for child in o.values() if isinstance(o, dict) else o:
        yield from templates_of(child)


def sites_reach_everything(chart):
    """`objects` is on every object that the chart makes, and `pods` on every pod: of workloads, of hooks, of tests and of what runs by a
    schedule. What an object says of itself stays."""
    values = copy.deepcopy(chart.values)
    for secret in values["secrets"].values():
        for key in ("value", "encrypted"):
            if key in secret:
                secret[key] = "given"
    values["objects"] = {"labels": {"team": "a"}, "annotations": {"owner": "b", "helm.sh/hook-weight": "7"}}
    toleration = {"key": "dedicated", "operator": "Equal", "value": "tenants", "effect": "NoSchedule"}
    values["pods"] = {"labels": {"zone": "c"}, "annotations": {"scrape": "no"},
                      "spec": {"tolerations": [toleration], "nodeSelector": {"disk": "ssd"}, "priorityClassName": "high",
                               "runtimeClassName": "gvisor", "dnsPolicy": "Default", "hostAliases": [{"ip": "192.0.2.1", "hostnames": ["x"]}]}}

    def key(o):
        return o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"], o["apiVersion"]

    def read(text):
        return {key(o): o for o in yaml.load_all(text, Loader) if o}

    plain = copy.deepcopy(values)
    plain["objects"], plain["pods"] = chart.values["objects"], chart.values["pods"]
    before, after = read(chart.render(plain)), read(chart.render(values))
    assert before.keys() == after.keys(), before.keys() ^ after.keys()
    kinds, pods = set(), []
    for name, o in after.items():
        was = before[name]["metadata"].get("annotations", {})
        theirs = {"owner": "b", "helm.sh/hook-weight": was.get("helm.sh/hook-weight", "7")}
        if o["kind"] == "Pod":
            theirs["scrape"] = "no"
        assert o["metadata"].get("annotations") == was | theirs, f"{name}: {o['metadata'].get('annotations')}"
        assert o["metadata"]["labels"]["team"] == "a", name
        kinds.add(o["kind"])
        for pod, planned in zip(templates_of(o), templates_of(before[name]), strict=True):
            pods.append(o["kind"])
            assert pod["spec"] == planned["spec"] | values["pods"]["spec"], f"{name}: {pod['spec']}"
            assert pod["metadata"]["annotations"]["scrape"] == "no", name
            labels = dict(pod["metadata"]["labels"])
            assert labels.pop("zone") == "c", name
            if o["kind"] == "Pod":
                assert labels.pop("team") == "a", name
            elif o["kind"] in ("Job", "CronJob"):
                labels.pop("team", None)
            assert labels == planned["metadata"]["labels"], f"{name}: {labels}"
    assert {"Pod", "Job", "StatefulSet"} <= set(pods), pods
    print(f"  {chart.name}: the site reaches {len(after)} objects of {len(kinds)} kinds and {len(pods)} pods of {', '.join(sorted(set(pods)))}")
    return kinds, set(pods)


def runtimes_run_their_own_image(chart):
    """The image that a site gives to one runtime is also what checks its configuration, before an upgrade and before a start, and what copies its data;
    the others keep theirs."""
    def runtimes(values):
        places = [values, *values["tenants"].values()]
        return {name: workload for place in places for name, workload in place["workloads"].items() if workload["role"] == "runtime"}

    values = copy.deepcopy(chart.values)
    changed = runtimes(values)
    name = next(iter(changed))
    changed[name]["image"] = "site.example/runtime:other"
    images = {one: workload["image"] for one, workload in changed.items()}
    ran = set()
    for o in yaml.load_all(chart.render(values), Loader):
        for pod in templates_of(o or {}):
            for container in pod["spec"]["containers"] + pod["spec"].get("initContainers", []):
                words = container.get("args", [])
                # The check before an upgrade has the configurations of all in directories of their names.
                of = [word.split("/")[3] for word in words if word.startswith("/etc/caisson/") and word.count("/") == 4]
                of = of or [re.sub("-backup$|[.]backup$", "", pod["spec"]["serviceAccountName"])] * (words[:1] in (["check"], ["backup"], ["serve"]))
                for one in of:
                    assert container["image"] == images[one], f"{o['kind']} {o['metadata']['name']}: {container['image']} for {one}"
                    ran.add((o["kind"], words[0], one))
    assert {("Job", "check", one) for one in images} <= ran and {("StatefulSet", word, one) for one in images for word in ("check", "serve")} <= ran, ran
    assert ("CronJob", "backup", name) in ran or not chart.of("CronJob"), ran


def pods_of(node):
    """The specs of pods in an object, wherever it has them."""
    if isinstance(node, dict):
        yield from [node] if "containers" in node else []
        for child in node.values():
            yield from pods_of(child)


def sites_lay_over(chart):
    """What administrators add reaches every object, every pod, or the one workload that they say it of."""
    name, workload = next((n, w) for n, w in chart.values["workloads"].items() if w["role"] == "runtime")
    [volume] = workload["volumes"]
    values = copy.deepcopy(chart.values)
    values["objects"] = {"labels": {"team": "a"}, "annotations": {"owner": "b"}}
    values["pods"] = {"labels": {"zone": "c"}, "annotations": {"scrape": "no"}, "spec": {"nodeSelector": {"disk": "ssd"}, "priorityClassName": "high"}}
    values["imageRegistry"] = "registry.site.example/mirror/"
    values["global"] = {"imagePullSecrets": ["pull"], "anything": {"of": "the parent"}}
    values["metrics"]["labels"] = {"release": "prometheus"}
    values["extraObjects"] = {"extra": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}, "data": {"a": "{{ fail }}"}}}
    values["workloads"][name] |= {
        "object": {"labels": {"one": "d"}, "annotations": {"one": "e"}},
        "pod": {"labels": {"zone": "own"}, "spec": {"nodeSelector": {"disk": "nvme"}, "tolerations": [{"operator": "Exists"}],
                "runtimeClassName": "gvisor", "topologySpreadConstraints": []}},
        "serviceAccountAnnotations": {"role": "arn"}, "updateStrategy": {"type": "OnDelete"},
        "mounts": {"/etc/site": {"configMap": {"name": "extra"}}}}
    values["workloads"][name]["volumes"][volume]["existingClaim"] = "brought"
    jsonschema.Draft7Validator(chart.schema).validate(values)
    # What selects pods, and whom networks let in, is not a site's.
    for stolen in ("app.kubernetes.io/part-of", "app.kubernetes.io/name", "network.caisson/operator", "reaches.caisson/tenants"):
        for place in (lambda v: v["pods"], lambda v: v["objects"], lambda v: v["workloads"][name]["pod"]):
            wrong = copy.deepcopy(values)
            place(wrong)["labels"][stolen] = "stolen"
            assert not jsonschema.Draft7Validator(chart.schema).is_valid(wrong), f"{stolen} is let in"
    # A runtime is one whatever it is called, and what a parent chart says is read as what it is.
    runtime = copy.deepcopy(values["workloads"]["runtime"])
    del runtime["config"]["data"]
    runtime["replicas"] = {"min": 2, "max": 2}
    wrong_ones = [(lambda v: v["workloads"]["runtime"], "role", "service"), (lambda v: v["workloads"], "runtime", runtime),
                  (lambda v: v["global"], "imageRegistry", {"host": "r"}), (lambda v: v["global"], "imagePullSecrets", "pull"),
                  (lambda v: v["global"], "imagePullSecrets", [{"names": "pull"}]), (lambda v: v["global"], "imagePullSecrets", [{"name": 5}]),
                  (lambda v: v["global"], "imagePullSecrets", [""])]
    for slug in values.get("tenants", {}):
        wrong_ones += [(lambda v, slug=slug: v["tenants"][slug], "namespace", reserved) for reserved in ("kube-system", "kube-", "default", "", "a/b", "Default", " a")]
        twice = run(tools() / "helm", "template", "release", chart.directory, "--namespace", chart.namespace, "--kube-version", "1.32.0",
                    "--set", f"tenants.{slug}.namespace={chart.namespace}", check=False)
        assert twice.returncode != 0 and "each has its own" in twice.stderr, twice.stderr
    for place, key, value in wrong_ones:
        wrong = copy.deepcopy(values)
        place(wrong)[key] = value
        assert not jsonschema.Draft7Validator(chart.schema).is_valid(wrong), f"{key}: {value} is let in"
    empty = chart.render(chart.values | {"global": {"imageRegistry": None, "imagePullSecrets": None}})
    assert without_randomness(empty) == without_randomness(chart.render(chart.values)), "what a parent chart leaves empty changes something"
    objects = [o for o in yaml.load_all(chart.render(values), Loader) if o]
    before = {i["name"]: chart.workload(i) for i in chart.instances()}
    assert any(o["metadata"]["name"] == "extra" and o["data"] == {"a": "{{ fail }}"} for o in objects)
    for o in objects:
        if o["metadata"]["name"] != "extra":
            assert o["metadata"]["labels"]["team"] == "a", o["metadata"]
        if o["kind"] in ("ServiceMonitor", "PrometheusRule"):
            assert o["metadata"]["labels"]["release"] == "prometheus"
        if o["kind"] == "CronJob":
            # It mounts the claim of its runtime, on whatever node that may be.
            pod = o["spec"]["jobTemplate"]["spec"]["template"]["spec"]
            own = o["metadata"]["name"] == f"{name}-backup"
            assert pod["nodeSelector"] == {"disk": "nvme" if own else "ssd"}, o["metadata"]
            assert pod.get("tolerations") == ([{"operator": "Exists"}] if own else None), o["metadata"]
        if o["kind"] not in ("Deployment", "StatefulSet"):
            continue
        pod = o["spec"]["template"]
        assert o["metadata"]["annotations"]["owner"] == "b"
        assert pod["metadata"]["annotations"]["scrape"] == "no" and pod["spec"]["priorityClassName"] == "high"
        assert pod["spec"]["imagePullSecrets"][-1] == {"name": "pull"}
        for container in pod["spec"]["containers"] + pod["spec"].get("initContainers", []):
            assert container["image"].startswith("registry.site.example/mirror/"), container["image"]
        own = pod["metadata"]["labels"]["app.kubernetes.io/name"] == name
        assert pod["metadata"]["labels"]["zone"] == ("own" if own else "c")
        assert pod["spec"]["nodeSelector"] == {"disk": "nvme" if own else "ssd"}
        # Large numbers and words survive the way through.
        planned = before[pod["metadata"]["labels"]["app.kubernetes.io/name"]]["spec"]["template"]["spec"]
        assert pod["spec"]["securityContext"] == planned["securityContext"]
        assert pod["spec"]["containers"][0].get("args") == planned["containers"][0].get("args")
        if not own:
            continue
        assert o["metadata"]["labels"]["one"] == "d" and o["metadata"]["annotations"]["one"] == "e"
        assert pod["spec"]["tolerations"] == [{"operator": "Exists"}] and pod["spec"]["runtimeClassName"] == "gvisor"
        assert pod["spec"]["topologySpreadConstraints"] == []
        assert o["spec"]["updateStrategy"] == {"type": "OnDelete"} and "volumeClaimTemplates" not in o["spec"]
        volumes = {v["name"]: v for v in pod["spec"]["volumes"]}
        mounts = {m["mountPath"]: volumes[m["name"]] for m in pod["spec"]["containers"][0]["volumeMounts"]}
        assert mounts["/etc/site"]["configMap"] == {"name": "extra"}
        assert volumes[volume]["persistentVolumeClaim"] == {"claimName": "brought"}
        [account] = [s for s in objects if s["kind"] == "ServiceAccount" and s["metadata"]["name"] == name]
        assert account["metadata"]["annotations"] == {"role": "arn", "owner": "b", "one": "e"}
    values["helpers"]["cpu"] = "5m"
    for o in yaml.load_all(chart.render(values), Loader):
        for pod in pods_of(o or {}):
            for container in [*pod.get("initContainers", []), *pod["containers"]]:
                cpu = {kind: amounts["cpu"] for kind, amounts in container.get("resources", {}).items() if "cpu" in amounts}
                assert quantity(cpu.get("requests", 0)) <= quantity(cpu.get("limits", "1G")), f"{o['metadata']['name']}: {cpu}"
    values["networkPolicies"] = False
    assert not [o for o in yaml.load_all(chart.render(values), Loader) if o and o["kind"] == "NetworkPolicy"]


def quantities_are_read(chart):
    """Quantities as the API server takes and writes them, by the chart's own helper."""
    place = chart.work / f"{chart.name}-quantities"
    shutil.copytree(chart.directory, place)
    sizes = {"1Ti": 1 << 40, "1024Gi": 1 << 40, "1e12": 10**12, "7e+3": 7000, "7E3": 7000, "+5Gi": 5 << 30, ".5G": 5 * 10**8, "5.": 5, "2E": 2 * 10**18,
             "1500m": 1.5, "5m": 0.005, "250u": 0.00025, "9n": 9e-9, "10": 10}
    lines = [f'  {key}: {{{{ include "caisson.quantity" "{size}" | quote }}}}' for key, size in zip("abcdefghijklmn", sizes)]
    (place / "templates/quantities.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: { name: quantities }\ndata:\n" + "\n".join(lines) + "\n")
    command = [tools() / "helm", "template", "release", place, "--kube-version", "1.32.0", "--show-only", "templates/quantities.yaml"]
    read = yaml.load(run(*command).stdout, Loader)["data"]
    for (size, expected), value in zip(sizes.items(), read.values()):
        assert float(value) == expected, f"{size} is read as {value}"
    for wrong in ("-5Gi", "5 Gi", "Gi", "5GiB", "1e", "", "1e3k", "1e3m", "1e400"):
        (place / "templates/quantities.yaml").write_text(f'a: {{{{ include "caisson.quantity" "{wrong}" }}}}\n')
        refused = run(*command, check=False)
        assert refused.returncode != 0 and "is no quantity" in refused.stderr, f"{wrong}: {refused.stderr}"
    print(f"  {len(sizes)} ways to write a quantity are read")


def environments_lay_over(caisson, work):
    """values.yaml with values-<env>.yaml over it is values.yaml of --env."""
    count = 0
    for example, environment in (("agentik", "development"),):
        spec = ROOT / f"examples/{example}/deployment.yaml"
        base, other = work / f"{example}-base", work / f"{example}-{environment}-alone"
        run(caisson, "generate", spec, "--no-strict", "--quiet", "--target", "helm", "--out", base)
        run(caisson, "generate", spec, "--no-strict", "--quiet", "--target", "helm", "--env", environment, "--out", other)
        results = []
        for directory, options in ((base, ["--values", base / f"helm/{example}/values-{environment}.yaml"]), (other, [])):
            text = run(tools() / "helm", "template", "release", directory / f"helm/{example}", "--namespace", example,
                       "--kube-version", "1.32.0", *options).stdout
            results.append(without_randomness(text))
        assert results[0] == results[1], f"{example}: values-{environment}.yaml is not --env {environment}"
        count += 1
    print(f"  {count} environments laid over values.yaml render as their own charts")


def many_tenants_fit(caisson, work):
    """Thousands of tenants, with domains of their own and with deployments of their own: no object is larger than the API
    server takes, a host is in one Ingress, and stays there when others come and go."""
    def objects(count):
        spec = work / f"many-{count}.yaml"
        tenants = [f"  - {{ slug: tenant-{i}, name: Tenant {i}, owner: ops@tenant-{i}.example.com, tier: {'own' if i % 100 == 7 else 'pooled'}, "
                   f"domains: [shop.tenant-{i}.example.com] }}" for i in range(count)]
        spec.write_text("\n".join(["caisson: v1", "name: many", "version: 1.0.0", "domain: many.example.com",
                                   "tiers: { own: { isolation: deployment }, pooled: { isolation: row } }",
                                   "edge: { tls: { mode: acme, email: a@b.example } }", "tenants:", *tenants]) + "\n")
        run(caisson, "generate", spec, "--no-strict", "--quiet", "--target", "helm", "--out", work / f"many-{count}")
        text = run(tools() / "helm", "template", "release", work / f"many-{count}/helm/many", "--namespace", "many",
                   "--kube-version", "1.32.0").stdout
        return [o for o in yaml.load_all(text, Loader) if o]

    places = []
    for count in (3999, 4000):
        hosts = {}
        largest = 0
        for o in objects(count):
            largest = max(largest, len(json.dumps(o)))
            if o["kind"] != "Ingress":
                continue
            for rule in o["spec"]["rules"]:
                for path in rule["http"]["paths"]:
                    key = (rule["host"], path["path"])
                    assert key not in hosts, f"{key} is in {hosts[key]} and in {o['metadata']['name']}"
                    hosts[key] = (o["metadata"]["namespace"], o["metadata"]["name"])
        assert largest < 1 << 20, f"an object has {largest} bytes"
        places.append(hosts)
    moved = [key for key, place in places[0].items() if places[1].get(key) != place]
    assert not moved, f"another tenant moved {moved[:3]}"
    print(f"  4,000 tenants: {len({place for place in places[1].values()})} Ingresses, the largest object has {largest} bytes")


def main():
    caisson = pathlib.Path(sys.argv[1]).resolve()
    names = sys.argv[2:] or list(CASES)
    with tempfile.TemporaryDirectory(prefix="caisson-chart-") as place:
        work = pathlib.Path(place)
        charts = [Chart(caisson, name, work) for name in names]
        reached = [sites_reach_everything(chart) for chart in charts]
        for chart in charts:
            for check in (lint, schema_is_closed, workloads_are_planned, policies_are_the_networks, tenants_are_placed,
                          ingresses_are_the_routes, shut_doors_serve_nobody, names_fit, secrets_are_references, nothing_dangles, rules_are_handed_over, given_secrets_are_made,
                          every_leaf_is_live, runtimes_run_their_own_image, sites_lay_over):
                check(chart)
        schemas(charts)
        pod_security(charts)
        overlaps(charts)
        quantities_are_read(charts[0])
        domains_move(caisson, work)
        environments_lay_over(caisson, work)
        many_tenants_fit(caisson, work)
        releases_fit(caisson, work)
        part_of_another(caisson, work)
        if len(charts) == len(CASES):
            missing = EVERY_KIND - set().union(*(kinds for kinds, _ in reached))
            assert not missing, f"no case has a {missing}"
            assert any("CronJob" in pods for _, pods in reached)
            findings(charts)
    print(f"{len(charts)} charts accepted")


if __name__ == "__main__":
    try:
        main()
    except AssertionError as error:
        sys.exit(f"accept_chart: {error}")
