#!/bin/sh
# Makes the secrets of this project that are not here yet. Safe to run again: a file that exists is never touched.
set -eu
cd "$(dirname "$0")"
umask 077
chmod 700 .
missing=''
newline='
'
[ -e ../.env ] || : > ../.env

# The directory of the spec: from the caller, from ../.env or where Caisson generated this; as Compose sees it, from the project's directory.
: "${SOURCE_DIR:=$(sed -n "s/^SOURCE_DIR=[\"']\{0,1\}\([^\"']*\).*/\1/p" ../.env | tail -n 1)}"
case ${SOURCE_DIR:=../..} in /*) ;; *) SOURCE_DIR=../$SOURCE_DIR ;; esac

# The containers read the files as members of this group, and nobody else does. Root can give them the containers' own.
if [ "$(id -u)" -eq 0 ]; then group=10001; else group=$(id -g); fi

# put NAME: what is on standard input becomes the secret, whole or not at all.
put() {
  cat > ".$1.new"
  chgrp "$group" ".$1.new"
  chmod 440 ".$1.new"
  mv ".$1.new" "$1"
}

random() {  # random NAME BYTES
  [ -e "$1" ] && return 0
  head -c "$2" /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_' | put "$1"
}

copy() {  # copy NAME PATH
  [ -e "$1" ] && return 0
  case $2 in /*) from=$2 ;; *) from=$SOURCE_DIR/$2 ;; esac
  if [ -r "$from" ]; then put "$1" < "$from"; else missing="$missing
  $1: no file $from (SOURCE_DIR is the directory of the spec, absolute or seen from that of compose.yaml)"; fi
}

variable() {  # variable NAME VARIABLE
  [ -e "$1" ] && return 0
  eval "value=\${$2:-}"
  # shellcheck disable=SC2154
  if [ -n "$value" ]; then printf '%s' "$value" | put "$1"; else missing="$missing
  $1: the variable $2 is not set"; fi
}

given() {  # given NAME REFERENCE
  [ -e "$1" ] && return 0
  missing="$missing
  $1: put it here yourself, from $2"
}

# environment NAME VARIABLE: ../.env says the secret's value, quoted so that Compose takes every character as it is.
environment() {
  [ -e "$1" ] || return 0
  value=$(cat "$1"; echo .)
  value=${value%.}
  case $value in
    *\'* | *"$newline"* | *\\)
      quoted=$(printf '%s.' "$value" | awk '{ gsub(/[\\"$]/, "\\\\&"); printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }')
      quoted=\"${quoted%.}\" ;;
    *) quoted=\'$value\' ;;
  esac
  { grep -v "^$2=" ../.env || true; printf '%s=%s\n' "$2" "$quoted"; } > ../.env.new
  mv ../.env.new ../.env
}

# keep NAME VARIABLE: a value that somebody wrote into ../.env is not replaced by another.
keep() {
  [ -e "$1" ] && return 0
  grep -qs "^$2=." ../.env || return 0
  echo "../.env has a value for $2, and secrets/$1 is not there: put the value into that file to keep it, or take the line out to have another one made" >&2
  exit 1
}

random operator-token 32
random operator-token-umbrella 32
random grafana-admin-password 32

if [ "$group" -ne 10001 ] && ! grep -qs '^SECRETS_GROUP=' ../.env; then
  echo "SECRETS_GROUP=$group" >> ../.env
fi

if [ -n "$missing" ]; then
  printf 'secrets that are still missing:%s\n' "$missing" >&2
  exit 1
fi
