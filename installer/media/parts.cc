#include "installer/media/parts.h"

#include <algorithm>
#include <utility>

#include "base/hex.h"
#include "installer/format/lines.h"

namespace caisson::installer {
namespace {

struct Part {
  PartHeader header;
  std::unique_ptr<Source> file;
};

class Joined final : public Source {
 public:
  Joined(std::vector<Part> parts, std::string shown)
      : Source(parts.front().header.total, std::move(shown)), parts_(std::move(parts)) {}

  Checked<void> read(std::uint64_t offset, std::span<char> into) const override {
    if (offset > size() || into.size() > size() - offset) {
      return refuse(Code::cut_short,
                    shown() + " has " + std::to_string(size()) + " bytes, and more were expected");
    }
    while (!into.empty()) {
      const auto after = std::ranges::upper_bound(
          parts_, offset, {}, [](const Part& part) { return part.header.offset; });
      const auto& part = *std::prev(after);
      const auto within = offset - part.header.offset;
      const auto length = std::min<std::uint64_t>(into.size(), part.header.length - within);
      if (auto read =
              part.file->read(kPartHeader + within, into.first(static_cast<std::size_t>(length)));
          !read) {
        return read;
      }
      into = into.subspan(static_cast<std::size_t>(length));
      offset += length;
    }
    return {};
  }

 private:
  std::vector<Part> parts_;  // by offset, without gaps
};

std::string of_parts(const PartHeader& header) {
  return "part " + std::to_string(header.number) + " of " + std::to_string(header.parts);
}

Checked<Part> open_part(std::unique_ptr<Source> file) {
  std::string bytes(kPartHeader, '\0');
  if (auto read = file->read(0, bytes); !read) return tl::unexpected(read.error());
  const auto header = read_part_header(file->shown(), bytes);
  if (!header) return tl::unexpected(header.error());
  const auto expected = kPartHeader + header->length;
  if (file->size() != expected) {
    return refuse(file->size() < expected ? Code::cut_short : Code::bad_part,
                  file->shown() + " has " + std::to_string(file->size()) + " bytes, and as " +
                      of_parts(*header) + " it should have " + std::to_string(expected));
  }
  return Part{.header = *header, .file = std::move(file)};
}

/// Why the two cannot belong to one transport.
std::optional<Refusal> foreign(const Part& part, const Part& first) {
  if (part.header.manifest != first.header.manifest) {
    return Refusal{Code::foreign_part, part.file->shown() + " is of the bundle " +
                                           hex(part.header.manifest).substr(0, 16) + ", and " +
                                           first.file->shown() + " of " +
                                           hex(first.header.manifest).substr(0, 16)};
  }
  if (part.header.parts != first.header.parts || part.header.total != first.header.total) {
    return Refusal{Code::foreign_part, part.file->shown() + " is " + of_parts(part.header) +
                                           ", and " + first.file->shown() + " is " +
                                           of_parts(first.header) +
                                           ": the bundle was cut twice, in two ways"};
  }
  return std::nullopt;
}

}  // namespace

std::string write_part_header(const PartHeader& header) {
  auto text = std::string(kPartMark) + "1\nmanifest " + hex(header.manifest) + "\npart " +
              std::to_string(header.number) + "\nparts " + std::to_string(header.parts) +
              "\noffset " + std::to_string(header.offset) + "\nlength " +
              std::to_string(header.length) + "\ntotal " + std::to_string(header.total) + "\n";
  text.resize(kPartHeader - 1, ' ');
  return text + "\n";
}

Checked<PartHeader> read_part_header(const std::string& name, std::string_view bytes) {
  const auto end = bytes.find_last_not_of(" \n");
  const auto text = bytes.substr(0, end == std::string_view::npos ? 0 : end + 2);
  Lines lines(name, text);
  PartHeader header;
  lines.take("caisson-part");
  if (lines.number() != kFormat) lines.refuse(Code::future_format, "the part is of another format");
  lines.take("manifest");
  header.manifest = lines.digest();
  const std::pair<std::string_view, std::uint64_t*> numbers[] = {{"part", &header.number},
                                                                 {"parts", &header.parts},
                                                                 {"offset", &header.offset},
                                                                 {"length", &header.length},
                                                                 {"total", &header.total}};
  for (const auto& [key, value] : numbers) {
    lines.take(key);
    *value = lines.number();
  }
  lines.end();
  if (lines.refusal()) {
    const bool newer = lines.refusal()->code == Code::future_format;
    return refuse(newer ? Code::future_format : Code::bad_part, lines.refusal()->what);
  }
  if (write_part_header(header) != bytes) {
    return refuse(Code::bad_part, name + ": the header of the part has another form");
  }
  if (header.number == 0 || header.number > header.parts || header.parts > kMostParts ||
      header.length == 0 || header.total > kMostOfTransport || header.length > header.total ||
      header.offset > header.total - header.length ||
      (header.number == 1) != (header.offset == 0)) {
    return refuse(Code::bad_part, name + ": the numbers in the part's header make no sense");
  }
  return header;
}

std::string part_name(std::string_view product, std::uint64_t number) {
  std::string name;
  for (const char c : product) {
    if (name.size() == 8) break;
    if (c >= 'a' && c <= 'z') name += static_cast<char>(c - 'a' + 'A');
    if (c >= '0' && c <= '9') name += c;
  }
  const auto digits = std::to_string(number);
  return name + "." + std::string(3 - std::min<std::size_t>(3, digits.size()), '0') + digits;
}

Checked<Parts> join_parts(std::vector<std::unique_ptr<Source>> files, std::string shown) {
  std::vector<Part> parts;
  for (auto& file : files) {
    auto part = open_part(std::move(file));
    if (!part) return tl::unexpected(part.error());
    if (auto refusal = foreign(*part, parts.empty() ? *part : parts.front())) {
      return tl::unexpected(*refusal);
    }
    parts.push_back(*std::move(part));
  }
  if (parts.empty()) return refuse(Code::missing_part, shown + " holds no part of a bundle");
  std::ranges::sort(parts, {}, [](const Part& part) { return part.header.number; });
  const auto& first = parts.front().header;
  std::uint64_t offset = 0;
  for (std::uint64_t number = 1; number <= first.parts; ++number) {
    const auto at = static_cast<std::size_t>(number - 1);
    if (at > 0 && at < parts.size() && parts[at].header.number == parts[at - 1].header.number) {
      return refuse(Code::doubled_part, parts[at - 1].file->shown() + " and " +
                                            parts[at].file->shown() + " both are " +
                                            of_parts(parts[at].header));
    }
    if (at >= parts.size() || parts[at].header.number != number) {
      return refuse(Code::missing_part, shown + ": part " + std::to_string(number) + " of " +
                                            std::to_string(first.parts) + " is not there");
    }
    if (parts[at].header.offset != offset) {
      return refuse(Code::foreign_part,
                    parts[at].file->shown() + " does not begin where the part before it ends");
    }
    offset += parts[at].header.length;
  }
  if (parts.size() > first.parts) {
    return refuse(Code::doubled_part, parts[parts.size() - 2].file->shown() + " and " +
                                          parts.back().file->shown() + " both are " +
                                          of_parts(parts.back().header));
  }
  if (offset != first.total) {
    return refuse(Code::bad_part, shown + ": the parts do not add up to the transport");
  }
  const auto manifest = first.manifest;
  return Parts{.transport = std::make_unique<Joined>(std::move(parts), std::move(shown)),
               .manifest = manifest};
}

}  // namespace caisson::installer
