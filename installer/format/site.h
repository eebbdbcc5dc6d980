#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "installer/format/form.h"
#include "installer/format/lines.h"

namespace caisson::installer {

/// A file of the configuration.
struct SettingsFile {
  std::string path;  ///< below systemd/config of the release, and below etc of the site
  unsigned mode = 0644;
  std::string group;  ///< its owner is root
};

/// A directory that holds files of the configuration and is not everybody's to read; mode 0750.
struct SettingsDirectory {
  std::string path;
  std::string group;
};

/// A secret that the units read.
struct SiteSecret {
  enum class Source { generated, copied, variable, given, answered };
  Source source = Source::generated;
  std::string name;
  std::uint64_t bytes = 0;  ///< of randomness, of a generated one
  std::string reference;    ///< of the others: the path, variable or place that the spec names
  /// Of an answered one: it is handed over where the site gives this answer, and empty elsewhere.
  std::string answer;
  std::string word;
};

/// A secret that Compose reads as a variable.
struct SiteVariable {
  std::string name;
  std::string secret;
};

/// A runtime, which has data of its own.
struct SiteRuntime {
  std::string unit;
  std::string account;
  std::string settings;  ///< its configuration: the path of a `SettingsFile`
};

/// A service that is an image: its root lies below `images/<name>` of a release.
struct SiteImage {
  std::string name;  ///< its unit is <product>-<name>.service
  /// Who owns what the image's user owned. In the form compose the number that its containers run
  /// under; "root" where the project leaves that to the image.
  std::string account;
  std::string reference;
};

/// What a release in its systemd form needs of a host: the text systemd/SITE of its files, which
/// says what its install.sh does.
struct SiteNeeds {
  std::string product;
  std::string prefix;  ///< where programs, configuration and secrets are
  std::string data;    ///< below which every unit has its directory
  std::string target;
  std::string environment;  ///< of the spec, that the release is made of; empty for none
  std::string edge;         ///< the unit that the world reaches; empty for none
  /// Below `data`: a directory where a file `closed` makes the edge answer 503 to everything.
  std::string door;
  std::vector<std::uint16_t> ports;         ///< that it listens on
  std::vector<std::string> answered_ports;  ///< questions, whose answers are more of them
  std::vector<SettingsDirectory> directories;
  std::vector<SettingsFile> settings;
  std::vector<SiteSecret> secrets;
  std::vector<SiteVariable> variables;
  std::vector<std::string> stores;    ///< directories below `data`
  std::vector<std::string> services;  ///< all programs but the edge
  std::vector<SiteRuntime> runtimes;
  std::vector<SiteImage> images;
  std::vector<std::string> programs;  ///< services that run what no bundle carries
};

/// Where it stands among the files of a release in its systemd form.
inline constexpr std::string_view kSiteNeeds = "systemd/SITE";

/// The same in any form: "compose/SITE".
[[nodiscard]] std::string site_needs_of(Form form);

/// What the names begin with by which a project in its form compose knows its images on a host.
inline constexpr std::string_view kImageVariable = "SITE_IMAGE_";

/// The variable of an image that SITE names: "SITE_IMAGE_BIG_CO" for "big-co".
[[nodiscard]] std::string image_variable(std::string_view image);

/// Where a release on a host keeps what was answered, below its `etc`: never a secret.
inline constexpr std::string_view kAnswersFile = "answers.env";

/// The most lines of one key.
inline constexpr std::size_t kMostSiteLines = 10'000;

/// Reads it, and checks what can be told from it alone.
[[nodiscard]] Checked<SiteNeeds> read_site_needs(std::string_view text);

/// Writes what `read_site_needs` reads, in its one form.
[[nodiscard]] std::string write_site_needs(const SiteNeeds& needs);

}  // namespace caisson::installer
