#include "generator/spec/foreign_words.h"

#include <algorithm>
#include <array>

namespace caisson::spec {
namespace {

/// What people write who know Compose or Kubernetes, and what says it here: a key that stands at
/// the same place, or none.
struct ForeignWord {
  std::string_view word;
  std::string_view key;
  std::string_view remedy;
};
constexpr std::array<ForeignWord, 111> foreign_words{{
    {"environment", "env", "it is called 'env' here"},
    {"env_file", "env", "write the variables under 'env'"},
    {"depends_on", "needs", "it is called 'needs' here, a list of services"},
    {"links", "needs", "it is called 'needs' here, a list of services"},
    {"volumes", "storage", "'storage: { path, size }' is a volume, 'writable' lists scratch paths"},
    {"tmpfs", "writable", "it is called 'writable' here, a list of paths"},
    {"shm_size", "writable", "write 'writable: [{ path: /dev/shm, size: 256Mi }]'"},
    {"ulimits", "limits", "write 'limits: { files: 65536 }', or 'processes'"},
    {"pids_limit", "limits", "write 'limits: { processes: 4096 }'"},
    {"mem_limit", "resources", "it is 'memory' of 'resources' here, as 64Mi..2Gi or 2Gi"},
    {"cpus", "resources", "it is 'cpu' of 'resources' here, as 100m..2 or 500m"},
    {"healthcheck", "health", "it is called 'health' here: { path } or { command: [...] }"},
    {"livenessProbe", "health", "it is called 'health' here: { path } or { command: [...] }"},
    {"readinessProbe", "health", "it is called 'health' here: { path } or { command: [...] }"},
    {"entrypoint", "command",
     "leave it out: 'command' follows the entry point that the image has; set that in its "
     "Dockerfile"},
    {"args", "command", "they are the 'command' here"},
    {"ports", "port", "a service has one 'port'; nothing is published but the edge"},
    {"expose", "port", "a service has one 'port'"},
    {"deploy", "replicas", "'replicas' and 'resources' stand beside it here"},
    {"scale", "replicas", "it is called 'replicas' here"},
    {"minReplicas", "replicas", "write both bounds as 'replicas: 2..4'"},
    {"maxReplicas", "replicas", "write both bounds as 'replicas: 2..4'"},
    {"schedule", "replicas", "leave it out: a service always runs, nothing starts it by the clock"},
    {"restart", "health",
     "leave it out: systemd, Kubernetes and a bundle always start what ended again; "
     "'docker compose' five times, and after a reboot you do, as its RUNBOOK says"},
    {"networks", "needs",
     "leave it out: services reach each other, 'egress' names what is outside"},
    {"container_name", "image", "leave it out: the name follows from the service's"},
    {"privileged", "user", "leave it out: no service is privileged"},
    {"gpus", "cpu", "leave it out: no target gives devices to a service"},
    {"requests", "cpu", "write 'cpu: 100m..500m': what is asked for, '..', what may be used"},
    {"limits", "cpu", "write 'cpu: 100m..500m': what is asked for, '..', what may be used"},
    {"reservations", "cpu", "write 'cpu: 100m..500m': what is asked for, '..', what may be used"},
    {"containerPort", "port", "it is called 'port' here"},
    {"hostPort", "port", "a service has one 'port'; nothing is published but the edge"},
    {"startupProbe", "health", "it is called 'health' here: { path } or { command: [...] }"},
    {"envFrom", "env", "write the variables under 'env'"},
    {"volumeMounts", "storage",
     "'storage: { path, size }' is a volume, 'writable' lists scratch paths"},
    {"securityContext", "user", "'user' is who it runs as; all else is as narrow as it goes"},
    {"cap_add", "user", "leave it out: no service has capabilities"},
    {"capabilities", "user", "leave it out: no service has capabilities"},
    {"imagePullPolicy", "image", "leave it out: an image with a digest is pulled once"},
    {"pull_policy", "image", "leave it out: an image with a digest is pulled once"},
    {"initContainers", "needs", "write it as a service of its own"},
    {"sidecars", "needs", "write it as a service of its own"},
    {"nodeSelector", "replicas", "it is a word of the site: 'pods' of the chart's values"},
    {"tolerations", "replicas", "it is a word of the site: 'pods' of the chart's values"},
    {"affinity", "replicas", "it is a word of the site: 'pods' of the chart's values"},
    {"stop_grace_period", "image", "leave it out: a service that is asked to stop has 10 s to end"},
    {"stop_signal", "image", "leave it out: SIGTERM asks a service to stop"},
    {"working_dir", "image",
     "leave it out: it starts where the image's WORKDIR is; set that in its Dockerfile"},
    {"workingDir", "image",
     "leave it out: it starts where the image's WORKDIR is; set that in its Dockerfile"},
    {"hostname", "image", "leave it out: others reach a service by its name here"},
    {"domainname", "image", "leave it out: others reach a service by its name here"},
    {"init", "image", "leave it out: an image whose program starts others brings its own, as tini"},
    {"labels", "image",
     "leave it out: labels are Caisson's; a chart's values and 'patches' add some"},
    {"annotations", "image",
     "leave it out: a chart's values add annotations to pods, 'patches' to anything"},
    {"label_file", "image",
     "leave it out: labels are Caisson's; a chart's values and 'patches' add some"},
    {"network_mode", "image",
     "leave it out: 'needs' and 'egress' say whom a service reaches, on networks of its own"},
    {"mac_address", "image", "leave it out: what runs the container gives it addresses"},
    {"read_only", "image", "leave it out: the root is read-only, 'storage' and 'writable' are not"},
    {"logging", "image",
     "leave it out: standard output is kept as 'observability: { logs: { rotate } }' says"},
    {"platform", "image",
     "leave it out: the image says it; a release is for the processor of 'targets.bundle.arch'"},
    {"profiles", "image",
     "leave it out: a place without the service has 'environments: { PLACE: { services: { NAME: "
     "null } } }'"},
    {"sysctls", "image", "leave it out: a service may listen at every port; else the host decides"},
    {"security_opt", "image",
     "leave it out: no service gains privileges, and what it may call is filtered"},
    {"cap_drop", "image", "leave it out: every capability is dropped"},
    {"devices", "image", "leave it out: no target gives devices to a service"},
    {"device_cgroup_rules", "image", "leave it out: no target gives devices to a service"},
    {"gpus", "image", "leave it out: no target gives devices to a service"},
    {"dns", "image", "leave it out: 'network: { dns: [10.0.0.53] }' names resolvers for all"},
    {"dns_opt", "image", "leave it out: 'network: { dns: [10.0.0.53] }' names resolvers for all"},
    {"dns_search", "image", "leave it out: write names of hosts in full, as in 'egress'"},
    {"extra_hosts", "image",
     "leave it out: 'egress' takes addresses, as 10.0.0.5:443; the program names them so"},
    {"external_links", "image", "leave it out: what is outside is named in 'egress'"},
    {"group_add", "image", "leave it out: the group is the one with the number of 'user'"},
    {"ipc", "image", "leave it out: every service has it for itself"},
    {"pid", "image", "leave it out: every service has its processes for itself"},
    {"uts", "image", "leave it out: every service has it for itself"},
    {"userns_mode", "image", "leave it out: no service shares the host's users"},
    {"cgroup", "image", "leave it out: every service has it for itself"},
    {"cgroup_parent", "image", "leave it out: 'resources' and 'limits' bound every service"},
    {"isolation", "image", "leave it out: services are programs of Linux"},
    {"credential_spec", "image", "leave it out: services are programs of Linux"},
    {"runtime", "port", "leave it out: what runs containers at the site runs this one"},
    {"mem_reservation", "resources", "it is 'memory' of 'resources' here, as 64Mi..2Gi"},
    {"memswap_limit", "resources", "leave it out: 'memory' of 'resources' is the bound"},
    {"mem_swappiness", "resources", "leave it out: 'memory' of 'resources' is the bound"},
    {"oom_kill_disable", "resources", "leave it out: 'memory' of 'resources' is the bound"},
    {"oom_score_adj", "resources", "leave it out: 'memory' of 'resources' is the bound"},
    {"cpu_count", "resources", "it is 'cpu' of 'resources' here, as 100m..2 or 500m"},
    {"cpu_percent", "resources", "it is 'cpu' of 'resources' here, as 100m..2 or 500m"},
    {"cpu_period", "resources", "it is 'cpu' of 'resources' here, as 100m..2 or 500m"},
    {"cpu_quota", "resources", "it is 'cpu' of 'resources' here, as 100m..2 or 500m"},
    {"cpu_rt_period", "resources", "leave it out: no service runs in real time"},
    {"cpu_rt_runtime", "resources", "leave it out: no service runs in real time"},
    {"cpu_shares", "resources", "it is 'cpu' of 'resources' here, as 100m..2 or 500m"},
    {"cpuset", "resources", "it is 'cpu' of 'resources' here, as 100m..2 or 500m"},
    {"blkio_config", "resources", "leave it out: no target bounds how fast a disk is used"},
    {"storage_opt", "storage", "leave it out: 'size' of 'storage' and of 'writable' is the bound"},
    {"volumes_from", "storage",
     "leave it out: a volume is one service's; others ask that service for what is in it"},
    {"configs", "secrets", "put the file into the image, or declare it as one of 'secrets'"},
    {"develop", "local", "leave it out: 'local: { command: [...] }' runs it from its sources"},
    {"extends", "image", "leave it out: write out what it has; 'environments' lie over a spec"},
    {"post_start", "command",
     "leave it out: nothing else runs in it; a script that the image starts can do both"},
    {"pre_stop", "command", "leave it out: the program does it when SIGTERM asks it to stop"},
    {"stdin_open", "image", "leave it out: no service has a terminal"},
    {"tty", "image", "leave it out: no service has a terminal"},
    {"attach", "image", "leave it out: logs are read as the RUNBOOK says"},
    // Beside `services`.
    {"volumes", "services", "leave it out: a volume is the 'storage' of its service"},
    {"networks", "services", "leave it out: 'needs' and 'egress' of services say who reaches whom"},
    {"configs", "services", "put the files into images, or declare them as 'secrets'"},
    {"include", "services", "leave it out: a spec is one file, over which 'environments' lie"},
}};

}  // namespace

std::string_view foreign_remedy(std::string_view word, std::span<const std::string_view> known) {
  for (const auto& foreign : foreign_words) {
    if (foreign.word == word && std::ranges::find(known, foreign.key) != known.end()) {
      return foreign.remedy;
    }
  }
  return {};
}

}  // namespace caisson::spec
