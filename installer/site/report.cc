#include "installer/site/report.h"

#include <utility>
#include <vector>

#include "base/hex.h"
#include "base/json_text.h"
#include "installer/trust/key_packet.h"

namespace caisson::installer {
namespace {

std::vector<std::string> unchecked(const Evidence& evidence) {
  std::vector<std::string> list;
  if (!evidence.isolation.probed) {
    list.push_back("isolation was not probed: " + evidence.isolation.remark);
  }
  list.emplace_back("the clock of this host: nothing depends on it");
  list.emplace_back("what the release's programs do beyond their health checks");
  return list;
}

}  // namespace

Checked<void> write_report(const Premises& premises, const StagedRelease& release,
                           const Evidence& evidence) {
  const auto& manifest = release.manifest;
  const auto& root = evidence.bundle.root();
  const std::vector<std::pair<std::string_view, std::string>> facts{
      {"product", manifest.envelope.product},
      {"version", to_text(manifest.version)},
      {"release", release.name},
      {"manifest", hex(evidence.bundle.digest())},
      {"installed", hex(evidence.installed.digest)},
      {"root-version", std::to_string(root.root().version)},
      {"root", hex(root.digest())},
      {"key", key_id(evidence.bundle.key())},
      {"medium", evidence.bundle.medium().shown()},
      {"bytes-read-off-medium", std::to_string(evidence.totals.read)},
      {"chunks-decoded", std::to_string(evidence.totals.chunks)},
      {"other-files-hashed", std::to_string(evidence.totals.others)},
      {"files-hashed-on-disk", std::to_string(evidence.installed.files)},
      {"bytes-hashed-on-disk", std::to_string(evidence.installed.bytes)},
      {"isolation", evidence.isolation.probed ? "probed: " + evidence.isolation.remark
                                              : "not probed: " + evidence.isolation.remark}};
  std::string text;
  std::string json = "{";
  for (const auto& [name, value] : facts) {
    text.append(name).append(24 - name.size(), ' ').append(value).append("\n");
    json.append(json_string(name)).append(":").append(json_string(value)).append(",");
  }
  json += R"("not-checked":[)";
  text += "\nnot checked\n";
  bool first = true;
  for (const auto& line : unchecked(evidence)) {
    text += "  " + line + "\n";
    json += (std::exchange(first, false) ? "" : ",") + json_string(line);
  }
  auto& site = premises.disks.site;
  const auto directory = release_path(release.name);
  if (auto done = replace_file(site, directory + "/install-report.txt", text, 0644); !done) {
    return done;
  }
  return replace_file(site, directory + "/install-report.json", json + "]}\n", 0644);
}

}  // namespace caisson::installer
