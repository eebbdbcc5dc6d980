#include "installer/command/doctor_command.h"

#include <algorithm>

#include "base/json_text.h"
#include "installer/command/open_site.h"
#include "installer/host/system_host.h"
#include "installer/site/doctor.h"

namespace caisson::installer {
namespace {

std::string json_of(const std::vector<Finding>& findings, bool well) {
  std::string json =
      std::string(R"({"result":)") + (well ? R"("ok")" : R"("failed")") + R"(,"findings":[)";
  for (const auto& finding : findings) {
    json += (&finding == findings.data() ? "" : ",") + std::string(R"({"level":)") +
            json_string(to_text(finding.level)) + R"(,"what":)" + json_string(finding.what) +
            R"(,"is":)" + json_string(finding.is);
    if (!finding.remedy.empty()) json += R"(,"remedy":)" + json_string(finding.remedy);
    json += "}";
  }
  return json + "]}\n";
}

}  // namespace

Said examine_site(const SiteRequest& request) {
  return guarded(request.bundle.json, [&]() -> Checked<Said> {
    const auto host = system_host();
    if (!host->is_root()) {
      return refuse(Code::host_root, "secrets and units are root's alone to look at");
    }
    const auto site = OpenSite::watch(request.product);
    if (!site) return tl::unexpected(site.error());
    if (!*site) return refuse(Code::not_installed, "there is no /opt/" + request.product);
    const Premises premises{.product = request.product,
                            .disks = (*site)->disks(),
                            .host = *host,
                            .form = (*site)->form()};
    const auto findings = examine(premises);
    const bool well = std::ranges::none_of(
        findings, [](const Finding& finding) { return finding.level == Finding::Level::fault; });
    return Said{.out = request.bundle.json ? json_of(findings, well) : findings_text(findings),
                .exit = well ? Exit::ok : Exit::host};
  });
}

}  // namespace caisson::installer
