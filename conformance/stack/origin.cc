#include "conformance/stack/origin.h"

#include <exception>

#include <boost/json.hpp>

#include "base/digest.h"
#include "base/files.h"

namespace caisson::conformance {

namespace fs = std::filesystem;
namespace json = boost::json;

std::string digest_of(const std::map<std::string, std::string>& files) {
  std::string sums;
  for (const auto& [path, bytes] : files) {
    if (!path.ends_with(".md")) sums += sha256_hex(bytes) + ' ' + path + '\n';
  }
  return sha256_hex(sums);
}

Result<void> write_origin(const fs::path& state, const Origin& origin) {
  const json::object object{{"target", origin.target},
                            {"spec", origin.spec},
                            {"name", origin.name},
                            {"version", origin.version},
                            {"environment", origin.environment},
                            {"digest", origin.digest},
                            {"down", origin.down}};
  return write_file(state / "origin.json", json::serialize(object), 0600);
}

Result<Origin> read_origin(const fs::path& state) {
  const auto bytes = read_file(state / "origin.json");
  if (!bytes) return tl::unexpected(bytes.error());
  try {
    const json::object object = json::parse(*bytes).as_object();
    const auto text = [&](const char* key) { return std::string(object.at(key).as_string()); };
    return Origin{.target = text("target"),
                  .spec = text("spec"),
                  .name = text("name"),
                  .version = text("version"),
                  .environment = text("environment"),
                  .digest = text("digest"),
                  .down = text("down")};
  } catch (const std::exception& problem) {
    return fail((state / "origin.json").string() + " is damaged: " + problem.what());
  }
}

std::string in_words(const Origin& origin) {
  return origin.name + " " + origin.version +
         (origin.environment.empty() ? "" : ", environment " + origin.environment);
}

}  // namespace caisson::conformance
