#include "installer/command/options.h"

#include <algorithm>

#include "installer/command/diagnose_command.h"
#include "installer/format/chart.h"
#include "installer/format/lines.h"
#include "installer/media/layout.h"

namespace caisson::installer {
namespace {

const std::vector<std::string_view> kTrusting = {"verify",        "inspect",      "images serve",
                                                 "images import", "images push",  "install",
                                                 "trust show",    "trust update", "try"};

}  // namespace

const std::vector<Option>& options() {
  static const std::vector<Option> table = {
      {"--expect-root", kTrusting, true,
       [](Words& words, const std::string& value) -> std::string {
         words.request.expected_root = fingerprint_of(value);
         return words.request.expected_root ? "" : "--expect-root takes 64 hexadecimal digits";
       }},
      {"--roots", kTrusting, true,
       [](Words& words, const std::string& value) -> std::string {
         words.request.roots = value;
         return {};
       }},
      {"--strict",
       {"verify", "install", "update", "try"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.request.strict = true;
         return {};
       }},
      {"--sums",
       {"verify"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.request.sums_only = true;
         return {};
       }},
      {"--base",
       {"verify"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.request.base = value;
         return value.empty() ? "--base takes a directory" : "";
       }},
      {"--json",
       {"verify", "inspect", "explain", "images serve", "images import", "images push", "install",
        "update", "rollback", "recover", "status", "uninstall", "doctor", "diagnose", "trust show",
        "trust update", "try"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.request.json = true;
         return {};
       }},
      {"--product",
       {"update", "rollback", "recover", "status", "uninstall", "doctor", "diagnose", "trust show",
        "trust update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.site.product = value;
         return is_file_name(value) ? "" : "--product takes a product's name";
       }},
      {"--secrets",
       {"install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.site.secrets = value;
         return value.empty() ? "--secrets takes a directory" : "";
       }},
      {"--answers",
       {"install", "update", "try"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.site.answers = value;
         return value.empty() ? "--answers takes a file" : "";
       }},
      {"--form",
       {"install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.site.form = form_of(value);
         return words.site.form ? "" : "--form takes systemd, compose or helm";
       }},
      {"--registry",
       {"install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.push.to = value;
         return value.empty() ? "--registry takes HOST[:PORT][/PREFIX]" : "";
       }},
      {"--namespace",
       {"install"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.space = value;
         return is_namespace(value) ? "" : "--namespace takes a namespace of Kubernetes";
       }},
      {"--values",
       {"install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.values = value;
         return value.empty() ? "--values takes a file" : "";
       }},
      {"--dry-run",
       {"install", "update", "rollback", "uninstall", "diagnose"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.site.dry_run = true;
         return {};
       }},
      {"--accept-move",
       {"update", "rollback"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         for (std::size_t at = 0; at <= value.size();) {
           const auto end = std::min(value.find(',', at), value.size());
           words.site.moves.insert(value.substr(at, end - at));
           at = end + 1;
         }
         return words.site.moves.contains("") ? "--accept-move takes WHAT,..." : "";
       }},
      {"--again",
       {"update"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.site.again = true;
         return {};
       }},
      {"--stage",
       {"update"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.site.stage = true;
         return {};
       }},
      {"--apply",
       {"update"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.site.apply = true;
         return {};
       }},
      {"--waiver",
       {"recover"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.site.waiver = value;
         return value.empty() ? "--waiver takes a file" : "";
       }},
      {"--dir",
       {"try"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.trial = value;
         return value.empty() ? "--dir takes a directory" : "";
       }},
      {"--end",
       {"try"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.end_trial = true;
         return {};
       }},
      {"--out",
       {"diagnose"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.site.out = value;
         return value.empty() ? "--out takes a file" : "";
       }},
      {"--without",
       {"diagnose"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         return read_exhibits(value, words.site.without);
       }},
      {"--keep-data",
       {"uninstall"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.site.keep_data = true;
         return {};
       }},
      {"--boot",
       {"recover"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.site.booting = true;
         return {};
       }},
      {"--port",
       {"images serve", "images import"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         const auto port = number_of(value);
         words.port = static_cast<std::uint16_t>(port.value_or(0));
         return port && *port <= 65535 ? "" : "--port takes a number from 0 to 65535";
       }},
      {"--to",
       {"images import", "images push"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.push.to = value;
         words.import.engine = value;
         return {};
       }},
      {"--program",
       {"images import"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.import.program = value;
         return value.starts_with('/') ? "" : "--program takes an absolute path";
       }},
      {"--address",
       {"images import"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.import.address = value;
         return {};
       }},
      {"--plain-http",
       {"images push", "install", "update"},
       false,
       [](Words& words, const std::string&) -> std::string {
         words.push.plain_http = true;
         return {};
       }},
      {"--ca",
       {"images push", "install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.push.ca_file = value;
         return {};
       }},
      {"--user",
       {"images push", "install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.push.user = value;
         return value.empty() || value.find(':') != std::string::npos
                    ? "--user takes a name without a colon"
                    : "";
       }},
      {"--password-file",
       {"images push", "install", "update"},
       true,
       [](Words& words, const std::string& value) -> std::string {
         words.push.password_file = value;
         return {};
       }},
  };
  return table;
}

}  // namespace caisson::installer
