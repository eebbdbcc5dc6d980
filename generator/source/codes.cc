#include "generator/source/codes.h"

#include <algorithm>
#include <iterator>

namespace caisson::source {
namespace {

constexpr Code table[] = {
    {"E0001", "the file is not YAML",
     "The YAML parser could not read on from this place. The cause is often on the line before: a "
     "missing "
     "quote, a value that holds ': ' or ' #' without quotes, or indentation that does not line up "
     "with the "
     "keys around it."},
    {"E0002", "tab used for indentation",
     "YAML forbids tabs in indentation because editors disagree on their width. Replace each with "
     "spaces."},
    {"E0003", "the file is not UTF-8",
     "A spec is read as UTF-8 only; guessing another encoding would change names silently. Save "
     "the file as "
     "UTF-8."},
    {"E0004", "control character in the file",
     "NUL and other control characters cannot be seen in an editor and are not allowed in YAML "
     "text. Remove the "
     "character; in a value write it as an escape in double quotes, for example \"\\x1b\"."},
    {"E0005", "the file is empty",
     "There is no document in the file, or only comments. `caisson init` writes a starter spec."},
    {"E0006", "the file is too large",
     "A spec is read whole and is bounded so that a wrong path cannot exhaust memory. Put a large "
     "tenant list "
     "into a CSV or NDJSON file and name it with `tenants: { file: ... }`."},
    {"E0007", "nested too deeply",
     "No part of the language nests that deeply; the bound keeps hostile files from exhausting the "
     "stack."},
    {"E0008", "duplicate key",
     "A map names each key once. YAML leaves open which of two values counts, and tools disagree, "
     "so one of them "
     "has to go."},
    {"E0009", "anchors are not supported",
     "A spec says everything where it stands, so that a reviewer sees what a line means and a "
     "diagnostic can point "
     "at it. Write the value out, or use a tier or an environment to share it."},
    {"E0010", "aliases are not supported",
     "A spec says everything where it stands, so that a reviewer sees what a line means and a "
     "diagnostic can point "
     "at it. Write the value out, or use a tier or an environment to share it."},
    {"E0011", "merge keys are not supported",
     "`<<` left YAML with version 1.2. Write the keys out, or use a tier or an environment to "
     "share them."},
    {"E0012", "tags are not supported",
     "The language decides the type of each value; a tag such as `!!str` or `!custom` has no "
     "meaning in it. Quote a "
     "value to make sure that it is text."},
    {"E0013", "more than one document",
     "A spec is one YAML document. What follows a `---` line in the middle of a file would be "
     "ignored by some tools "
     "and used by others. Use `environments` for variants."},
    {"E0014", "a key must be a plain name",
     "Keys are text on one line. A list, a map or nothing at all cannot be one."},
    {"E0015", "unknown kind of tenant list",
     "A tenant list beside the spec is a .csv or an .ndjson file; the ending of its name decides "
     "how it is read."},
    {"E0016", "the tenant list is not CSV",
     "The first line names the columns (slug, name, tier, owner, domains, status, limits.requests "
     "and so on), every "
     "other line is a tenant with as many cells. Quote a cell that holds a comma, a quote or a "
     "line break, and write a "
     "quote in it twice (RFC 4180). Several domains in a cell are separated by blanks."},
    {"E0017", "a line of the tenant list is not JSON",
     "Every line of an .ndjson list is one JSON object with the keys of a tenant, as it would "
     "stand under 'tenants'."},
    {"E0101", "unknown key",
     "The language has no such key at this place. The message names the nearest key, or the place "
     "where the key belongs. Unknown keys are refused because a misspelt key that is ignored is "
     "found only in production."},
    {"E0102", "wrong kind of value",
     "A map, a list or a single value was expected and another was found. In YAML a list item "
     "starts with '- ', and a map is 'key: value'."},
    {"E0103", "a key without a value",
     "The key is there and nothing follows it. Write the value; for an empty list write [], for an "
     "empty map {}."},
    {"E0104", "a required key is missing",
     "This part of the spec cannot do without the key. `caisson explain <field>` says what it "
     "means."},
    {"E0105", "keys that exclude each other",
     "Two keys say different things about the same matter, and only one can hold. Keep one of "
     "them."},
    {"E0106", "unknown word", "The field takes one of a few words, and this is none of them."},
    {"E0107", "not a boolean",
     "A boolean is true or false, without quotes. Words such as yes, no, on and off mean different "
     "things to different readers of YAML."},
    {"E0108", "not a number in range",
     "The field takes a number between two bounds, without quotes."},
    {"E0110", "invalid name",
     "A name is a DNS label (RFC 1123) of at most 40 characters: lower-case letters, digits and "
     "'-', with a letter or digit at both ends. Names become parts of host names, containers and "
     "directories, and no target may have to change them."},
    {"E0111", "invalid version",
     "A version is three numbers as 1.4.0, with an optional pre-release and build (semver.org)."},
    {"E0112", "invalid domain",
     "A domain is a host name in lower case, without scheme, port or path: acme.example.com."},
    {"E0113", "invalid destination",
     "A destination is host:port, as api.stripe.com:443, and where the field allows it an address "
     "block as 10.0.0.0/8."},
    {"E0114", "invalid address",
     "An address block is an IP address and the length of its prefix, as 10.0.0.0/8 or fd00::/8."},
    {"E0115", "invalid image",
     "An image is registry/repository, an optional tag and an optional digest: "
     "registry.example.com/app@sha256:... with 64 hexadecimal digits."},
    {"E0116", "invalid size",
     "A size is a whole number and a binary unit: 256Mi, 10Gi. Decimal units (256M) are refused, "
     "because half of all readers take them for binary ones."},
    {"E0117", "invalid cpu quantity",
     "Processor time is thousandths of a core, as 250m, or cores, as 2 or 0.5."},
    {"E0118", "invalid duration",
     "A duration is a whole number and a unit: 500ms, 10s, 5m, 2h, 15d."},
    {"E0119", "invalid rate", "A rate is a whole number and a unit of time: 20/s, 600/m, 1000/h."},
    {"E0120", "invalid number of replicas",
     "Replicas are a number of at least 1, or the bounds for autoscaling, as 2..6."},
    {"E0121", "a range that is the wrong way round",
     "A range is written from its lower end to its upper, as 2..6."},
    {"E0122", "invalid environment value",
     "A value is text, a number or a boolean, kept exactly as written, or ${secret:NAME} as the "
     "whole value. A secret inside other text would have to be printed into an artifact."},
    {"E0123", "invalid e-mail address", "An e-mail address is name@domain."},
    {"E0124", "invalid URL",
     "A URL starts with https:// or http:// and holds no password; passwords are secrets."},
    {"E0125", "invalid path",
     "A path of the spec is relative to it and stays in its folder, so that the spec can be moved "
     "and bundled. A path on the target is absolute."},
    {"E0126", "invalid digest", "A digest is the 64 hexadecimal digits that sha256sum prints."},
    {"E0127", "invalid schedule",
     "A schedule is five fields of cron: minute, hour, day of the month, month, day of the week. "
     "\"0 3 * * *\" is every night at three."},
    {"E0128", "invalid date",
     "A date is year, month and day as 2027-01-31, and exists in the calendar."},
    {"E0129", "invalid pointer",
     "A place in a generated file is a JSON pointer (RFC 6901): /services/runtime/image. In a key, "
     "'~' is written ~0 and '/' is written ~1."},
    {"E0130", "invalid name of a variable",
     "An environment variable is letters, digits and '_', and does not start with a digit."},
    {"E0131", "unknown version of the language",
     "The first line of a spec names the language that it is written in. This caisson reads v1."},
    {"E0132", "invalid text", "The field takes one line of text without control characters."},
    {"E0133", "a file beside the spec cannot be read",
     "The spec names a file, relative to itself, that does not exist or cannot be read."},
    {"E0134", "invalid topic",
     "A topic of a queue is the service that owns it and a name, as billing.paid."},
    {"E0140", "a question that no site can be asked",
     "A question has a type, a text and a name that begins with a letter. A word has two or more "
     "choices, a default is an answer of the type, and a secret has none. There are 64 at the "
     "most."},
    {"E0201", "a tenant is declared twice",
     "Every tenant is one entry; its slug is its name in URLs, stores and logs."},
    {"E0202", "a reserved name",
     "The product itself answers at this name, an instance that caisson makes has it, or a target "
     "has something of its own that is called so."},
    {"E0203", "names that become the same",
     "Two names differ in the spec but not in what is derived from them: names are cut at 63 "
     "characters, '_' becomes '-' and case is lost. Two tenants would share a name on some "
     "target."},
    {"E0204", "unknown tier", "The tenant is on a tier that `tiers` does not declare."},
    {"E0205", "unknown secret",
     "The spec uses a secret that `secrets` does not declare. Secrets are declared so that every "
     "target knows where their values come from."},
    {"E0206", "unknown service",
     "`needs` names neither a service of the spec nor database or cache."},
    {"E0207", "a need that nothing meets",
     "A service needs a database or a cache that this deployment does not have. SQLite lives "
     "inside the runtime and cannot be reached from a service, which asks the data API instead. A "
     "server that exists elsewhere is named under the service's egress."},
    {"E0208", "services need each other in a circle",
     "A service starts after what it needs, so a circle could never start."},
    {"E0209", "a port is taken twice", "Two parts of the deployment would listen on one port."},
    {"E0210", "a domain is claimed twice",
     "A request for the domain could not be told to belong to one tenant."},
    {"E0211", "an own domain inside the deployment's",
     "Names below the deployment's domain are those of its tenants and cannot be given to one as "
     "an own domain."},
    {"E0212", "a limit of zero",
     "A limit of zero would allow nothing at all. Leave a limit out to lift it, or suspend the "
     "tenant."},
    {"E0213", "more than one replica on SQLite",
     "SQLite is one file with one writer, and this version of the runtime has no other store. One "
     "replica serves all pooled tenants: give it more with runtime.resources, or give a tenant a "
     "runtime of its own with a tier of isolation deployment."},
    {"E0214", "acme without an e-mail address",
     "The authority writes to this address when a certificate is about to expire or has been "
     "revoked."},
    {"E0215", "acme for a local name",
     "A public authority certifies only public names. For localhost use 'internal'."},
    {"E0216", "egress to the metadata service",
     "Link-local addresses and the metadata names of the clouds hand out the credentials of the "
     "machine. No workload of a tenant may reach them."},
    {"E0217", "a module may do less than its manifest says",
     "The module's manifest asks for a topic or a host that its service may not use. The "
     "deployment decides, so the two must agree."},
    {"E0218", "a limit below the request",
     "Resources are request..limit; what a workload may use cannot be less than what it asks for."},
    {"E0219", "a tenant without a tier",
     "There are several tiers and none is called default, so that the tenant must name one."},
    {"E0220", "tls files are incomplete",
     "The mode 'files' needs both the certificate chain and its private key."},
    {"E0221", "a health path without a port", "The path is asked over HTTP on the service's port."},
    {"E0222", "algorithms that one key cannot serve",
     "HS256 signs and verifies with the same secret. Beside an algorithm with public keys, an "
     "attacker could sign with the public key, which everybody knows."},
    {"E0223", "a secret as a build argument",
     "Build arguments stay in the history of the image, where everybody who can pull it can read "
     "them."},
    {"E0224", "nothing names the tenant",
     "A request that no signal assigns to a tenant is refused, so without signals every request "
     "would be."},
    {"E0225", "a name that a target cannot have",
     "Services of Kubernetes and accounts of a system begin with a letter. Rename it, or switch "
     "the "
     "target off that the message names."},
    {"E0226", "a mount where something else is",
     "A service's volume, its writable paths and its secrets are mounted in its container, each at "
     "a path of its own. None may take the place of the image itself, of /proc, /sys or /dev, or "
     "of "
     "what a container is given besides: /etc/hosts, /etc/hostname, /etc/resolv.conf, and what is "
     "below /run/caisson, /run/credentials and /run/systemd."},
    {"E0227", "a slug like an id",
     "The slug has the form of the ids that the runtime gives to tenants (a UUID). Tokens and "
     "people could take the one for the other. A tenant's slug is a name."},
    {"E0228", "unknown answer",
     "`${answer:NAME}` stands for what a site answers to a question that `answers` declares. A "
     "question of the type secret fills the secret of its name."},
    {"E0229", "nobody has answered",
     "A value depends on what a site answers, and there is neither an answer nor a default. "
     "`caisson bundle create` leaves it to the site; every other command wants --answers FILE with "
     "a line NAME=ANSWER, as caisson-install takes it."},
    {"E0230", "an answer to something else",
     "The file of --answers has an answer that is not of the question's type, or one to a question "
     "that the spec does not ask."},
    {"E0231", "a place that no answer may stand in",
     "What a site answers gets into its configuration alone. The name and the version, targets, "
     "assets, waivers, conformance and the questions themselves are the same at every site, and a "
     "secret stands nowhere but in the secret of its name, which is not generated then."},
    {"E0233", "a directory that units do not see",
     "Units have no access to homes and temporary directories, and /run is empty after a reboot. "
     "Programs, configuration and data of a deployment lie in directories of their own: "
     "`targets.systemd.prefix` and `targets.systemd.data`."},
    {"E0234", "a folder that backups cannot have",
     "`backup.to` is a folder that the deployment makes for its copies and gives to root, with "
     "those of "
     "each runtime below it. It is no folder of the system, none that other programs have theirs "
     "in, "
     "and none in which the deployment keeps its data. A relative one lies in the data folder."},
    {"E0301", "unknown environment",
     "--env names an environment that the spec does not declare under `environments`."},
    {"E0302", "a key that an environment cannot change",
     "The version of the language and the set of environments belong to the whole spec."},
    {"E0303", "a patch of a file that no target writes",
     "A patch that matches nothing does nothing, silently; it is refused instead. Name a file that "
     "`caisson generate` writes."},
    {"E0304", "an expired waiver",
     "The waiver counted until its date. Mend what it excuses, or decide again."},
    {"E0305", "an expired exclusion of a probe",
     "The exclusion counted until its date. Mend what it excuses, or decide again."},
    {"E0306", "a waiver for something that cannot be waived",
     "Errors cannot be waived, and a waiver of a code or of a loss that does not exist would "
     "excuse nothing. What targets do not do exactly is waived by field, for all targets or for "
     "one: `waivers: [{ rule: loss/FIELD, where: TARGET, reason: WHY, until: 2027-01-31 }]`; a "
     "warning by its code, everywhere or at one field: `{ rule: W0201, where: services.web.image, "
     "reason: WHY }`. `until` may be left out."},
    {"E0307", "a patch that does not fit its file",
     "A patch says how many places it changes, one unless `expect` says more, so that it is "
     "noticed when a new version of Caisson writes the file differently. What it leaves has to be "
     "something that the file's reader takes: keys that it knows, and values of their kind, as "
     "Compose, Helm, systemd 252, Prometheus, Alertmanager and Caisson's own programs have them. "
     "The values of the chart are held against its schema. Nothing was written."},
    {"E0308", "a target cannot express what the spec asks for",
     "A value that a target's files cannot hold is an error, and under --strict so is what a "
     "target "
     "only approximates. CI=true means --strict; --no-strict takes that back. Change the spec, "
     "switch the target off, or accept an approximation: `waivers: [{ rule: loss/FIELD, where: "
     "TARGET, reason: WHY }]`, where FIELD may also be what a field is part of, and a waiver "
     "without `where` is for every target. docs/support.md lists the fields."},
    {"E0309", "a store that this version does not have",
     "PostgreSQL and Redis are words of the language that no target can make good yet: the runtime "
     "stores in SQLite alone and shares nothing over a cache, and would refuse to start. A field "
     "that "
     "only such a store has is refused beside every engine: it would have no effect. The spec "
     "can be planned; nothing is generated, started or packed from it, and no waiver "
     "changes that. Write `database: sqlite` and `cache: none`, which replace whatever "
     "a base says of them, or leave both out; an environment "
     "may do so for itself."},
    {"E0310", "data would be looked for in another place",
     "Something that keeps data would be served from another volume, namespace, project or "
     "directory, also by a patch, "
     "than the one that caisson.lock.json says was generated before (`diff`: than the other "
     "revision). "
     "The old place would keep the data, and the new one be empty, or have what a tenant had there "
     "before it moved away. Change it back, or take the "
     "data along and say so with --accept-move; it is asked once. RUNBOOK.md of the target says "
     "under 'Move' how to take tenants along. What another volume keeps is copied from the "
     "old place to the new one while nothing uses it. What leaves the spec is "
     "remembered until it comes back or --accept-move names it. A tenant with domains of its own "
     "that "
     "moves to or from a namespace of its own has to be suspended meanwhile, whatever is accepted: "
     "its Ingress would be refused as long as the old one has the same host. Keep "
     "caisson.lock.json with what was generated: without it nobody knows where data are."},
    {"E0311", "a volume that would shrink",
     "A claim of Kubernetes never gives back what it has, so the chart could never be applied. "
     "Write the size that it has, or keep the data elsewhere: a service of another name, or a "
     "chart "
     "in another namespace, has volumes of its own."},
    {"E0312", "an answer that changes more than the configuration",
     "A bundle is signed as it is, and a site fills answers into files of systemd/config alone: "
     "each "
     "place has to hold the answer itself. Here an answer changes another file, or changes a file "
     "of "
     "the configuration in another way. Units and containers are the same at every site. Write the "
     "value itself, or give each kind of site a bundle of its own with `environments`."},
    {"W0201", "an image is not pinned",
     "A tag can be moved to another image at any time. Only a digest says which image was meant. "
     "An error under --strict when a chart or a bundle is generated."},
    {"W0202", "a secret is never used",
     "The spec declares a secret that nothing refers to. It would be made and mounted for nobody."},
    {"W0203", "keys at a URL",
     "The runtime verifies tokens with keys from a file: it fetches nothing, so that nobody "
     "between "
     "it and the issuer can slip it a key. Whoever deploys puts the issuer's key set where the "
     "target keeps the secret auth-jwks, and again when the issuer's keys change; the runtime "
     "reads "
     "a changed file within a second. Target local makes a key pair of its own."},
    {"W0204", "a setting of the edge that nothing uses",
     "An e-mail address and a directory are for certificates of the mode 'acme', a chain and a key "
     "for 'files', and without a proxy there is no edge to set up. Without a `mode`, what else is "
     "written chooses it: a `ca` alone does not, nor an `email` for a local domain. An error under "
     "--strict. An environment removes what its base says with `~`: "
     "`tls: { mode: internal, email: ~ }`."},
    {"W0205", "a variable that nothing replaces",
     "Caisson knows no variables: a value is what is written, with the dollar sign and the braces. "
     "Write the value, or one for each of `environments`; a secret is `${secret:NAME}` in an "
     "environment of a service or of the runtime, as the whole value, and its own name where a "
     "field "
     "asks for a secret; anywhere else the text stays as it is written. A command is started "
     "without "
     "a shell: `[sh, -c, \"...\"]` starts one, which replaces its own variables. Patches are not "
     "looked at."},
    {"W0206", "mail without a mail server",
     "Alertmanager delivers alerts by mail to port 25 of the address's own domain when the spec "
     "names no server. Most networks let nothing out there, most domains accept nothing from "
     "there, and an alert that does not arrive says nothing. Add `observability.alerts.smtp`."},
    {"W0207", "a waiver that accepts nothing",
     "Neither the base nor an environment has what the waiver accepts: it was mended, the target "
     "is "
     "off, or `where` names another field or target. Left there, it would accept the next one "
     "unread. Remove it. Said only without --env, as a waiver may be for one environment alone; "
     "rules of other checkers are not looked at."},
    {"W0208", "a body that the runtime has no memory for",
     "A request and its answer are kept in memory until both are done, and one tenant may take a "
     "third of what the runtime sets aside for that, a quarter of its memory. A body of more than "
     "a "
     "fortieth of the memory has no place beside anybody else's, or none at all: it is answered "
     "503. An error under --strict. Give `runtime: { resources: { memory: ... } }` a larger limit, "
     "or `body` a smaller one."},
    {"W0209", "a need that nothing waits for",
     "A service starts when what it needs has started and, where that can be asked by its "
     "`health`, "
     "is well. What has neither a `port` nor a `health` cannot be asked, and nobody can call it "
     "either: it can be needed only because it does something first, as a migration does. A "
     "service "
     "is something that stays. Nothing waits until one has ended, Kubernetes starts it again, and "
     "`caisson up` fails. Do what comes first in the command of the service that needs it: "
     "`command: [sh, -c, \"bin/migrate && exec bin/web\"]`. What stays gets a `health`, as "
     "`{ command: [test, -e, /tmp/ready] }`."},
    {"W0210", "a variable of target local that the spec sets itself",
     "All processes of target local share one address, so each service listens at a port of its "
     "own there, which the variable PORT says; NAME_HOST and NAME_PORT say where each service is "
     "that it needs. The spec sets one of them itself, which holds on every target, so that the "
     "process is not told. Leave the variable out and give the command what holds elsewhere as the "
     "fallback of a shell: `\"${PORT:-8080}\"`, `\"${WORD_INDEX_HOST:-word-index}\"`. A command "
     "that does not read the variable may set it: `waivers: [{ rule: W0210, where: "
     "services.web.env.PORT, reason: WHY }]`."},
    {"W0211", "a question that nothing uses",
     "The site would be asked for something that gets nowhere. Write `${answer:NAME}` where the "
     "answer belongs, or leave the question out."},
    {"W0301", "nothing does what the spec asks for",
     "The language has the field, and nothing that is generated or runs keeps what it promises: a "
     "limit that nobody enforces, a port that no route leads to. An error under --strict. Leave it "
     "out, or accept that it has no effect: `waivers: [{ rule: loss/FIELD, where: TARGET, reason: "
     "WHY }]`; docs/support.md says of every field what keeps it."},
    {"W0302", "a build context that is not there",
     "A service is built from a folder beside the spec, and that folder has no such Dockerfile "
     "now. "
     "Nothing else is wrong with what was generated, but building it will fail until it is there."},
    {"W0303", "a volume that grows",
     "Kubernetes grows a claim when its storage class allows it, but the StatefulSet that asked "
     "for it "
     "cannot be changed: `helm upgrade` stops with what has to be done first, as RUNBOOK.md of "
     "the chart says "
     "under 'Grow a volume'. The claim that backups go to grows with `backup.keep` and with the "
     "volume that is copied; with fewer copies it stays as large as it is. The other targets give "
     "volumes no size."},
    {"W0304", "data that nothing uses any more",
     "A tenant or a volume is in the spec no more, or has another name now, or a target is off "
     "that kept them. Nothing that Caisson "
     "generates removes data: they stay where they are, on every target that the warning names. "
     "Whoever brings the name back serves them again. Said once, by `generate` and `diff`; "
     "caisson.lock.json remembers the place until --accept-move names it."},
    {"W0305", "a wall that a patch takes down",
     "A patch of the chart's values turns network policies off, gives pods the network, the "
     "processes, the shared memory or the devices of their node, or puts them on another network; "
     "or a patch of compose.yaml does so with containers: what keeps tenants apart "
     "does not hold for them. Generated all the same, and said again by the notes of the "
     "chart. Take it out of `patches` where it is not needed."},
};

}  // namespace

std::span<const Code> codes() { return table; }

const Code* find_code(std::string_view code) {
  const auto* const found = std::find_if(std::begin(table), std::end(table),
                                         [code](const Code& entry) { return entry.code == code; });
  return found == std::end(table) ? nullptr : found;
}

}  // namespace caisson::source
