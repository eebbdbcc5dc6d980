#pragma once

#include "conformance/probe/examination.h"

namespace caisson::conformance {

/// ID20: requests whose end two parsers could see in different places, with a request for the
/// victim hidden behind; and honest pipelining in which a later request names the victim.
void smuggled_prefix(Examination& e);

}  // namespace caisson::conformance
