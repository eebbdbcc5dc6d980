"""A systemd of one's own, for tests: the one of this machine boots as process 1 of new process, mount, network, IPC,
host name and control group namespaces, on this machine's /usr (read-only) with an /etc, /var and /run of its own. Its
network is one loopback interface. CAISSON_SYSTEM=DIR takes /usr and its systemd from the system in DIR (scripts/debian-system)."""

import functools
import os
import pathlib
import re
import shutil
import subprocess
import time

import trial
from trial import expect


run = functools.partial(trial.run, timeout=120)


def wait_for(what, condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"after {seconds} s still not: {what}")
        time.sleep(0.2)


SYSTEM = os.environ.get("CAISSON_SYSTEM", "").rstrip("/")


def program(name):
    """Where a program is in the system that boots."""
    if not SYSTEM:
        return str(pathlib.Path(shutil.which(name)).resolve())
    expect(os.path.lexists(f"{SYSTEM}/usr/bin/{name}"), f"{SYSTEM} has no {name}")
    return f"/usr/bin/{name}"


CONTROLLERS = ["cpu", "cpuacct", "memory", "pids", "devices", "freezer", "blkio"]
BOOT = r"""
set -eu
root=$1
mount --make-rprivate /
mount -t tmpfs -o mode=755 caisson "$root"
cd "$root"
mkdir -p usr etc/systemd/system var/log var/lib var/tmp run tmp proc sys dev root old
chmod 1777 tmp var/tmp
for link in bin sbin lib lib64; do ln -s usr/$link $link; done
mount --rbind "$SYSTEM/usr" usr
mount -o remount,ro,bind usr
for file in nsswitch.conf ld.so.cache ssl alternatives; do cp -a "$SYSTEM/etc/$file" etc/; done
for more in "$SYSTEM"/etc/java*; do [ ! -e "$more" ] || cp -a "$more" etc/; done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n' > etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\n' > etc/group
: > etc/machine-id
# What would reach out of the namespaces, and what this boot has no use for.
for unit in systemd-sysctl systemd-modules-load systemd-udevd systemd-udev-trigger systemd-random-seed systemd-timesyncd \
  systemd-networkd systemd-resolved systemd-logind systemd-update-utmp apparmor modprobe@ kmod-static-nodes; do
  ln -s /dev/null "etc/systemd/system/$unit.service"
done
for unit in sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
  dev-hugepages.mount dev-mqueue.mount proc-sys-fs-binfmt_misc.automount dbus.socket; do
  ln -s /dev/null "etc/systemd/system/$unit"
done
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  for controller in $CONTROLLERS; do
    mkdir sys/fs/cgroup/$controller
    mount -t cgroup -o $controller cgroup sys/fs/cgroup/$controller
  done
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
mkdir dev/shm dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755 tmpfs run
mkdir run/host
mount --rbind "$SHARE" mnt 2>/dev/null || { mkdir mnt; mount --bind "$SHARE" mnt; }
pivot_root . old
umount -l /old
mount --make-rshared /
ip link set lo up
# systemd 256 and newer take control groups of version 1 only when they are told to; older ones do not know the word.
exec env -i container=caisson PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=basic.target --show-status=0 --log-target=journal \
  SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1
"""


class Machine:
    """A booted systemd; `run` runs a command in its namespaces as root, `attack` as a unit's own process would."""

    def __init__(self, work):
        self.work = work
        self.share = work / "share"
        self.share.mkdir()
        self.group = f"caisson-systemd-{os.getpid()}"
        root = work / "boot"
        root.mkdir()
        unified = pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()
        top = pathlib.Path("/sys/fs/cgroup")
        self.groups = [top / self.group] if unified else [top / c / self.group for c in [*CONTROLLERS, "systemd"]]
        for group in self.groups:
            group.mkdir()
        join = "".join(f"echo $$ > {group}/cgroup.procs; " for group in self.groups)
        self.log = open(work / "boot.log", "w")
        self.outer = subprocess.Popen(
            ["bash", "-c", join + 'exec unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child bash -c "$0" boot "$1"',
             BOOT, str(root)],
            env={**os.environ, "CONTROLLERS": " ".join(CONTROLLERS), "SHARE": str(self.share),
                 "SYSTEM": SYSTEM},
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.pid = None
        try:
            wait_for("process 1", self.find_first, 20)
            wait_for("basic.target", lambda: self.run("systemctl", "is-active", "basic.target", check=False).returncode == 0, 60)
        except BaseException:
            print(pathlib.Path(self.log.name).read_text()[-3000:])
            self.stop()
            raise

    def find_first(self):
        children = pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text().split()
        if not children or pathlib.Path(f"/proc/{children[0]}/comm").read_text().strip() != "systemd":
            return False
        self.pid = children[0]
        return True

    def run(self, *command, check=True, **options):
        return run("nsenter", "--target", self.pid, "--all", "--", *command, check=check, **options)

    def show(self, unit, *properties):
        out = self.run("systemctl", "show", unit, *[f"--property={p}" for p in properties]).stdout
        return dict(line.split("=", 1) for line in out.splitlines())

    def main_pid(self, unit):
        return int(self.show(unit, "MainPID")["MainPID"])

    def outer_pid(self, unit):
        """The unit's main process as this machine numbers it."""
        inner = self.main_pid(unit)
        expect(inner > 0, f"{unit} has no process")
        for status in pathlib.Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            spaces = re.search(r"^NSpid:\s+(.*)$", text, re.M).group(1).split()
            if len(spaces) > 1 and inner == int(spaces[1]) and self.is_inside(status.parent.name):
                return int(status.parent.name)
        raise AssertionError(f"{unit}: no process {inner}")

    def is_inside(self, pid):
        try:
            return self.group in pathlib.Path(f"/proc/{pid}/cgroup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False

    def attack(self, unit, script):
        """Runs a script with the user, namespaces and view of the unit's process, but without its system call filter."""
        pid = self.outer_pid(unit)
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        uid = re.search(r"^Uid:\s+(\d+)", status, re.M).group(1)
        gid = re.search(r"^Gid:\s+(\d+)", status, re.M).group(1)
        # From outside its user namespace: there nobody could become somebody else.
        return run("nsenter", "--target", pid, "--mount", "--net", "--ipc", "--uts", "--pid", "--",
                   "setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs", "--bounding-set=-all",
                   "python3", "-c", script, check=False)

    def stop(self):
        self.outer.kill()
        self.outer.wait()
        if self.pid:
            wait_for("the end of process 1", lambda: not pathlib.Path(f"/proc/{self.pid}").exists(), 20)
        self.log.close()
        for group in self.groups:
            for directory, _, _ in os.walk(group, topdown=False):
                for _ in range(50):
                    try:
                        os.rmdir(directory)
                        break
                    except OSError:
                        time.sleep(0.1)
