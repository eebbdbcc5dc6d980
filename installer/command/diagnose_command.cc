#include "installer/command/diagnose_command.h"

#include <algorithm>
#include <string_view>

#include "base/digest.h"
#include "base/files.h"
#include "base/json_text.h"
#include "installer/command/open_site.h"
#include "installer/host/system_host.h"
#include "installer/site/diagnosis.h"

namespace caisson::installer {
namespace {

std::string json_of(const std::vector<Exhibit>& exhibits, const std::string& file,
                    const std::string& text) {
  std::string json = R"({"result":"ok","file":)" + (file.empty() ? "null" : json_string(file)) +
                     R"(,"sha256":)" + json_string(sha256_hex(text)) + R"(,"exhibits":[)";
  for (const auto& exhibit : exhibits) {
    json += (&exhibit == exhibits.data() ? "" : ",") + std::string(R"({"name":)") +
            json_string(exhibit.name) + R"(,"about":)" + json_string(exhibit.about) +
            R"(,"bytes":)" + std::to_string(exhibit.text.size()) + "}";
  }
  return json + "]}\n";
}

Checked<Said> diagnose(const SiteRequest& request) {
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
  const auto exhibits = gather(premises, request.without);
  if (auto fit = check_exhibits(premises, exhibits); !fit) return tl::unexpected(fit.error());
  const auto text = to_text(premises, exhibits);
  if (!request.dry_run) {
    const auto there = is_there(request.out);
    if (!there) return refuse(Code::host_write, there.error().what);
    if (*there) return refuse(Code::host_write, request.out + " is there already");
    if (auto written = write_file(request.out, text, 0600); !written) {
      return refuse(Code::host_write, written.error().what);
    }
  }
  if (request.bundle.json) return Said{.out = json_of(exhibits, request.out, text)};
  if (request.dry_run) return Said{.out = text};
  return Said{.out = request.out + "  sha256 " + sha256_hex(text) + "\n"};
}

}  // namespace

Said diagnose_site(const SiteRequest& request) {
  return guarded(request.bundle.json, [&] { return diagnose(request); });
}

std::string read_exhibits(std::string_view list, std::vector<std::string>& names) {
  const auto known = exhibit_names();
  for (std::size_t at = 0; at <= list.size();) {
    const auto end = std::min(list.find(',', at), list.size());
    names.emplace_back(list.substr(at, end - at));
    at = end + 1;
    if (std::ranges::find(known, names.back()) != known.end()) continue;
    std::string all;
    for (const auto& name : known) all.append(all.empty() ? "" : ", ").append(name);
    return "--without takes names of exhibits, apart by commas: " + all;
  }
  return {};
}

}  // namespace caisson::installer
