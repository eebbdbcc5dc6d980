#include "runtime/context/tenant_reader.h"

#include <boost/json/object.hpp>

#include "runtime/context/configuration.h"

namespace caisson::context {

using tenancy::Limits;

Limits read_limits(const boost::json::value& value, std::string pointer,
                   ObjectReader::Faults& faults) {
  ObjectReader object(value, std::move(pointer), faults);
  Limits limits;
  limits.requests_per_second = object.optional_number(tenancy::rate_limit, 0);
  for (const auto& [key, member] : tenancy::count_limits)
    limits.*member = object.optional_integer(key, 1);
  return limits;
}

Limits read_limits(ObjectReader& object) {
  const boost::json::value* value = object.take("limits");
  if (value == nullptr) return {};
  return read_limits(*value, object.pointer_to("limits"), object.faults());
}

tenancy::LimitsChange read_limits_change(ObjectReader& object) {
  tenancy::LimitsChange change;
  const boost::json::value* value = object.take("limits");
  if (value == nullptr) return change;
  boost::json::value set = *value;
  if (set.is_object()) {
    tenancy::each_limit([&](std::string_view name, auto) {
      const boost::json::value* limit = set.get_object().if_contains(name);
      if (limit == nullptr || !limit->is_null()) return;
      change.withdrawn.emplace(name);
      set.get_object().erase(name);
    });
  }
  change.set = read_limits(set, object.pointer_to("limits"), object.faults());
  return change;
}

std::vector<std::string> read_domains(ObjectReader& object, std::string_view domain) {
  std::vector<std::string> domains = object.texts("domains");
  for (std::size_t i = 0; i < domains.size(); ++i) {
    const std::string at = object.pointer_to("domains") + "/" + std::to_string(i);
    const std::string& own = domains[i];
    if (!is_domain(own) || own.find('.') == std::string::npos) {
      object.note(at, "must be a domain in lower case, for example shop.example.com");
    } else if (own == domain || own.ends_with("." + std::string(domain))) {
      object.note(at, "lies inside the deployment's own domain");
    }
  }
  return domains;
}

boost::json::object limits_json(const Limits& limits) {
  boost::json::object json;
  if (limits.requests_per_second) json[tenancy::rate_limit] = *limits.requests_per_second;
  for (const auto& [key, member] : tenancy::count_limits) {
    if (const auto& limit = limits.*member) json[key] = *limit;
  }
  return json;
}

}  // namespace caisson::context
