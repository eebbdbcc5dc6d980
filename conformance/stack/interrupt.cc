#include "conformance/stack/interrupt.h"

#include <cstddef>

namespace caisson::conformance {
namespace {

volatile sig_atomic_t raised = 0;

void raise_flag(int /*signal*/) { raised = 1; }

}  // namespace

InterruptGuard::InterruptGuard() {
  raised = 0;
  struct sigaction action{};
  action.sa_handler = raise_flag;
  action.sa_flags =
      SA_RESTART;  // no read, write or wait is cut short: what waits looks at the flag
  for (std::size_t i = 0; i < signals.size(); ++i) {
    sigaction(signals.at(i), &action, &former_.at(i));
  }
}

InterruptGuard::~InterruptGuard() {
  for (std::size_t i = 0; i < signals.size(); ++i)
    sigaction(signals.at(i), &former_.at(i), nullptr);
}

bool interrupted() { return raised != 0; }

}  // namespace caisson::conformance
