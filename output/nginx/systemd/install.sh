#!/bin/sh
# Installs bakery 1.0.0 on this host, or brings it up to date. Safe to run again: secrets that exist are kept.
#   sudo ./install.sh DIRECTORY [--restart]     of the programs: caisson-runtime, caddy
# With --restart, units that run and started with other files than are there now are restarted, and the rest is started.
set -eu

[ "$(id -u)" -eq 0 ] || { echo 'install: run as root' >&2; exit 1; }
usage() { echo 'usage: install.sh DIRECTORY-OF-PROGRAMS [--restart]' >&2; exit 2; }
[ $# -ge 1 ] || usage
programs=$(cd "$1" && pwd)
shift
restart=no
while [ $# -gt 0 ]; do
  case $1 in
    --restart) restart=yes ;;
    *) usage ;;
  esac
  shift
done
cd "$(dirname "$0")"
umask 022
prefix='/opt/bakery'
secrets=$prefix/secrets
list=$prefix/etc/units
started=$prefix/etc/started
missing=''
changed=''

# accounts FILE: the accounts and groups that it makes, one a line.
accounts() { sed -n 's/^[ug]!\{0,1\}[[:blank:]]\{1,\}\([^[:blank:]]*\).*/\1/p' "$1" | sort -u; }

# Whoever has an account of another deployment reads what is that one's.
for other in /etc/sysusers.d/*.conf; do
  if [ ! -e "$other" ] || [ "$other" = /etc/sysusers.d/bakery.conf ]; then continue; fi
  shared=$({ accounts sysusers.d/bakery.conf; accounts "$other"; } | sort | uniq -d | tr '\n' ' ')
  [ -z "$shared" ] || { echo "install: $other has accounts of the same names: $shared; give this deployment others with targets.systemd.user" >&2; exit 1; }
done

# Nor is anything taken of this host that has one of these names and is not this deployment's. A unit says so in its description;
# an account, whose description may be its own choice, has the home that is declared, too, and no shell.
for unit in system/*; do
  there=$(systemctl show --property FragmentPath --value "${unit#system/}" 2> /dev/null) || continue
  if [ -z "$there" ] || [ ! -e "$there" ] || grep -q '^Description=bakery[: ]' "$there"; then continue; fi
  echo "install: this host has another ${unit#system/}: $there; remove it, or give this deployment another name" >&2
  exit 1
done
declared=/etc/sysusers.d/bakery.conf
for account in $(accounts sysusers.d/bakery.conf); do
  if [ -e "$declared" ] && accounts "$declared" | grep -Fqx "$account"; then continue; fi
  own=$(sed -n "s/^u!\{0,1\} $account - \"\(.*\)\" /\1:/p" sysusers.d/bakery.conf | sed 's,:-$,:/,')
  case $(getent passwd "$account" | cut -d : -f 5-) in
    '') ;;
    "${own:-no}:"*/nologin | "${own:-no}:"*/false) ;;    # this deployment was removed here, and accounts stay
    *) echo "install: this host has another account $account; give this deployment others with targets.systemd.user" >&2; exit 1 ;;
  esac
  group=$(getent group "$account" | cut -d : -f 3)
  members=$({ getent group "$account" | cut -d : -f 4; getent passwd | cut -d : -f 1,4 | sed -n "s/:$group\$//p" | grep -Fvx -e "$account"; } |
    grep . | paste -s -d , -)
  [ -z "$members" ] || { echo "install: this host has a group $account already, with the members $members; remove them, or give this deployment other groups with targets.systemd.user" >&2; exit 1; }
done

# Whatever a unit keeps changes its owner with its account: nothing may run meanwhile.
account() { sed -n 's/^User=//p' "$1"; }
moved=''
for unit in system/*.service; do
  old=/etc/systemd/system/${unit#system/}
  if [ -e "$old" ] && [ "$(account "$old")" != "$(account "$unit")" ]; then moved="$moved ${unit#system/}"; fi
done
if [ -n "$moved" ]; then
  [ "$restart" = yes ] || { echo "install: these run as another account from now on, which needs --restart:$moved" >&2; exit 1; }
fi

install -d -m 0755 "$prefix" "$prefix/bin" "$prefix/etc" "$prefix/etc/tenants"
install -d -m 0700 "$secrets" "$started"    # hashes of secrets are nobody's either

for program in caisson-runtime caddy; do
  [ -x "$programs/$program" ] || { echo "install: no program $programs/$program" >&2; exit 1; }
  # By rename: a program that runs cannot be written to.
  install -m 0755 "$programs/$program" "$prefix/bin/.$program.new"
  mv "$prefix/bin/.$program.new" "$prefix/bin/$program"
done

install -D -m 0644 -t /etc/sysusers.d sysusers.d/bakery.conf
install -D -m 0644 -t /etc/tmpfiles.d tmpfiles.d/bakery.conf
install -D -m 0644 -t /etc/systemd journald@bakery.conf
systemd-sysusers bakery.conf
[ -z "$moved" ] || systemctl stop bakery.target
systemd-tmpfiles --create bakery.conf

# configure MODE GROUP FILE: by rename, for a runtime reads its tenants file again while it serves.
configure() {
  install -m "$1" -o root -g "$2" "config/$3" "$prefix/etc/$3.new"
  mv "$prefix/etc/$3.new" "$prefix/etc/$3"
}

# A configuration names tenants: whose it is may read it, nobody else.
configure 0640 bakery-runtime runtime.json
install -d -m 0750 -o root -g bakery-runtime "$prefix/etc/tenants/runtime"
configure 0640 bakery-runtime tenants/runtime/tenants.ndjson
configure 0640 bakery-runtime-oat runtime-oat.json
install -d -m 0750 -o root -g bakery-runtime-oat "$prefix/etc/tenants/runtime-oat"
configure 0640 bakery-runtime-oat tenants/runtime-oat/tenants.ndjson
configure 0644 root dashboard.json
configure 0640 bakery-edge Caddyfile

# put NAME: what is on standard input becomes the secret, whole or not at all.
put() {
  (umask 077 && cat > "$secrets/.$1.new")
  mv "$secrets/.$1.new" "$secrets/$1"
}

[ -e "$secrets/operator-token" ] || head -c 32 /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_' | put operator-token
[ -e "$secrets/operator-token-oat" ] || head -c 32 /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_' | put operator-token-oat

# Units of an earlier version that this one has not.
if [ -e "$list" ]; then
  while read -r unit; do
    [ -e "system/$unit" ] && continue
    systemctl disable --now "$unit" >/dev/null 2>&1 || true
    rm -f "/etc/systemd/system/$unit" "/etc/systemd/system/$unit.d/image.conf" "$started/$unit" "$started/$unit.new"
  done < "$list"
fi
install -m 0644 -t /etc/systemd/system system/*
(cd system && ls) > "$list"
systemctl daemon-reload

if [ -n "$missing" ]; then
  printf 'secrets that are still missing:%s\n' "$missing" >&2
  exit 1
fi

# look UNIT PATH...: of all that it reads when it starts, whether it is what a unit that runs has started with.
look() {
  unit=$1
  shift
  find -H "/etc/systemd/system/$unit" "$@" \( -type f -exec sha256sum {} + \) -o \( -type l -printf '%l  %p\n' \) | sort > "$started/$unit.new"
  if ! systemctl is-active --quiet "$unit"; then mv "$started/$unit.new" "$started/$unit"
  elif ! cmp -s "$started/$unit.new" "$started/$unit"; then changed="$changed $unit"; fi
}

look bakery-runtime-data.socket
look bakery-runtime-operator.socket
look bakery-runtime-metrics.socket
look bakery-runtime-oat-data.socket
look bakery-runtime-oat-operator.socket
look bakery-runtime-oat-metrics.socket
look bakery-dashboard-http.socket
look bakery-runtime.service /opt/bakery/bin/caisson-runtime /opt/bakery/etc/runtime.json /opt/bakery/secrets/operator-token
look bakery-runtime-oat.service /opt/bakery/bin/caisson-runtime /opt/bakery/etc/runtime-oat.json /opt/bakery/secrets/operator-token-oat
look bakery-dashboard.service /opt/bakery/bin/caisson-runtime /opt/bakery/etc/dashboard.json
look bakery-edge.service /opt/bakery/bin/caddy /opt/bakery/etc/Caddyfile

if [ "$restart" = yes ]; then
  # shellcheck disable=SC2086
  [ -z "$changed" ] || systemctl restart $changed
  for unit in $changed; do mv "$started/$unit.new" "$started/$unit"; done
  systemctl start bakery.target
  echo "installed, and restarted:${changed:- nothing}"
elif [ -n "$changed" ]; then
  echo "installed; once you restart them, with --restart:$changed"
else
  echo 'installed; start with: systemctl enable --now bakery.target'
fi
