#include "cli/own_images.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "generator/render/docker.h"
#include "generator/render/plan_report.h"

namespace caisson::cli {

Result<std::optional<std::int64_t>> source_date() {
  const char* text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr || *text == '\0') return std::nullopt;
  constexpr std::string_view largest = "8589934591";  // what a tar header holds
  const std::string_view digits(text);
  if (digits.find_first_not_of("0123456789") != digits.npos || digits.size() > largest.size() ||
      (digits.size() == largest.size() && digits > largest)) {
    return fail("SOURCE_DATE_EPOCH is '" + std::string(digits) + "'",
                "set it to seconds since 1970, for example `git log -1 --format=%ct`");
  }
  return std::stoll(text);
}

Result<std::vector<image::Image>> own_images(const plan::Plan& plan,
                                             const render::Blueprints& blueprints,
                                             const std::string& program, std::int64_t seconds) {
  // What docker/ holds beside the Dockerfiles, and the program, which everybody may run.
  const image::Context context{{"caisson-runtime", {.bytes = program, .mode = 0755}},
                               {"state/.keep", {.bytes = ""}}};
  std::vector<image::Image> images;
  for (const auto role : {plan::Role::runtime, plan::Role::dashboard}) {
    const auto& instances = plan.instances;
    if (std::ranges::find(instances, role, &plan::Instance::role) == instances.end()) continue;
    const auto dockerfile = render::dockerfile(plan, blueprints, render::name_of(role));
    if (!dockerfile) return tl::unexpected(dockerfile.error());
    auto image = image::build("caisson-" + std::string(render::name_of(role)) + ":" CAISSON_VERSION,
                              *dockerfile, context, seconds);
    if (!image) return tl::unexpected(image.error());
    images.push_back(*std::move(image));
  }
  return images;
}

}  // namespace caisson::cli
