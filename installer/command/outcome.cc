#include "installer/command/outcome.h"

#include "base/json_text.h"
#include "installer/format/words.h"

namespace caisson::installer {
namespace {

using Kind = Outcome::Kind;

std::string json_of(const Refusal& refusal) {
  return R"({"code":)" + json_string(entry_of(refusal.code).number) + R"(,"what":)" +
         json_string(refusal.what) + "}";
}

constexpr Word<Kind> kKinds[] = {{"done", Kind::done},
                                 {"nothing", Kind::nothing},
                                 {"rolled back", Kind::rolled_back},
                                 {"held", Kind::held}};

}  // namespace

Said told(const SiteRequest& request, const std::string& product, const Outcome& outcome,
          std::string_view done) {
  Said said;
  if (outcome.why) {
    said = say(*outcome.why, false);
    said.out.clear();
  }
  const auto& isolation = outcome.isolation;
  if (request.bundle.json) {
    said.error.clear();
    said.out = std::string(R"({"result":)") + json_string(word_of(kKinds, outcome.kind)) +
               R"(,"product":)" + json_string(product) + R"(,"installed":)" +
               (outcome.release.empty() ? "null" : json_string(outcome.release));
    if (!outcome.kept.empty()) {
      said.out += R"(,"kept":[)";
      for (const auto& each : outcome.kept) {
        said.out += (&each == outcome.kept.data() ? "" : ",") + json_string(each);
      }
      said.out += "]";
    }
    if (outcome.why) said.out += R"(,"why":)" + json_of(*outcome.why);
    if (!isolation.remark.empty()) {
      said.out += std::string(R"(,"isolation":{"probed":)") +
                  (isolation.probed ? "true" : "false") + R"(,"remark":)" +
                  json_string(isolation.remark) + "}";
    }
    said.out += "}\n";
    return said;
  }
  const auto now = outcome.release.empty() ? "nothing is installed"
                                           : "the release " + outcome.release + " is installed";
  switch (outcome.kind) {
    case Kind::done:
      said.out = std::string(done) + "; " + now + "\n";
      break;
    case Kind::nothing:
      said.out = "there is nothing to do; " + now + "\n";
      break;
    case Kind::rolled_back:
      said.out = "rolled back; " + now + "\n";
      break;
    case Kind::held:
      said.out =
          "held: the release that was installed leaks as well, and nobody is served until somebody "
          "decides\n`caisson-install rollback --product " +
          product + "` goes back; `recover --waiver FILE` opens it with a waiver of the vendor\n";
      break;
  }
  for (const auto& each : outcome.kept) said.out += "kept " + each + "\n";
  if (!isolation.remark.empty()) {
    said.out += std::string("isolation ") +
                (isolation.probed ? "was probed: " : "was not probed: ") + isolation.remark + "\n";
  }
  return said;
}

Said table_said(const SiteRequest& request, const std::vector<Requirement>& rows) {
  const auto fault = fault_of(rows);
  Said said = fault ? say(*fault, request.bundle.json) : Said{};
  if (!request.bundle.json) {
    said.out = table_of(rows);
    return said;
  }
  std::string json = std::string(R"({"result":)") + (fault ? R"("failed")" : R"("ok")");
  if (fault) json += R"(,"why":)" + json_of(*fault);
  json += R"(,"preflight":[)";
  for (const auto& row : rows) {
    json += (&row == rows.data() ? "" : ",") + std::string(R"({"what":)") + json_string(row.what) +
            R"(,"needs":)" + json_string(row.needs) + R"(,"has":)" + json_string(row.has) +
            R"(,"ok":)" + (row.met ? "true" : "false") + "}";
  }
  said.out = json + "]}\n";
  return said;
}

Said foretold(const SiteRequest& request, const std::vector<std::string>& lines) {
  Said said;
  if (!request.bundle.json) {
    for (const auto& line : lines) said.out += line + "\n";
    return said;
  }
  said.out = R"({"result":"ok","product":)" + json_string(request.product) + R"(,"would":[)";
  for (const auto& line : lines) {
    said.out += (&line == lines.data() ? "" : ",") + json_string(line);
  }
  said.out += "]}\n";
  return said;
}

std::string unlisted_text(std::uint64_t count) {
  if (count == 0) return {};
  return std::to_string(count) +
         (count == 1 ? " file that nothing lists was" : " files that nothing lists were") +
         " ignored on the medium\n";
}

}  // namespace caisson::installer
