#pragma once

#include <string>
#include <vector>

#include "installer/site/answers.h"

namespace caisson::installer {

/// Reads a file of answers. One that has the answer of a secret has to be its owner's alone
/// (`Code::wrong_answer`).
[[nodiscard]] Checked<Answers> read_answers_file(const std::string& path,
                                                 const std::vector<Question>& questions);

/// Asks on a terminal what nobody has answered yet, defaults too: an empty line takes the default.
/// What is typed for a secret is not shown. An answer that does not do is asked for again; the end
/// of the input is `Code::missing_answer`. `in` and `out` are open descriptors.
[[nodiscard]] Checked<Answers> ask(const std::vector<Reply>& replies, int in, int out);

}  // namespace caisson::installer
