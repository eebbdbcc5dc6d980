#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/observe/histogram.h"

namespace caisson::observe {

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

template <class Number>
std::string decimal(Number value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

/// Writes the Prometheus text format 0.0.4, every sample labelled `instance`. Label values are
/// escaped as it asks: backslash, quote and line feed.
class Exposition {
 public:
  explicit Exposition(std::string_view instance) { append_label(instance_, "instance", instance); }

  void family(std::string_view name, std::string_view type, std::string_view help) {
    ((((out_ += "# HELP ") += name) += ' ') += help) += '\n';
    ((((out_ += "# TYPE ") += name) += ' ') += type) += '\n';
  }

  template <class Number>
  void sample(std::string_view name, const Labels& labels, Number value) {
    ((out_ += name) += '{') += instance_;
    for (const auto& [key, text] : labels) {
      out_ += ',';
      append_label(out_, key, text);
    }
    ((out_ += "} ") += decimal(value)) += '\n';
  }

  /// A family of one sample.
  template <class Number>
  void gauge(std::string_view name, std::string_view help, Number value) {
    family(name, "gauge", help);
    sample(name, {}, value);
  }
  template <class Number>
  void counter(std::string_view name, std::string_view help, Number value) {
    family(name, "counter", help);
    sample(name, {}, value);
  }

  template <std::size_t N>
  void histogram(const std::string& name, const Labels& labels, const std::array<double, N>& bounds,
                 const Histogram<N>& from) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= N; ++i) {
      const std::string bound = i < N ? decimal(bounds[i]) : "+Inf";
      Labels with = labels;
      with.emplace_back("le", bound);
      sample(name + "_bucket", with, total += from.counts[i]);
    }
    sample(name + "_sum", labels, from.sum);
    sample(name + "_count", labels, total);
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  static void append_label(std::string& out, std::string_view key, std::string_view value) {
    (out += key) += "=\"";
    for (const char c : value) {
      if (c == '\\' || c == '"') out += '\\';
      if (c == '\n') {
        out += "\\n";
      } else {
        out += c;
      }
    }
    out += '"';
  }

  std::string instance_;
  std::string out_;
};

}  // namespace caisson::observe
