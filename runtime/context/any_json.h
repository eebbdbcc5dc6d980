#pragma once

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <rapidcheck.h>

// For tests: JSON texts, and what they mean by another reader than the one that is tested.
namespace caisson::context {

namespace json = boost::json;

/// A text with escapes wherever they may be, of a value that the text means.
class AnyJson {
 public:
  json::value value(int levels) {
    const int kind = *rc::gen::inRange(0, levels > 0 ? 7 : 5);
    blanks();
    switch (kind) {
      case 0:
        text += "null";
        return nullptr;
      case 1:
        text += "true";
        return true;
      case 2: {
        const auto number = *rc::gen::arbitrary<std::int64_t>();
        text += std::to_string(number);
        return number;
      }
      case 3:
      case 4:
        return json::string(string());
      case 5: {
        json::array list;
        text += '[';
        for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
          if (!list.empty()) text += ',';
          list.push_back(value(levels - 1));
        }
        blanks();
        text += ']';
        return list;
      }
      default:
        return object(levels);
    }
  }

  json::object object(int levels) {
    json::object object;
    text += '{';
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
      const std::string before = text;
      if (!object.empty()) text += ',';
      blanks();
      const std::string key = string();
      if (object.contains(key)) {
        text = before;
        continue;
      }
      blanks();
      text += ':';
      object[key] = value(levels - 1);
    }
    blanks();
    text += '}';
    return object;
  }

  std::string text;

  std::string string() {
    static const std::vector<char32_t> letters{'a', 'b',  '"',  '\\', '/',    '.',    '$',
                                               0,   '\n', 0x7F, 0xE9, 0x2028, 0xFFFF, 0x1F600};
    std::string said;
    text += '"';
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) letter(*rc::gen::elementOf(letters), said);
    text += '"';
    return said;
  }

 private:
  void blanks() {
    text += *rc::gen::elementOf(std::vector<std::string>{"", "", "", " ", "\n\t", "\r"});
  }

  void letter(char32_t code, std::string& said) {
    const auto plain = utf8(code);
    said += plain;
    const bool must = code < 0x20 || code == '"' || code == '\\';
    if (!must && *rc::gen::arbitrary<bool>()) {
      text += plain;
    } else if (code >= 0x10000) {
      text += unit(0xD800 + ((code - 0x10000) >> 10U)) + unit(0xDC00 + ((code - 0x10000) & 0x3FFU));
    } else if ((code == '"' || code == '\\' || code == '/') && *rc::gen::arbitrary<bool>()) {
      text += '\\' + plain;
    } else {
      text += unit(code);
    }
  }

  static std::string unit(char32_t code) {
    std::array<char, 16> out{};
    std::snprintf(out.data(), out.size(), "\\u%04x", static_cast<unsigned>(code));
    return out.data();
  }

  static std::string utf8(char32_t code) {
    // By another reader than the one that is tested.
    std::string quoted = "\"" +
                         (code >= 0x10000 ? unit(0xD800 + ((code - 0x10000) >> 10U)) +
                                                unit(0xDC00 + ((code - 0x10000) & 0x3FFU))
                                          : unit(code)) +
                         "\"";
    return std::string(json::parse(quoted).get_string());
  }
};

}  // namespace caisson::context
