#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "editor/project.h"

namespace caisson::editor {

/// A text with `|` in it: without that character, and where it was.
inline std::pair<std::string, std::uint32_t> with_cursor(std::string text) {
  const auto at = text.find('|');
  text.erase(at, 1);
  return {std::move(text), static_cast<std::uint32_t>(at)};
}

/// A spec and files beside it, in memory.
inline Project project_of(const std::string& spec,
                          const std::map<std::string, std::string>& files = {}) {
  DocumentReader reader;
  return read_project("deployment.yaml", spec, reader,
                      [&files](std::string_view path) -> Result<std::string> {
                        const auto found = files.find(std::string(path));
                        if (found == files.end()) return fail("no such file");
                        return found->second;
                      });
}

}  // namespace caisson::editor
