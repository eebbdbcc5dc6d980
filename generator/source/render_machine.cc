#include "generator/source/render_machine.h"

#include <set>

#include <boost/json.hpp>

#include "base/printable.h"
#include "generator/source/codes.h"

namespace caisson::source {
namespace {

namespace json = boost::json;

json::object json_place(const Span& span, const SourceSet& sources) {
  const auto& file = sources.at(span.file);
  const auto begin = file.position(span.begin);
  const auto end = file.position(span.end);
  return {{"file", printable(file.name())},
          {"line", begin.line},
          {"column", begin.column},
          {"end_line", end.line},
          {"end_column", end.column}};
}

json::object sarif_location(const Span& span, const SourceSet& sources) {
  const auto& file = sources.at(span.file);
  const auto begin = file.position(span.begin);
  const auto end = file.position(span.end);
  return {{"physicalLocation",
           json::object{{"artifactLocation", json::object{{"uri", printable(file.name())}}},
                        {"region", json::object{{"startLine", begin.line},
                                                {"startColumn", begin.column},
                                                {"endLine", end.line},
                                                {"endColumn", end.column}}}}}};
}

}  // namespace

std::string render_json(const Diagnostics& diagnostics, const SourceSet& sources) {
  json::array list;
  for (const auto& diagnostic : diagnostics.sorted()) {
    json::object entry{{"severity", name_of(diagnostic.severity)}, {"code", diagnostic.code}};
    for (auto& [key, value] : json_place(diagnostic.where, sources)) entry[key] = value;
    entry["message"] = printable(diagnostic.message);
    entry["remedy"] = printable(diagnostic.remedy);
    json::array related;
    for (const auto& span : diagnostic.related) related.push_back(json_place(span, sources));
    entry["related"] = std::move(related);
    list.push_back(std::move(entry));
  }
  return json::serialize(json::object{{"diagnostics", std::move(list)},
                                      {"errors", diagnostics.count(Severity::error)},
                                      {"warnings", diagnostics.count(Severity::warning)}}) +
         "\n";
}

std::string render_sarif(const Diagnostics& diagnostics, const SourceSet& sources) {
  json::array results;
  std::set<std::string_view> used;
  for (const auto& diagnostic : diagnostics.sorted()) {
    used.insert(diagnostic.code);
    auto text = printable(diagnostic.message);
    if (!diagnostic.remedy.empty()) text += "; " + printable(diagnostic.remedy);
    json::object result{
        {"ruleId", diagnostic.code},
        {"level", name_of(diagnostic.severity)},
        {"message", json::object{{"text", std::move(text)}}},
        {"locations", json::array{sarif_location(diagnostic.where, sources)}},
    };
    json::array related;
    for (const auto& span : diagnostic.related) related.push_back(sarif_location(span, sources));
    if (!related.empty()) result["relatedLocations"] = std::move(related);
    results.push_back(std::move(result));
  }

  json::array rules;
  for (const auto code : used) {
    json::object rule{{"id", code}};
    if (const auto* entry = find_code(code)) {
      rule["shortDescription"] = json::object{{"text", entry->title}};
      rule["fullDescription"] = json::object{{"text", entry->explanation}};
    }
    rules.push_back(std::move(rule));
  }
  const json::object driver{
      {"name", "caisson"}, {"version", CAISSON_VERSION}, {"rules", std::move(rules)}};
  return json::serialize(json::object{
             {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
             {"version", "2.1.0"},
             {"runs", json::array{json::object{{"tool", json::object{{"driver", driver}}},
                                               {"columnKind", "unicodeCodePoints"},
                                               {"results", std::move(results)}}}}}) +
         "\n";
}

}  // namespace caisson::source
