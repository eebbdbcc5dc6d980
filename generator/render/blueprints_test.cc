// Words of a replaced blueprint that nothing reads, and values that its reader would refuse:
// refused with their line and what was meant.

#include "generator/render/blueprints.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/render/render_testing.h"

namespace caisson::render {
namespace {

using testing::HasSubstr;

struct Misspelt {
  std::string blueprint;
  std::string behind;  ///< a line of it, behind which the word stands; empty: at its end
  std::string line;
  std::string remedy;
};

/// The shipped blueprint with the line, and the number that the line has then.
std::pair<std::string, std::size_t> with_line(const Misspelt& wrong) {
  std::string text(*Blueprints().text(wrong.blueprint));
  const auto found = wrong.behind.empty() ? text.size() : text.find(wrong.behind);
  EXPECT_NE(found, std::string::npos) << wrong.blueprint;
  const auto at = wrong.behind.empty() ? found : text.find('\n', found) + 1;
  const auto before =
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  return {text.insert(at, wrong.line + "\n"), static_cast<std::size_t>(before) + 1};
}

TEST(ReplacedBlueprints, AreRefusedWithTheLineOfAWordThatNothingReads) {
  const auto plan = plan::example("agentik").plan;
  for (const auto& wrong : std::vector<Misspelt>{
           {"compose/service.yaml", "", "restrat: always", "did you mean 'restart'?"},
           {"compose/service.yaml", "", "tty: [much]", "write true or false"},
           {"compose/runtime.yaml", "", "heathcheck: {}", "did you mean 'healthcheck'?"},
           {"systemd/service.yaml", "Service:", "  MemoryMaks: 1G", "did you mean 'MemoryMax'?"},
           {"systemd/service.yaml", "Service:", "  MemoryHigh: true", "write a number with a unit"},
           {"compose/service.yaml", "", "mem_swappiness: swappy", "write a whole number"},
           {"compose/service.yaml", "", "shm_size: 12x", "write a number with a unit"},
           {"systemd/service.yaml", "Service:", "  IOSchedulingClass: ide", "'best-effort' or"},
           {"systemd/service.yaml", "Service:", "  MemoryHigh: [1]", "write a number with a unit"},
           {"systemd/service.yaml", "", "Servize: { A: b }", "did you mean 'Service'?"},
           {"systemd/socket.yaml", "Socket:", "  Backlgo: 5", "did you mean 'Backlog'?"},
           {"helm/workload.yaml", "", "maxUnavailabel: 1", "did you mean 'maxUnavailable'?"},
           {"helm/values.yaml", "", "imagePulPolicy: Always", "did you mean 'imagePullPolicy'?"},
           {"observability/prometheus.yaml", "", "scrape_config: []",
            "did you mean 'scrape_configs'?"}}) {
    const auto [text, number] = with_line(wrong);
    const auto blueprints = Blueprints::with({{wrong.blueprint, text}});
    ASSERT_TRUE(blueprints) << blueprints.error().text();
    std::vector<Mistake> mistakes;
    const auto made = render(plan, *blueprints, TargetSet::all(), mistakes);
    ASSERT_FALSE(made) << wrong.blueprint << ": " << wrong.line;
    EXPECT_THAT(made.error().text(),
                HasSubstr("blueprint " + wrong.blueprint + ":" + std::to_string(number) + ": "));
    EXPECT_THAT(made.error().text(), HasSubstr(wrong.remedy));
    EXPECT_THAT(made.error().text(), testing::Not(HasSubstr("bug")));
  }
}

TEST(ReplacedBlueprints, MaySayWhatATargetTakes) {
  const auto plan = plan::example("agentik").plan;
  for (const auto& right :
       std::vector<Misspelt>{{"compose/service.yaml", "", "x-site: { anything: at-all }", ""},
                             {"compose/service.yaml", "", "stdin_open: true", ""},
                             {"systemd/service.yaml", "Service:", "  X-Site: anything", ""},
                             {"systemd/service.yaml", "Service:", "  Nice: 5", ""},
                             {"systemd/service.yaml", "Service:", "  TTYReset: 'True'", ""}}) {
    const auto blueprints = Blueprints::with({{right.blueprint, with_line(right).first}});
    ASSERT_TRUE(blueprints);
    std::vector<Mistake> mistakes;
    const auto made = render(plan, *blueprints, TargetSet::all(), mistakes);
    EXPECT_TRUE(made) << right.line << ": " << made.error().text();
    EXPECT_TRUE(mistakes.empty());
  }
}

}  // namespace
}  // namespace caisson::render
