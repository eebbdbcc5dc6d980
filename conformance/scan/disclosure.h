#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace caisson::conformance {

class Scanner;

/// A secret whose value is known here and must not leave.
struct KnownSecret {
  std::string name;  ///< as its owner calls it
  std::string value;
};

/// Something that must not leave, and where it is. The thing itself is not in it.
struct Disclosure {
  std::string place;  ///< "assets/model.bin", "image example/app:1, etc/key.pem"
  std::string what;   ///< "a private key (RSA PRIVATE KEY)"

  friend auto operator<=>(const Disclosure&, const Disclosure&) = default;
};

/// The bytes of a value that are looked for; empty when it is too short to be told from chance.
[[nodiscard]] std::string needle_of(std::string_view value);

/// Looks for what must not leave: values of secrets, in every form in which conformance looks for
/// them; canaries of conformance, which mark data of a stack under test; private keys in PEM and
/// OpenPGP. Any thread may call it.
class DisclosureScan {
 public:
  explicit DisclosureScan(const std::vector<KnownSecret>& secrets);
  DisclosureScan(const DisclosureScan&) = delete;
  DisclosureScan& operator=(const DisclosureScan&) = delete;
  ~DisclosureScan();

  /// How far into the next piece a piece of a longer text has to reach, so that nothing is missed
  /// that lies across their border.
  static constexpr std::size_t overlap = 4096;

  /// Looks at a file, or at a piece of one that does not begin it.
  void look(std::string_view place, std::string_view bytes, bool begins = true);

  /// What was found so far, sorted; each once.
  [[nodiscard]] std::vector<Disclosure> findings();

 private:
  void found(std::string_view place, std::string what);

  std::vector<std::string> names_;
  std::unique_ptr<Scanner> secrets_;  ///< none without secrets
  std::mutex mutex_;
  std::set<Disclosure> findings_;
};

}  // namespace caisson::conformance
