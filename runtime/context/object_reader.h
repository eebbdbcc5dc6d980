#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "runtime/observe/problem.h"

namespace caisson::context {

/// Takes the members out of a JSON object one by one and notes every defect with its JSON pointer,
/// so that they are told at once. What is absent or defective reads as the fallback.
class ObjectReader {
 public:
  using Faults = observe::Faults;

  /// `value` that is no object is one defect, and then reads as an empty object.
  ObjectReader(const boost::json::value& value, std::string pointer, Faults& faults);
  ObjectReader(boost::json::value&& value, std::string pointer,
               Faults& faults) = delete;  // is only looked into
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;
  /// Notes every member that was not asked for.
  ~ObjectReader();

  /// The member, which is known from now on; null when it is absent.
  [[nodiscard]] const boost::json::value* take(std::string_view key);

  [[nodiscard]] std::string text(std::string_view key, std::string_view fallback = {});
  /// As `text`, and absent or empty is a defect.
  [[nodiscard]] std::string required_text(std::string_view key);
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t fallback,
                                     std::int64_t least = 0,
                                     std::int64_t most = std::numeric_limits<std::int64_t>::max());
  [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view key,
                                                             std::int64_t least);
  [[nodiscard]] std::optional<double> optional_number(std::string_view key, double above);
  [[nodiscard]] bool boolean(std::string_view key, bool fallback);
  /// Strings, none of them twice.
  [[nodiscard]] std::vector<std::string> texts(std::string_view key,
                                               std::vector<std::string> fallback = {});

  [[nodiscard]] bool has(std::string_view key) const { return object_.contains(key); }
  /// Notes a defect of member `key`.
  void fault(std::string_view key, std::string_view detail);
  /// Notes a defect at any pointer.
  void note(std::string_view pointer, std::string_view detail);
  [[nodiscard]] std::string pointer_to(std::string_view key) const;
  [[nodiscard]] Faults& faults() { return faults_; }

 private:
  const boost::json::object& object_;
  std::string pointer_;
  Faults& faults_;
  std::vector<std::string_view> known_;
};

/// `key` as one step of a JSON pointer (RFC 6901), with its slash.
[[nodiscard]] std::string pointer_step(std::string_view key);

}  // namespace caisson::context
