#!/bin/sh
# Installs bakery 1.0.0 on this host, or brings it up to date. Safe to run again: secrets that exist are kept.
#   sudo ./install.sh DIRECTORY     of the programs: caisson-runtime, caddy
set -eu

[ "$(id -u)" -eq 0 ] || { echo 'install: run as root' >&2; exit 1; }
[ $# -eq 1 ] || { echo 'usage: install.sh DIRECTORY-OF-PROGRAMS' >&2; exit 2; }
programs=$(cd "$1" && pwd)
cd "$(dirname "$0")"
umask 022
prefix='/opt/bakery'
secrets=$prefix/secrets
list=$prefix/etc/units
missing=''

install -d -m 0755 "$prefix" "$prefix/bin" "$prefix/etc"
install -d -m 0700 "$secrets"

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
systemd-tmpfiles --create bakery.conf

# A configuration names tenants: whose it is may read it, nobody else.
install -m 0640 -o root -g bakery-runtime config/runtime.json "$prefix/etc/runtime.json"
install -m 0640 -o root -g bakery-runtime-oat config/runtime-oat.json "$prefix/etc/runtime-oat.json"
install -m 0644 -o root -g root config/dashboard.json "$prefix/etc/dashboard.json"
install -m 0640 -o root -g bakery-edge config/Caddyfile "$prefix/etc/Caddyfile"

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
    rm -f "/etc/systemd/system/$unit"
  done < "$list"
fi
install -m 0644 -t /etc/systemd/system system/*
(cd system && ls) > "$list"
systemctl daemon-reload

if [ -n "$missing" ]; then
  printf 'secrets that are still missing:%s\n' "$missing" >&2
  exit 1
fi
echo 'installed; start with: systemctl enable --now bakery.target'
