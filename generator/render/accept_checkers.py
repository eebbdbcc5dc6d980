"""What tools that nobody here wrote say of generated charts."""

import copy
import functools
import itertools
import json
import pathlib
import re
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
KUBERNETES = [f"1.{minor}.0" for minor in range(28, 35)]
# Checks of kube-linter that ask for what a site decides, or for nothing that matters.
NOT_APPLICABLE = [
    "dnsconfig-options", "no-node-affinity", "priority-class-name", "required-annotation-email", "required-label-owner",
    "schema-validation",  # kubeconform itself, with schemas from the network: it runs above, with its own
    "sorted-keys",
]
# Controls of kubescape likewise: labels of a site's own, "review every namespace", options of SELinux.
REVIEWED_BY_PEOPLE = {"C-0076", "C-0209", "C-0211"}
# What is waived for a pod that does one thing and ends is waived for nothing else.
ASKED_ONCE = {"CKV_K8S_8", "CKV_K8S_9", "pod-probes", "no-liveness-probe", "no-readiness-probe", "restart-policy", "C-0018", "C-0056", "C-0073"}


def run(*command, check=True):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done


@functools.cache
def tools():
    return pathlib.Path(run(ROOT / "scripts/test-tools").stdout.strip())


def lint(chart):
    run(tools() / "helm", "lint", "--strict", "--kube-version", "1.32.0", chart.directory)
    for path in [chart.directory / "values.yaml", chart.directory / "Chart.yaml"]:
        run("yamllint", "--strict", "-d", "{extends: default, rules: {line-length: disable}}", path)


def schemas(charts):
    place = tools().parent / "schemas"
    for version in KUBERNETES:
        run(tools() / "kubeconform", "-strict", "-kubernetes-version", version,
            "-schema-location", f"{place}/{{{{.NormalizedKubernetesVersion}}}}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
            "-schema-location", f"{place}/operators/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
            *(chart.file for chart in charts))
    print(f"  kubeconform -strict: {', '.join(KUBERNETES)}")


def pod_security(charts):
    print("  pod security restricted:", run(tools() / "pod-security", *(c.file for c in charts)).stdout.strip())


def overlaps(charts):
    """What ingress-nginx's own admission check refuses of charts installed one after the other, each in a cluster of its own."""
    print("  ingress-nginx admits:", run(tools() / "ingress-overlap", *(c.file for c in charts)).stdout.strip())
    # One that refuses nothing has to be one that could.
    for chart in charts:
        names = [o["metadata"]["name"] for o in chart.of("Ingress")]
        for planted in chart.of("Ingress"):
            planted = copy.deepcopy(planted)
            planted["metadata"].update(name="planted", namespace="elsewhere")
            rule = planted["spec"]["rules"][-1]
            rule["http"]["paths"] = rule["http"]["paths"][-1:]
            planted["spec"]["rules"] = [rule]
            file = chart.work / "planted.yaml"
            file.write_text(chart.text + "\n---\n" + yaml.safe_dump(planted))
            done = run(tools() / "ingress-overlap", file, check=False)
            said = f'Ingress elsewhere/planted: host "{rule["host"]}" and path "{rule["http"]["paths"][0]["path"]}" is already defined in ingress '
            assert done.returncode == 1 and said in done.stdout, f"a path of {names} twice: {done.stdout}{done.stderr}"


def denied(objects):
    """What the rules of kubescape deny of the objects of one chart: control, object, message."""
    done = subprocess.run([tools() / "opa", "eval", "--format", "json", "--data", tools().parent / "kubescape", "--stdin-input",
                           "data.kubescape.found"], input=json.dumps(objects), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for control, denial in json.loads(done.stdout)["result"][0]["expressions"][0]["value"]:
        for of in denial["alertObject"]["k8sApiObjects"]:
            yield control, f"{of['kind']}.{of['metadata'].get('namespace', '')}.{of['metadata']['name']}", denial["alertMessage"]


def kubescape(objects):
    # A rule that finds nothing has to be one that could.
    naked = [copy.deepcopy(o) for o in objects if o["kind"] in ("StatefulSet", "Deployment")]
    for one in naked:
        pod = one["spec"]["template"]["spec"]
        for part in (pod, *pod["containers"]):
            part.pop("securityContext")
            part.pop("resources", None)
        pod.pop("automountServiceAccountToken")
        pod["hostNetwork"] = True
    missed = {"C-0004", "C-0013", "C-0016", "C-0017", "C-0030", "C-0034", "C-0041", "C-0050"} - {control for control, _, _ in denied(naked)}
    assert not missed, f"kubescape overlooks {missed}"
    return [found for found in denied(objects) if found[0] not in REVIEWED_BY_PEOPLE]


def findings(charts):
    """What kube-score, kube-linter, checkov and kubescape find, which is what blueprints/helm/waivers.yaml has a reason for."""
    allowed = {}
    for waiver in yaml.safe_load((ROOT / "blueprints/helm/waivers.yaml").read_text()):
        for rule in [waiver["rule"], *waiver.get("also", "").split(", ")]:
            allowed[rule] = waiver
    allowed.pop("", None)
    used, problems = set(), []

    def found(rule, where, said):
        used.add(rule)
        fine = rule in allowed
        # What is waived for a pod that does one thing and ends, or for a store, is waived for nothing else.
        if rule in ASKED_ONCE:
            fine = re.fullmatch(r"Pod\..*-test|Job\..*\.caisson-check|CronJob\..*-backup", where) is not None
        if rule == "dangling-service":
            fine = where.endswith(".closed")
        if not fine:
            problems.append(f"{rule} {where}: {said}")

    files = [c.file for c in charts]
    scored = run(tools() / "kube-score", "score", "--kubernetes-version", "v1.32", "--output-format", "json", *files, check=False)
    checks = 0
    for scored_object in json.loads(scored.stdout):
        kind, name = scored_object["type_meta"]["kind"], scored_object["object_meta"]["name"]
        for check in scored_object["checks"]:
            checks += not check["skipped"]
            if check["skipped"] or check["grade"] >= 10:
                continue
            said = "; ".join(f"{c['path']} {c['summary']}" for c in check["comments"] or [])
            found(check["check"]["id"], f"{kind}.{name}", said)
    print(f"  kube-score: {checks} checks")

    linted = json.loads(run(tools() / "kube-linter", "lint", "--add-all-built-in", "--format", "json",
                            *(f"--exclude={check}" for check in NOT_APPLICABLE), *files, check=False).stdout)
    ran = set(linted["Checks"] and [check["name"] for check in linted["Checks"]]) - set(NOT_APPLICABLE)
    assert len(ran) > 50 and linted["Reports"], linted["Summary"]
    for report in linted["Reports"]:
        of = report["Object"]["K8sObject"]
        where = f"{of['GroupVersionKind']['Kind']}.{of['Namespace']}.{of['Name']}"
        found(report["Check"], where, report["Diagnostic"]["Message"])
    print(f"  kube-linter: {len(ran)} checks, {len(linted['Reports'])} findings waived")

    flags = itertools.chain.from_iterable(("-f", file) for file in files)
    checked = run(tools() / "checkov", *flags, "--framework", "kubernetes", "--compact", "--quiet", "--output", "json", "--soft-fail",
                  "--skip-download")
    report = json.loads(checked.stdout)
    for failed in report["results"]["failed_checks"]:
        found(failed["check_id"], failed["resource"], failed["check_name"])
    summary = report["summary"]
    assert summary["passed"] > 500 and not summary["parsing_errors"], summary
    print(f"  checkov: {summary['passed']} passed, {summary['failed']} waived")

    denials = [denial for chart in charts for denial in kubescape(chart.objects)]
    for denial in denials:
        found(*denial)
    print(f"  kubescape: {len(denials)} denials waived")
    assert not problems, "\n".join(problems)
    unused = {rule for rule in allowed if rule not in used}
    assert not unused, f"waivers that nothing needs: {unused}"
