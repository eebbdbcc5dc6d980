#include "installer/media/tar.h"

#include <numeric>
#include <optional>

#include "base/printable.h"
#include "installer/format/path.h"
#include "installer/media/layout.h"

namespace caisson::installer {
namespace {

/// A field of the header: where it begins and how many bytes it has.
struct Field {
  std::size_t at;
  std::size_t size;
};

constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kOwner{108, 8};
constexpr Field kGroup{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kMagic{257, 8};
constexpr Field kDeviceMajor{329, 8};
constexpr Field kDeviceMinor{337, 8};
constexpr Field kPrefix{345, 155};

std::string_view field(std::string_view block, Field field) {
  return block.substr(field.at, field.size);
}

/// Up to the first NUL.
std::string_view text(std::string_view block, Field where) {
  const auto bytes = field(block, where);
  return bytes.substr(0, bytes.find('\0'));
}

void put(std::string& block, Field field, std::string_view bytes) {
  block.replace(field.at, bytes.size(), bytes);
}

std::string octal(std::uint64_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, value >>= 3) {
    *digit = static_cast<char>('0' + (value & 7));
  }
  return text;
}

std::optional<std::uint64_t> octal_of(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '7') return std::nullopt;
    value = value << 3 | static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

/// The sum of all bytes, with blanks for the sum itself.
std::string checksum(std::string block) {
  put(block, kChecksum, "        ");
  const auto sum = std::accumulate(
      block.begin(), block.end(), std::uint64_t{0},
      [](std::uint64_t total, char byte) { return total + static_cast<unsigned char>(byte); });
  return octal(sum, 6) + std::string("\0 ", 2);
}

/// What other archives hold, by the type in the header; empty for a regular file.
std::string_view fault_of_type(char type) {
  switch (type) {
    case '0':
      return {};
    case '1':
    case '2':
      return "it is a link";
    case '3':
    case '4':
    case '6':
      return "it is a device or a pipe";
    case '5':
      return "it is a directory";
    case 'L':
    case 'K':
      return "it has a long name in GNU's way";
    case 'S':
      return "it is a sparse file in GNU's way";
    case 'x':
    case 'g':
      return "it has a pax header";
    default:
      return "it is of a type that is not in a bundle";
  }
}

}  // namespace

std::string tar_header(const Member& member) {
  const std::string_view path = member.path;
  std::size_t name = 0;  // where the name begins, behind the prefix and a '/'
  while (path.size() - name > kName.size) {
    const auto slash = path.find('/', name);
    if (slash == std::string_view::npos) return {};
    name = slash + 1;
  }
  if (path.empty() || name > kPrefix.size + 1 || member.size > kMostOfMember) return {};
  std::string block(kTarBlock, '\0');
  put(block, kName, path.substr(name));
  if (name > 0) put(block, kPrefix, path.substr(0, name - 1));
  const bool runs = path.substr(path.rfind('/') + 1) == kInstaller;
  put(block, kMode, runs ? "0000755" : "0000644");
  put(block, kOwner, "0000000");
  put(block, kGroup, "0000000");
  put(block, kSize, octal(member.size, kSize.size - 1));
  put(block, kTime, octal(0, kTime.size - 1));
  put(block, kType, "0");
  put(block, kMagic, std::string_view("ustar\00000", 8));
  put(block, kDeviceMajor, "0000000");
  put(block, kDeviceMinor, "0000000");
  put(block, kChecksum, checksum(block));
  return block;
}

Checked<Member> read_tar_header(const std::string& shown, std::string_view block) {
  const auto refused = [&](Code code, const std::string& why) {
    return refuse(code, shown + ": '" + printable(text(block, kName)) + "': " + why);
  };
  if (block.size() != kTarBlock) return refuse(Code::cut_short, shown + " ends within a header");
  if (field(block, kMagic) != std::string_view("ustar\00000", 8)) {
    return refused(Code::bad_archive, "here is no header of a ustar archive");
  }
  if (field(block, kChecksum) != checksum(std::string(block))) {
    return refused(Code::bad_archive, "the checksum of its header is wrong");
  }
  const char type = block[kType.at];
  if (const auto fault = fault_of_type(type); !fault.empty()) {
    const bool node = type >= '1' && type <= '6';
    return refused(node ? Code::not_a_regular_file : Code::bad_archive, std::string(fault));
  }
  Member member;
  const auto prefix = text(block, kPrefix);
  if (!prefix.empty()) member.path.append(prefix).append("/");
  member.path.append(text(block, kName));
  if (const auto fault = fault_of_path(member.path); !fault.empty()) {
    return refused(Code::text_path, std::string(fault));
  }
  const auto digits = field(block, kSize);
  const auto size = octal_of(digits.substr(0, digits.size() - 1));
  if (!size) return refused(Code::bad_archive, "its size is not written in eleven octal digits");
  member.size = *size;
  // Whatever another reader could understand differently is not there.
  if (tar_header(member) != block) {
    return refused(Code::bad_archive, "its header says more than a path and a size");
  }
  return member;
}

}  // namespace caisson::installer
