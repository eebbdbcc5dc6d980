// Every value and every line of what is generated can be followed to the line that it comes from.

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "generator/render/render_testing.h"

namespace caisson::render {
namespace {

struct Example {
  std::string name;
  std::string environment;
};

std::size_t line_count(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

/// "/tenants/0/slug" as the language's reference calls it: "tenants[].slug".
std::string field_of(std::string_view pointer) {
  std::string field;
  for (const auto& segment : pointer_segments(pointer)) {
    const bool index = !segment.empty() && std::ranges::all_of(segment, [](unsigned char c) {
      return std::isdigit(c) != 0;
    });
    if (index) {
      field += "[]";
    } else {
      field += (field.empty() ? "" : ".") + segment;
    }
  }
  return field;
}

/// Calls `visit` with the pointer of every value that has nothing inside.
void each_leaf(const Node& node, const std::string& pointer,
               const std::function<void(const std::string&)>& visit) {
  const auto keys = node.keys();
  if (keys.empty()) visit(pointer);
  for (const auto& key : keys) {
    each_leaf(*node.child(key), pointer + "/" + pointer_segment(key), visit);
  }
}

class Origins : public testing::TestWithParam<Example> {
 protected:
  /// What is wrong with an origin; empty when it leads somewhere.
  [[nodiscard]] std::string wrong(const Origin& origin) const {
    if (origin.at.empty()) return "has no origin";
    if (origin.kind == Origin::Kind::blueprint) return wrong_blueprint(origin.at);
    const auto* written = spec::find(planned_.loaded.document, origin.at);
    if (written != nullptr && origin.kind != Origin::Kind::defaulted) {
      const auto& file = planned_.sources[written->span.file];
      const auto line = file.position(written->span.begin).line;
      return line <= line_count(file.text()) ? "" : origin.at + " is beyond its file";
    }
    if (origin.kind == Origin::Kind::spec) return origin.at + " is not in the spec";
    return spec::explain_field(field_of(origin.at)) ? "" : origin.at + " is no field";
  }

  [[nodiscard]] std::string wrong_blueprint(const std::string& place) const {
    const auto colon = place.rfind(':');
    const auto text = blueprints_.text(place.substr(0, colon));
    std::size_t line = 0;
    std::from_chars(place.data() + colon + 1, place.data() + place.size(), line);
    return text && line > 0 && line <= line_count(*text) ? "" : place + " is no blueprint's line";
  }

  plan::Planned planned_ = plan::example(GetParam().name, GetParam().environment);
  Blueprints blueprints_;
};

INSTANTIATE_TEST_SUITE_P(Render, Origins,
                         testing::Values(Example{"quickstart", ""}, Example{"agentik", ""},
                                         Example{"agentik", "development"}, Example{"devtools", ""},
                                         Example{"devtools", "demo"}),
                         [](const auto& example) {
                           return example.param.name + example.param.environment;
                         });

TEST_P(Origins, LeadFromEveryValueToALineThatExists) {
  std::size_t values = 0;
  for (const auto& file : rendered(planned_.plan)) {
    if (file.tree == nullptr) continue;
    each_leaf(*file.tree, "", [&](const std::string& pointer) {
      ++values;
      EXPECT_EQ(wrong(origin_at(*file.tree, pointer)), "") << file.path << ":" << pointer;
    });
  }
  EXPECT_GT(values, 400U);
}

TEST_P(Origins, LeadFromEveryLineOfATextToALineThatExists) {
  std::size_t lines = 0;
  for (const auto& file : rendered(planned_.plan)) {
    if (file.tree != nullptr) continue;
    ASSERT_EQ(file.lines.size(), line_count(file.bytes)) << file.path;
    ASSERT_TRUE(file.bytes.empty() || file.bytes.ends_with('\n')) << file.path;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      ++lines;
      EXPECT_FALSE(file.lines[i].empty()) << file.path << ":" << i + 1;
      for (const auto& origin : file.lines[i]) {
        EXPECT_EQ(wrong(origin), "") << file.path << ":" << i + 1;
      }
    }
  }
  EXPECT_GT(lines, 300U);
}

}  // namespace
}  // namespace caisson::render
