"""Reads the generated README.md and RUNBOOK.md as what they are: commands that somebody copies into a shell, and names."""

import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(.*)$")
SPAN = re.compile(r"(?<!\\)`([^`\n]+)(?<!\\)`")
# Names of other people's programs: Docker's daemon.
FOREIGN = {"default-address-pools", "/etc/docker/daemon.json", "all predefined address pools have been fully subnetted"}
# Sections that have to work a second time, with what the first one left.
AGAIN = ("A tenant's life", "Back up", "Restore")
# What a document says in words between its commands, behind the one that has these words.
IN_WORDS = {'> "move/$tenant-before.json"': 'operator "$from" tenants suspend "$tenant"', '[ "$from" = "$to" ]': 'operator "$to" tenants resume "$tenant"'}
# A code span that begins like this is a command and no name.
PROGRAMS = ("docker", "operator", "systemctl", "journalctl", "kubectl", "helm", "curl", "caisson", "sudo", "openssl")


class Command:
    def __init__(self, document, line, text, section):
        self.document, self.line, self.text, self.section = document, line, text, section

    def __str__(self):
        return f"{self.document.parent.name}/{self.document.name}:{self.line}: {self.text}"


def is_command(span):
    return span.split(" ", 1)[0] in PROGRAMS and " " in span


def is_whole(text):
    """Whether bash would run it, or wait for more."""
    last = text.rstrip("\n").rsplit("\n", 1)[-1]
    return not last.endswith("\\") and subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True).returncode == 0


class Document:
    """Its commands, in order: those of blocks, which are all for a shell, and those of code spans. Its spans otherwise: names."""

    def __init__(self, path, text=None):
        self.path = path
        self.text = path.read_text() if text is None else text
        self.commands, self.names = [], []
        block, unit, begin, section = False, "", 0, ""
        for number, line in enumerate(self.text.splitlines(), 1):
            fence = FENCE.match(line)
            if line.startswith("## ") and not block:
                section = line[3:]
            if fence and not block:
                if fence.group(1) != "sh":
                    raise AssertionError(f"{path}:{number}: a block of '{fence.group(1)}', which no shell runs")
                block = True
            elif fence:
                if unit:
                    raise AssertionError(f"{path}:{begin}: bash waits for more than\n{unit}")
                block = False
            elif block:
                begin = begin if unit else number
                unit += line + "\n"
                if not unit.strip() or unit.lstrip().startswith("#") or is_whole(unit):
                    if unit.strip() and not unit.lstrip().startswith("#"):
                        self.commands.append(Command(path, begin, unit.rstrip("\n"), section))
                    unit = ""
            else:
                if line.startswith("    ") and not line.lstrip().startswith(("*", "-")):
                    raise AssertionError(f"{path}:{number}: an indented block; blocks are fenced")
                for span in SPAN.findall(line):
                    if is_command(span):
                        self.commands.append(Command(path, number, span, section))
                    else:
                        self.names.append((number, span))
        if block:
            raise AssertionError(f"{path}: a block without an end")


def execute(document, shell=("bash",), before=(), env=None, timeout=1200, again=AGAIN):
    """Runs every command of the document in one shell, in its directory; the first that fails is an AssertionError with its output.

    `before` is what the shell is told first. Sections that are said again and again in a deployment's life, `again`, are said twice here."""
    script = [*before, "set -eo pipefail"]
    order = []
    for section, commands in itertools.groupby(enumerate(document.commands), key=lambda entry: entry[1].section):
        order += list(commands) * (2 if section in again else 1)
    for number, command in order:
        script += [f"printf '\\001%s\\n' {number} >&2", command.text]
        script += [words for part, words in IN_WORDS.items() if part in command.text]
    script.append("printf '\\001end\\n' >&2")
    with tempfile.TemporaryFile("w+") as out:
        try:
            status = subprocess.run([*shell, "-c", "\n".join(script)], stdin=subprocess.DEVNULL, text=True, stdout=out, stderr=out,
                                    cwd=document.path.parent, env={**os.environ, **(env or {})}, timeout=timeout, check=False).returncode
        except subprocess.TimeoutExpired:
            status = f"none after {timeout} seconds"
        out.seek(0)
        pieces = re.split("\x01(\\w+)\n", out.read())
    began = [int(mark) for mark in pieces[1::2] if mark != "end"]
    if status != 0 or pieces[-2] != "end":
        last = document.commands[began[-1]] if began else "the shell"
        raise AssertionError(f"{last}\nstatus {status}\n{pieces[-1][-4000:]}")
    if began != [number for number, _ in order]:
        raise AssertionError(f"{document.path}: ran {began} of {len(document.commands)}")
    print(f"  {document.path.parent.name}/{document.path.name}: all {len(began)} commands ran")


# ---------------------------------------------------------------- names


def strings_of(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_of(inner)
    elif value is not None:
        yield str(value)


def rendered(chart):
    """The manifests of a chart by namespace and kind/name, as kubectl names them; with the claims that its StatefulSets make."""
    tools = subprocess.run([ROOT / "scripts/test-tools"], capture_output=True, text=True, check=True).stdout.strip()
    release = yaml.safe_load((chart / "Chart.yaml").read_text())["name"]
    namespace = re.search(r"--namespace (\S+)", (chart / "README.md").read_text()).group(1)
    done = subprocess.run([f"{tools}/helm", "template", release, chart, "--namespace", namespace], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    found = {(namespace, f"namespace/{namespace}"): ""}
    for manifest in filter(None, yaml.safe_load_all(done.stdout)):
        kind, name = manifest["kind"].lower(), manifest["metadata"]["name"]
        place = manifest["metadata"].get("namespace", name)
        found[place, f"{kind}/{name}"] = f"{kind}/{name}\n{json.dumps(manifest)}"
        for claim in manifest.get("spec", {}).get("volumeClaimTemplates", []) if kind == "statefulset" else []:
            found[place, f"persistentvolumeclaim/{claim['metadata']['name']}-{name}-0"] = ""
    return found


class World:
    """What a document of one target may name: the plan, the files beside it, the language of specs and the runtime's answers."""

    def __init__(self, plan, tree, directory):
        self.plan, self.tree = plan, tree
        self.directory = directory
        self.domain = plan["domain"]
        self.hosts = {self.domain, f"*.{self.domain}"}
        for tenant in plan["tenants"]:
            self.hosts |= {tenant["host"], *tenant["domains"]}
        self.words = set(strings_of(plan))
        self.artifacts = [path.read_text() for path in sorted(tree.rglob("*"))
                          if path.is_file() and path.name not in ("README.md", "RUNBOOK.md")]
        self.resources = rendered(directory) if (directory / "Chart.yaml").exists() else {}
        self.artifacts += self.resources.values()
        self.language = [(ROOT / "specs/reference.md").read_text(), (ROOT / "docs/runtime.md").read_text()]
        self.newcomer = None
        self.ports = {plan["edge"]["http"], plan["edge"]["https"]}
        self.ports |= {port["number"] for instance in plan["instances"] if instance["role"] in ("prometheus", "alertmanager")
                       for port in instance["ports"]}
        stack = directory / "stack.json"
        if stack.exists():
            self.ports = {port for process in json.loads(stack.read_text())["processes"] for port in process["ports"].values()}
        self.units = {path.name for path in (directory / "system").glob("*")}
        compose = directory / "compose.yaml"
        self.services = set(yaml.safe_load(compose.read_text())["services"]) if compose.exists() else set()

    def has(self, texts, span):
        pattern = re.compile(r"(?<![\w-])" + re.escape(span) + r"(?![\w-])")
        return any(pattern.search(text) for text in texts)

    def knows_host(self, host):
        return host in self.hosts or (self.newcomer is not None and host == f"{self.newcomer}.{self.domain}")

    def explains(self, span, commands):
        name = re.sub(r"^https?://([^/:]+)(:\d+)?$", r"\1", span.replace("<tenant>", "*").rstrip("/="))
        if name == self.newcomer or self.has(commands, name):
            return True
        if name in self.words or name in self.hosts or self.has(self.artifacts, name) or self.has(self.language, name):
            return True
        if (self.directory / name).exists() or shutil.which(name) or name in FOREIGN:
            return True
        # A volume of a compose project; a field of the spec, with or without its value.
        project, _, volume = name.partition("_")
        if any(volume == one["name"] for one in self.plan["volumes"]) and self.has(self.artifacts, "name: " + project):
            return True
        field = name.partition(": ")[0].split(".")
        return len(field) > 1 and all(f"`{part}`" in self.language[0] for part in field)


def wrong_names(document, world):
    """What the document names and nothing has."""
    wrong = []
    made = re.search(r"tenants create slug=(\S+)", document.text)
    world.newcomer = made.group(1) if made else world.newcomer
    runtimes = {instance["name"] for instance in world.plan["instances"] if instance["role"] == "runtime"}
    secrets = {secret["name"] for secret in world.plan["secrets"]}
    commands = [command.text for command in document.commands]
    for number, span in document.names:
        if not world.explains(span, commands):
            wrong.append(f"{document.path}:{number}: `{span}` is nowhere")
    for number, line in enumerate(document.text.splitlines(), 1):
        for host in re.findall(r"(?<![\w.-])[a-z0-9*][a-z0-9.-]*\." + re.escape(world.domain) + r"(?![\w-])", line):
            if not world.knows_host(host):
                wrong.append(f"{document.path}:{number}: host {host} is no tenant's")
        for secret in re.findall(r"(?<![\w/-])secrets/([a-z0-9-]+)(?![\w.-])", line):
            if secret not in secrets:
                wrong.append(f"{document.path}:{number}: secret {secret} is not planned")
        for port in re.findall(r"(?:\bport |127\.0\.0\.1:|https?://[^/:\s`]+:)(\d+)", line):
            if int(port) not in world.ports:
                wrong.append(f"{document.path}:{number}: nothing listens on port {port}")
        for unit in re.findall(r"(?<![\w*/@.-])([a-z0-9][\w@-]*\.(?:service|socket|timer|slice|target))\b", line):
            if unit not in world.units:
                wrong.append(f"{document.path}:{number}: there is no unit {unit}")
    for command in document.commands:
        for namespace, words in re.findall(r"kubectl --namespace ([a-z][\w-]*) (?:exec --stdin|logs|rollout \w+|scale|get|delete) (\S+(?: [a-z][\w.-]*)?)", command.text):
            resource = words.split()[0] if "/" in words else words.replace(" ", "/")
            if "/" in resource and (namespace, resource) not in world.resources:
                wrong.append(f"{command}: there is no {resource} in namespace {namespace}")
            if namespace not in {place for place, _ in world.resources}:
                wrong.append(f"{command}: there is no namespace {namespace}")
        services = re.findall(r"docker compose cp (?:- )?([\w-]+):/", command.text) + re.findall(r"docker compose exec --no-TTY ([\w-]+)", command.text)
        services += re.findall(r"^save ([\w-]+) /", command.text)
        for words in re.findall(r"docker compose (?:stop|logs|up)(?: --[\w-]+(?: \d+\w*)?)*((?: [a-z][\w-]*)*)", command.text):
            services += words.split()
        for service in services:
            if service not in world.services:
                wrong.append(f"{command}: {service} is no service")
        for runtime in re.findall(r"(?:^|[(|; ])operator ([a-z0-9-]+) (?:tenants|keys|snapshots|records|migrations|audit|status)\b|^backup ([a-z0-9-]+) ", command.text):
            runtime = "".join(runtime)
            if runtime not in runtimes:
                wrong.append(f"{command}: {runtime} is no runtime")
        for slug in re.findall(r" (?:keys|snapshots|tenants) (?:list|create|show|suspend|resume|delete|usage|revoke|restore) ([a-z][a-z0-9-]*)(?=[\s);]|$)", command.text):
            if slug not in {tenant["slug"] for tenant in world.plan["tenants"]} | {world.newcomer} and "=" not in slug and slug != "limit":
                wrong.append(f"{command}: {slug} is no tenant")
    return wrong
