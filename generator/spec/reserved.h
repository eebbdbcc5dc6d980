#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace caisson::spec {

/// Names that Caisson gives to what it puts into a stack itself, beside those that follow from a
/// tenant's slug ("runtime-<slug>"). No service and no secret of a spec may have them; tests hold
/// the lists against what is planned and what is written for every target.
inline constexpr std::array<std::string_view, 10> own_instances{
    "runtime", "dashboard",  "edge",     "certificates", "database",
    "cache",   "prometheus", "blackbox", "alertmanager", "grafana"};

inline constexpr std::array<std::string_view, 6> own_secrets{
    "operator-token", "auth-jwks",    "edge-certificate",
    "edge-key",       "edge-ca-root", "grafana-admin-password"};

/// What is named after an instance, with this behind it and a '-' between.
struct OwnSuffix {
  std::string_view suffix;
  std::string_view what;    ///< "the listener for data"
  bool of_own = false;      ///< after every instance of Caisson's
  bool of_volumes = false;  ///< after every service that keeps data
};
inline constexpr OwnSuffix pods_suffix{"pods", "the chart's name for the pods", true, true};
inline constexpr OwnSuffix volume_suffix{"volume", "what gives the volume to its user", false,
                                         true};
inline constexpr std::array<OwnSuffix, 6> own_suffixes{
    {pods_suffix,
     volume_suffix,
     {"data", "the listener for data", true},
     {"operator", "the listener of the operator API", true},
     {"metrics", "the listener for metrics", true},
     {"http", "the listener", true}}};

/// Names that mean something else on a target, whoever runs there.
struct TakenName {
  std::string_view name;
  std::string_view what;
};
inline constexpr std::string_view closed_service = "closed";
inline constexpr std::array<TakenName, 4> taken_names{
    {{closed_service, "the chart's Service behind hidden paths"},
     {"default", "an account that every namespace of Kubernetes has"},
     {"kubernetes", "the API server of a cluster"},
     {"localhost", "every container and machine itself"}}};

/// Namespaces that every cluster has: this one, where whatever says nothing goes, and those that
/// begin so, which Kubernetes keeps for itself (kubernetes.io, "Namespaces").
inline constexpr std::string_view default_namespace = "default";
inline constexpr std::string_view namespaces_of_kubernetes = "kube-";
constexpr bool is_of_the_cluster(std::string_view of) {
  return of == default_namespace || of.starts_with(namespaces_of_kubernetes);
}

/// What systemd calls its own targets and slices (systemd.special(7)), units and directories: a
/// deployment on target `systemd` has a target, a slice and a directory below /run of its name, and
/// units that begin with it.
inline constexpr std::string_view own_names_of_systemd[]{
    "basic",       "bluetooth",      "boot-complete",
    "credentials", "cryptsetup",     "ctrl-alt-del",
    "dbus",        "default",        "emergency",
    "exit",        "factory-reset",  "final",
    "getty",       "graphical",      "halt",
    "hibernate",   "hybrid-sleep",   "init",
    "initrd",      "integritysetup", "kexec",
    "local-fs",    "lock",           "log",
    "machine",     "machines",       "mount",
    "multi-user",  "network",        "network-online",
    "network-pre", "nss-lookup",     "nss-user-lookup",
    "paths",       "poweroff",       "printer",
    "private",     "reboot",         "remote-fs",
    "rescue",      "rpcbind",        "shm",
    "shutdown",    "sigpwr",         "sleep",
    "slices",      "smartcard",      "sockets",
    "sound",       "suspend",        "swap",
    "sysinit",     "system",         "system-update",
    "systemd",     "time-set",       "time-sync",
    "timers",      "udev",           "umount",
    "user"};

/// Accounts and groups that distributions have or that widely used programs make. Whoever is in the
/// group of a deployment's name reaches its listeners past the proxy, and the proxy is in it.
inline constexpr std::string_view accounts_of_systems[]{"adm",
                                                        "apache",
                                                        "audio",
                                                        "avahi",
                                                        "backup",
                                                        "bin",
                                                        "bind",
                                                        "caddy",
                                                        "cdrom",
                                                        "chrony",
                                                        "crontab",
                                                        "daemon",
                                                        "dialout",
                                                        "dip",
                                                        "disk",
                                                        "docker",
                                                        "fax",
                                                        "floppy",
                                                        "games",
                                                        "grafana",
                                                        "input",
                                                        "irc",
                                                        "kmem",
                                                        "kvm",
                                                        "libvirt",
                                                        "list",
                                                        "lp",
                                                        "lxd",
                                                        "mail",
                                                        "man",
                                                        "memcached",
                                                        "messagebus",
                                                        "mysql",
                                                        "netdev",
                                                        "news",
                                                        "nginx",
                                                        "nobody",
                                                        "nogroup",
                                                        "operator",
                                                        "plugdev",
                                                        "podman",
                                                        "polkitd",
                                                        "postfix",
                                                        "postgres",
                                                        "prometheus",
                                                        "proxy",
                                                        "rabbitmq",
                                                        "redis",
                                                        "render",
                                                        "root",
                                                        "sasl",
                                                        "shadow",
                                                        "src",
                                                        "ssh",
                                                        "sshd",
                                                        "staff",
                                                        "sudo",
                                                        "sync",
                                                        "sys",
                                                        "ssl-cert",
                                                        "systemd-journal",
                                                        "systemd-network",
                                                        "systemd-resolve",
                                                        "systemd-timesync",
                                                        "tape",
                                                        "tty",
                                                        "users",
                                                        "utmp",
                                                        "uucp",
                                                        "uuidd",
                                                        "video",
                                                        "voice",
                                                        "wheel",
                                                        "www-data"};

/// The variable that tells a service its own port on target local.
inline constexpr std::string_view port_variable = "PORT";

/// How the variables begin that tell a service on target local where another is:
/// "WORD_INDEX" of "word-index", for WORD_INDEX_HOST and WORD_INDEX_PORT.
[[nodiscard]] inline std::string address_variable(std::string_view service) {
  std::string name(service);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

/// Secrets that a tenant with a deployment of its own adds: "operator-token-<slug>".
inline constexpr std::string_view tenant_secret = "operator-token-";

template <class Names>
[[nodiscard]] constexpr bool is_one_of(std::string_view name, const Names& names) {
  return std::ranges::find(names, name) != std::ranges::end(names);
}

}  // namespace caisson::spec
