#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "installer/command/cluster_command.h"

namespace caisson::installer {

/// The command line, cut into words and options.
struct Words {
  std::vector<std::string> line;  ///< all of it, uncut
  std::vector<std::string> words;
  std::string command;  ///< "verify", "images push"
  std::vector<std::string_view> options;
  Request request;
  PushRequest push;
  SiteRequest site;  ///< but for what `request` says
  ImportRequest import;
  std::string space;   ///< of a chart
  std::string values;  ///< a file that is laid over those of a chart
  std::string trial;   ///< the directory of `try`
  bool end_trial = false;
  std::uint16_t port = 5005;
};

/// An option, and the commands that take it.
struct Option {
  std::string_view name;
  std::vector<std::string_view> commands;
  bool has_value;
  /// Takes the value; says what is wrong with it, if anything is.
  std::string (*take)(Words& words, const std::string& value);
};

/// Every option of the program.
[[nodiscard]] const std::vector<Option>& options();

}  // namespace caisson::installer
