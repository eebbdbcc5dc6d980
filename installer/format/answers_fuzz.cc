#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "installer/format/answers.h"

/// What is read is written and read again as the same; an answer that is taken says nothing but
/// itself wherever it is put.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace caisson::installer;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto answers = read_answers("answers", text);
  if (answers) {
    const auto again = read_answers("answers", write_answers(*answers));
    if (!again || *again != *answers) abort();
    for (const auto& [name, answer] : *answers) {
      for (const auto type : {AnswerType::address, AnswerType::domain, AnswerType::email,
                              AnswerType::path, AnswerType::port, AnswerType::secret}) {
        const Question question{.name = name, .type = type, .text = "?"};
        if (!fault_of_answer(question, answer).empty()) continue;
        if (answer.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) abort();
        if (type == AnswerType::secret) continue;
        if (answer.find_first_of(" \t\"'`\\$%{}[]()<>|&;#,*?!=~^") != std::string::npos) abort();
      }
    }
    if (const auto done = filled("file", text, *answers); done && answers->empty() && *done != text)
      abort();
  }
  return 0;
}
