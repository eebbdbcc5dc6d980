#!/bin/sh
# Keeps the certificates of an edge that is nginx: one a name, chain and key in one file, at $STATE/served/NAME.pem,
# where nginx looks at each handshake. A certificate that is new or renewed counts at once; nothing is reloaded.
#
#   certificates.sh run                  a round now, when the list changes and every 12 hours, until SIGTERM
#   certificates.sh renew [OPTION...]    one round; options go to certbot, for example --force-renewal
#   certificates.sh add NAME             a name that the list does not have, from now on
#   certificates.sh remove NAME          its certificate, and the name if it was added
#   certificates.sh health               whether the rounds go on
#
# Nobody gets a certificate for a name before the runtime has said that it is an active tenant's.
set -eu
umask 077

AUTHORITY=${AUTHORITY:-acme}                         # acme: of ACME_DIRECTORY, else Let's Encrypt; internal: of our own
NAMES=${NAMES:-/etc/caisson/certificates/names}      # lines: NAME, URL to ask or -; the name * is every other
STATE=${STATE:-/data}
SCRATCH=${SCRATCH:-/tmp}
PROBE=${PROBE:-/bin/caisson-runtime}                 # `PROBE health --url URL` succeeds when the answer is 2xx
every=43200
again=3600                                           # after a round in which something failed
look=5                                               # whether the list has changed

say() { echo "certificates: $*" >&2; }

plain() {  # plain NAME: it is a host name, and no path, option or pattern
  case $1 in
    '' | .* | -* | *. | *..* | *[!a-z0-9.-]*) return 1 ;;
    *.*) [ "${#1}" -le 253 ] ;;
    *) return 1 ;;
  esac
}

asked_for() {  # asked_for NAME: who says whether it may have a certificate
  awk -v name="$1" '$1 == name { found = $2 } $1 == "*" { other = $2 } END { print found ? found : other }' "$NAMES"
}

allowed() {  # allowed NAME
  url=$(asked_for "$1")
  case $url in
    -) return 0 ;;
    '') say "$1: no runtime knows names that the spec does not have"; return 1 ;;
  esac
  "$PROBE" health --url "$url?domain=$1" || { say "$1: refused, $url does not say that it is an active tenant's"; return 1; }
}

names() {  # every name to keep, each once
  { awk '$1 !~ /^(#.*|\*)?$/ { print $1 }' "$NAMES"; cat "$STATE/added" 2>/dev/null || :; } | sort -u
}

list() {  # as what it is told apart from another
  cksum "$NAMES" 2>/dev/null || :
}

serve() {  # serve NAME CHAIN KEY: both in one file, so that nginx never reads halves of two
  mkdir -p "$STATE/served" &&
    cat "$2" "$3" > "$STATE/served/.$1.new" &&
    mv -f "$STATE/served/.$1.new" "$STATE/served/$1.pem"
}

from_acme() {  # from_acme NAME [OPTION...]
  name=$1
  shift
  mkdir -p "$STATE/webroot" || return 1
  # The key stays the same: a certificate goes with the key that another process has just read.
  certbot certonly --quiet --non-interactive --agree-tos --no-eff-email --email "$ACME_EMAIL" \
    ${ACME_DIRECTORY:+--server "$ACME_DIRECTORY"} --webroot --webroot-path "$STATE/webroot" \
    --preferred-challenges http --key-type ecdsa --reuse-key --cert-name "$name" --domain "$name" \
    --config-dir "$STATE/acme" --work-dir "$SCRATCH/certbot" --logs-dir "$SCRATCH/certbot" \
    --keep-until-expiring "$@" || return 1
  serve "$name" "$STATE/acme/live/$name/fullchain.pem" "$STATE/acme/live/$name/privkey.pem"
}

from_internal() {  # from_internal NAME [--force-renewal]
  own="$STATE/internal"
  if [ "${2:-}" != --force-renewal ] && [ -e "$STATE/served/$1.pem" ] &&
    openssl x509 -checkend 2592000 -noout -in "$STATE/served/$1.pem" >/dev/null; then
    return 0
  fi
  mkdir -p "$own" || return 1
  if [ ! -e "$own/authority.pem" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
      -subj "/CN=Caisson internal authority" -addext keyUsage=critical,keyCertSign,cRLSign \
      -keyout "$own/authority.key" -out "$own/.authority.new" 2>/dev/null &&
      mv -f "$own/.authority.new" "$own/authority.pem" || return 1
  fi
  [ -e "$own/$1.key" ] ||
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out "$own/$1.key" || return 1
  printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:FALSE\n' "$1" > "$own/$1.ext" &&
    openssl req -new -key "$own/$1.key" -subj / -out "$own/$1.csr" &&
    openssl x509 -req -in "$own/$1.csr" -CA "$own/authority.pem" -CAkey "$own/authority.key" -days 90 \
      -extfile "$own/$1.ext" -out "$own/$1.pem" 2>/dev/null &&
    serve "$1" "$own/$1.pem" "$own/$1.key"
}

keep() {  # keep NAME [OPTION...]
  plain "$1" || { say "'$1' is no name that a certificate could be for"; return 1; }
  allowed "$1" || return 1
  before=$(cksum "$STATE/served/$1.pem" 2>/dev/null || :)
  "from_$AUTHORITY" "$@" || { say "$1: no certificate; the next round tries again"; return 1; }
  [ "$before" = "$(cksum "$STATE/served/$1.pem")" ] ||
    say "$1: serves a certificate until $(openssl x509 -enddate -noout -in "$STATE/served/$1.pem" | cut -d= -f2)"
}

round() {  # round [OPTION...]: one name's trouble is not another's
  status=0
  for name in $(names); do
    touch "$STATE/round"
    (keep "$name" "$@") || status=1
  done
  touch "$STATE/round"
  return "$status"
}

case $AUTHORITY in acme | internal) ;; *) say "AUTHORITY is acme or internal, not '$AUTHORITY'"; exit 2 ;; esac
command=${1:-}
[ -z "$command" ] || shift
if [ "$command" = health ]; then
  # A round may take as long as twelve hours of waiting and one of orders.
  [ -n "$(find "$STATE/round" -mmin -840 2>/dev/null)" ]
  exit
fi

# One at a time: certbot refuses a second, and so does whoever reads the list while it changes.
locked() {  # locked FUNCTION [ARG...]
  (
    flock 9
    "$@"
  ) 9> "$STATE/lock"
}

case $command in
  run)
    trap 'exit 0' TERM INT
    while :; do
      pause=$every
      asked=$(list)
      locked round || pause=$again
      while [ "$pause" -gt 0 ] && [ "$(list)" = "$asked" ]; do
        sleep "$look" &
        wait $!
        pause=$((pause - look))
      done
    done
    ;;
  renew) locked round "$@" ;;
  add)
    add() {
      keep "$1" && { grep -qsxF "$1" "$STATE/added" || echo "$1" >> "$STATE/added"; }
    }
    locked add "${1:?which name}"
    ;;
  remove)
    remove() {
      plain "$1" || { say "'$1' is no name that a certificate could be for"; return 1; }
      rm -rf "$STATE/served/$1.pem" "$STATE/internal/$1.key" "$STATE/internal/$1.pem" "$STATE/internal/$1.csr" \
        "$STATE/internal/$1.ext" "$STATE/acme/live/$1" "$STATE/acme/archive/$1" "$STATE/acme/renewal/$1.conf"
      if [ -e "$STATE/added" ]; then
        { grep -vxF "$1" "$STATE/added" || :; } > "$STATE/.added.new"
        mv -f "$STATE/.added.new" "$STATE/added"
      fi
    }
    locked remove "${1:?which name}"
    ;;
  *)
    say "use run, renew, add NAME, remove NAME or health"
    exit 2
    ;;
esac
