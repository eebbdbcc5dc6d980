#include "installer/format/waiver.h"

#include "installer/format/journal.h"
#include "installer/format/words.h"

namespace caisson::installer {

Checked<Waiver> read_waiver(std::string_view text) {
  Lines lines("the waiver", text);
  Waiver waiver;
  if (lines.take("format") && lines.number() != kFormat) {
    lines.refuse(Code::future_format, "only format 1 is known");
  }
  if (lines.take("product")) waiver.product = read_slug(lines);
  if (lines.take("release")) {
    waiver.release = lines.word();
    if (!is_release_name(waiver.release)) lines.refuse(Code::text_line, "that names no release");
  }
  if (lines.take("reason")) waiver.reason = lines.text();
  lines.end();
  if (!lines.done()) lines.refuse(Code::text_key, "nothing may follow");
  if (lines.refusal()) return tl::unexpected(*lines.refusal());
  return waiver;
}

std::string write_waiver(const Waiver& waiver) {
  return "format " + std::to_string(kFormat) + "\nproduct " + waiver.product + "\nrelease " +
         waiver.release + "\nreason " + waiver.reason + "\n";
}

}  // namespace caisson::installer
