#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "installer/format/refusal.h"
#include "installer/verify/bundle.h"

namespace caisson::installer {

/// How a program of the site ends. The numbers never change.
enum class Exit : int {
  ok = 0,
  refused = 1,  ///< the bundle is not to be used
  usage = 2,    ///< the command line makes no sense
  host = 3,     ///< a medium or this host cannot be read or written
};

/// What a command says, and how the program ends.
struct Said {
  std::string out;    ///< the result
  std::string error;  ///< what went wrong, and remarks
  Exit exit = Exit::ok;
};

/// Which bundle is read, whom it has to be signed by, and how much of it is checked.
struct Request {
  std::string bundle;                   ///< its directory, transport or parts
  std::optional<Digest> expected_root;  ///< what somebody was told
  std::string roots;                    ///< or a directory with root.1, root.2 ... that are trusted
  std::optional<std::string> arch;      ///< of the host that it is for; any when there is none
  bool strict = false;
  bool sums_only = false;
  std::string base;       ///< the installed release that a delta stands on: MANIFEST and tree/
  bool progress = false;  ///< on standard error, if that is a terminal
  bool json = false;
};

/// The bundle of a request, as far as its texts verify; nothing is kept.
[[nodiscard]] Checked<VerifiedBundle> open_bundle(const Request& request);

/// Verifies a bundle, and says what was checked and what was not.
[[nodiscard]] Said verify_bundle(const Request& request);

/// Verifies the texts of a bundle and lists its images and files, with their sizes.
[[nodiscard]] Said inspect_bundle(const Request& request);

/// What a code means; all of them for "".
[[nodiscard]] Said explain_code(std::string_view code, bool json);

/// "12 bytes", "3.4 MB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);

/// Runs a command; its refusal, and want of memory, are said.
[[nodiscard]] Said guarded(bool json, const std::function<Checked<Said>()>& run);

/// A refusal for a person, or as JSON.
[[nodiscard]] Said say(const Refusal& refusal, bool json);

/// 64 hexadecimal digits, of either case, as a digest; blanks and colons between them do not count.
[[nodiscard]] std::optional<Digest> fingerprint_of(std::string_view text);

}  // namespace caisson::installer
