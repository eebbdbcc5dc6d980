#pragma once

#include <string>
#include <string_view>

#include "installer/format/manifest.h"
#include "installer/image/root.h"

namespace caisson::installer {

/// What a unit file leaves to the image that it runs: the text of a file `<unit>.d/image.conf`
/// (systemd.unit(5)). `place` is the absolute path of the root, without links: systemd 252 takes no
/// others. `unit` is the text of the unit file as Caisson generates it. Variables that
/// it sets win over the image's, and words behind the program of its `ExecStart=` take the place of
/// the image's command. A program without a '/' is looked for in the image's PATH; one that is not
/// there or is no program is `Code::image_program`.
[[nodiscard]] Checked<std::string> unit_of_image(const Image& image, NewOwner owner,
                                                 const RootDirectory& root, std::string_view place,
                                                 std::string_view unit);

/// Where an image lies below the directory that `install_image` makes.
inline constexpr std::string_view kImageRoot = "root";
inline constexpr std::string_view kImageUnit = "image.conf";

/// How an image is installed.
struct Installing {
  NewOwner owner;
  std::string unit;       ///< the text of its unit file
  std::string directory;  ///< of the disk, to be made
  std::string place;      ///< the absolute path that the directory will have, without links
};

/// Makes a directory with an image's root and with what its unit has to be told.
[[nodiscard]] Checked<void> install_image(const Image& image, const Installing& how,
                                          const ReadBlob& read, Disk& disk);

}  // namespace caisson::installer
