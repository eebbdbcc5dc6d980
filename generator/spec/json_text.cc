#include "generator/spec/json_text.h"

#include "base/json_text.h"
#include "generator/spec/json_value.h"

namespace caisson::spec {

void JsonText::next_value() {
  if (!after_key_ && depth_ > 0) {
    if (!first_) text_ += ',';
    text_ += '\n' + std::string(2 * depth_, ' ');
  }
  first_ = false;
  after_key_ = false;
}

void JsonText::open(char bracket) {
  next_value();
  text_ += bracket;
  ++depth_;
  first_ = true;
}

void JsonText::close(char bracket) {
  --depth_;
  if (!first_) text_ += '\n' + std::string(2 * depth_, ' ');
  text_ += bracket;
  first_ = false;
}

void JsonText::key(std::string_view name) {
  next_value();
  text_ += json_string(name) + ": ";
  after_key_ = true;
}

void JsonText::string(std::string_view text) { raw(json_string(text)); }

void JsonText::raw(std::string_view json) {
  next_value();
  text_ += json;
}

}  // namespace caisson::spec
