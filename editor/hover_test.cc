#include "editor/hover.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "editor/testing.h"

namespace caisson::editor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string at(const std::string& marked) {
  const auto [text, offset] = with_cursor(marked);
  const auto found = hover(project_of(text), 0, offset,
                           [](const auto&, const auto&) { return std::vector<Arrival>(); });
  return found ? found->markdown : std::string();
}

TEST(Hover, SaysWhatHoldsForSomeValuesOnlyOfSome) {
  EXPECT_THAT(at("services: { web: { po|rt: 9000 } }\n"),
              AllOf(HasSubstr("compose may ignore it"), Not(HasSubstr("compose ignores it"))));
  EXPECT_THAT(at("services: { web: { env: { GREE|TING: hello } } }\n"),
              AllOf(HasSubstr("compose may approximate it"), Not(HasSubstr("approximates it"))));
  EXPECT_THAT(at("services: { web: { health: { pa|th: /h } } }\n"),
              HasSubstr("systemd approximates it"));
  EXPECT_THAT(at("services: { web: { health: { time|out: 5s } } }\n"),
              HasSubstr("systemd approximates it"));
}

TEST(Hover, ShowsWhereTheNameOfATenantArrives) {
  const auto [text, offset] = with_cursor("tenants: [{ slug: ac|me }]\n");
  const auto found = hover(project_of(text), 0, offset, [](const auto&, const auto& pointer) {
    EXPECT_EQ(pointer, "/tenants/0/slug");
    return std::vector<Arrival>{{.target = "compose", .place = "a:1", .value = "# every tenant"},
                                {.target = "compose", .place = "a:2", .value = "acme.localhost"}};
  });
  ASSERT_TRUE(found);
  EXPECT_THAT(found->markdown,
              AllOf(HasSubstr("becomes"), HasSubstr("acme.localhost"), Not(HasSubstr("# every"))));
}

TEST(Hover, HasAHeadingForTheNameOfAnEnvironment) {
  EXPECT_THAT(at("environments: { stag|ing: { domain: a.example } }\n"),
              AllOf(HasSubstr("**environments**: "), Not(HasSubstr("****"))));
}

}  // namespace
}  // namespace caisson::editor
