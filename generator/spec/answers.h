#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "generator/source/diagnostics.h"
#include "generator/spec/document.h"
#include "generator/spec/spec.h"
#include "installer/format/answers.h"

namespace caisson::spec {

/// Puts answers into the places of `${answer:NAME}` in the values of a spec, those of its
/// environments too, as if they were written there without quotes: what is given counts before a
/// default. Reports questions that nobody has answered, answers that are not what is asked for,
/// placeholders of unknown questions or at a place that no answer may stand in, and questions that
/// nothing uses. The questions themselves are checked when the spec is decoded.
void fill_answers(Node& document, const LoadOptions& options, source::Diagnostics& diagnostics);

/// Whether answers may stand in the values below a key of the spec.
[[nodiscard]] bool takes_answers(std::string_view key);

/// What a site is asked besides when the units of a bundle have certificates by `acme`, of an
/// authority that it does not reach.
[[nodiscard]] const installer::Question& certificates_question();

/// Whether the bundle of the spec asks that. `deployment` is decoded and complete.
[[nodiscard]] bool asks_for_certificates(const Deployment& deployment);

/// Answers that a site might give, each a different one, two or more: the choices of a word, and of
/// any other type what looks as different as the type allows. `index` tells questions of one spec
/// apart, from 0 to 63. A secret has none.
[[nodiscard]] std::vector<std::string> sample_answers(const installer::Question& question,
                                                      std::size_t index);

}  // namespace caisson::spec
