"""How tenants move between the shared runtime and a deployment of their own in a cluster, as ingress-nginx's own admission check sees it."""

from accept_checkers import run, tools

SPEC = """caisson: v1
name: acme
version: 1.0.0
domain: acme.example.com
tiers: {{ free: {{ isolation: schema }}, own: {{ isolation: deployment }} }}
targets: {{ compose: false, systemd: false, local: false }}
edge: {{ tls: {{ mode: acme, email: ops@acme.example }} }}
dashboard: {dashboard}
tenants:
"""
OTHERS = 40  # so that some of them share an Ingress with the ones that move


def spec(tenants, dashboard):
    """Tenants by slug: a tier and a status. Each has two domains of its own."""
    lines = [f"  - {{ slug: {slug}, tier: {tier}, status: {status}, domains: [{slug}.example.net, shop.{slug}.example.org] }}\n"
             for slug, (tier, status) in tenants.items()]
    return SPEC.format(dashboard=str(dashboard).lower()) + "".join(lines)


class Release:
    """A generated chart through its revisions, each as Helm renders it."""

    def __init__(self, caisson, work, dashboard):
        self.caisson, self.work, self.dashboard, self.revisions = caisson, work, dashboard, []
        work.mkdir()

    def generate(self, tenants, *more):
        file = self.work / "deployment.yaml"
        file.write_text(spec(tenants, self.dashboard))
        return run(self.caisson, "generate", file, "--no-strict", "--out", self.work / "out", *more, check=False)

    def upgrade(self, tenants, *more):
        done = self.generate(tenants, *more)
        assert done.returncode == 0, done.stderr
        text = run(tools() / "helm", "template", "release", self.work / "out/helm/acme", "--namespace", "acme", "--kube-version", "1.32.0").stdout
        file = self.work / f"revision-{len(self.revisions)}.yaml"
        file.write_text(text)
        self.revisions.append(file)
        return text

    def admitted(self, *revisions):
        return run(tools() / "ingress-overlap", "--upgrades", *(revisions or self.revisions), check=False)


def domains_move(caisson, work):
    """A tenant with domains of its own moves to a namespace of its own and another out of it, at once, as 'Move' of RUNBOOK.md says:
    suspended, moved, and active again. Every Ingress of every step is admitted beside those that stand, and without the steps is not."""
    others = {f"other{n}": ("free" if n % 2 else "own", "active") for n in range(OTHERS)}

    def state(going, coming, status):
        return {"going": (going, status), "coming": (coming, status), **others}

    for dashboard in (False, True):
        release = Release(caisson, work / f"moves-{dashboard}".lower(), dashboard)
        first = release.upgrade(state("free", "own", "active"))
        moves = ("--accept-move", "tenant/going,tenant/coming")
        refused = release.generate(state("own", "free", "active"), *moves)
        assert refused.returncode == 1 and refused.stderr.count("moves to another namespace with domains of its own") == 2, refused.stderr
        suspended = release.upgrade(state("free", "own", "suspended"))
        release.upgrade(state("own", "free", "suspended"), *moves)
        last = release.upgrade(state("own", "free", "active"))
        for slug in ("going", "coming"):
            for host in (f'"{slug}.example.net"', f'"shop.{slug}.example.org"'):
                assert host in first and host in last and f"- host: {host}" not in suspended, host
        done = release.admitted()
        assert done.returncode == 0, done.stdout + done.stderr
        print(f"  moves between namespaces{' beside the dashboard' if dashboard else ''}:", done.stdout.strip())
        direct = release.admitted(release.revisions[0], release.revisions[-1])
        assert direct.returncode == 1 and "coming.example.net" in direct.stdout, f"a move at one go is admitted: {direct.stdout}"
