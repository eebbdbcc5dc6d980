#!/bin/sh
# Installs {{{name}}} {{{version}}} on this host, or brings it up to date. Safe to run again: secrets that exist are kept.
#   sudo ./install.sh DIRECTORY     of the programs: caisson-runtime{{#edge}}, caddy{{/edge}}
set -eu

[ "$(id -u)" -eq 0 ] || { echo 'install: run as root' >&2; exit 1; }
[ $# -eq 1 ] || { echo 'usage: install.sh DIRECTORY-OF-PROGRAMS' >&2; exit 2; }
programs=$(cd "$1" && pwd)
cd "$(dirname "$0")"
umask 022
prefix={{{prefix-word}}}
secrets=$prefix/secrets
list=$prefix/etc/units
missing=''

install -d -m 0755 "$prefix" "$prefix/bin" "$prefix/etc"
install -d -m 0700 "$secrets"
{{#services}}
install -d -m 0755 {{{directory}}}
{{/services}}

for program in caisson-runtime{{#edge}} caddy{{/edge}}; do
  [ -x "$programs/$program" ] || { echo "install: no program $programs/$program" >&2; exit 1; }
  # By rename: a program that runs cannot be written to.
  install -m 0755 "$programs/$program" "$prefix/bin/.$program.new"
  mv "$prefix/bin/.$program.new" "$prefix/bin/$program"
done

install -D -m 0644 -t /etc/sysusers.d sysusers.d/{{{name}}}.conf
install -D -m 0644 -t /etc/tmpfiles.d tmpfiles.d/{{{name}}}.conf
install -D -m 0644 -t /etc/systemd journald@{{{name}}}.conf
systemd-sysusers {{{name}}}.conf
systemd-tmpfiles --create {{{name}}}.conf

# A configuration names tenants: whose it is may read it, nobody else.
{{#configurations}}
install -m {{{mode}}} -o root -g {{{group}}} config/{{{file}}} "$prefix/etc/{{{file}}}"
{{/configurations}}

# put NAME: what is on standard input becomes the secret, whole or not at all.
put() {
  (umask 077 && cat > "$secrets/.$1.new")
  mv "$secrets/.$1.new" "$secrets/$1"
}

{{#generated}}
[ -e "$secrets/{{{secret}}}" ] || head -c {{{bytes}}} /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_' | put {{{secret}}}
{{/generated}}
{{#has-copied}}

copy() {  # copy NAME PATH
  [ -e "$secrets/$1" ] && return 0
  case $2 in /*) from=$2 ;; *) from=${SOURCE_DIR:-.}/$2 ;; esac
  if [ -r "$from" ]; then put "$1" < "$from"; else missing="$missing
  $1: no file $from (SOURCE_DIR is the directory of the spec)"; fi
}
{{/has-copied}}
{{#copied}}
copy {{{secret}}} {{{reference-word}}}
{{/copied}}
{{#has-from-env}}

variable() {  # variable NAME VARIABLE
  [ -e "$secrets/$1" ] && return 0
  eval "value=\${$2:-}"
  # shellcheck disable=SC2154
  if [ -n "$value" ]; then printf '%s' "$value" | put "$1"; else missing="$missing
  $1: the variable $2 is not set"; fi
}
{{/has-from-env}}
{{#from-env}}
variable {{{secret}}} {{{reference-word}}}
{{/from-env}}
{{#has-given}}

given() {  # given NAME REFERENCE
  [ -e "$secrets/$1" ] && return 0
  missing="$missing
  $1: put it at $secrets/$1 yourself, from $2"
}
{{/has-given}}
{{#given}}
given {{{secret}}} {{{reference-word}}}
{{/given}}

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
echo 'installed; start with: systemctl enable --now {{{target}}}'
