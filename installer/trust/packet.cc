#include "installer/trust/packet.h"

namespace caisson::installer {
namespace {

constexpr unsigned kPacket = 0x80;
constexpr unsigned kNewForm = 0x40;

}  // namespace

std::string big_endian(std::uint64_t number, std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t i = count; i-- > 0; number >>= 8U) bytes[i] = static_cast<char>(number);
  return bytes;
}

std::uint64_t number_at(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

Checked<Packet> take_packet(std::string_view name, std::string_view& bytes) {
  const auto refused = [&](Code code, std::string_view why) {
    return refuse(code, std::string(name) + ": " + std::string(why));
  };
  if (bytes.starts_with("-----BEGIN PGP")) {
    return refused(Code::not_a_signature, "it is ASCII-armored, and has to be binary");
  }
  if (bytes.empty() || (number_at(bytes.substr(0, 1)) & kPacket) == 0) {
    return refused(Code::not_a_signature, "it does not begin with an OpenPGP packet");
  }
  const auto first = static_cast<unsigned>(number_at(bytes.substr(0, 1)));
  const bool new_form = (first & kNewForm) != 0;
  const unsigned tag = new_form ? first & 0x3fU : first >> 2U & 0x0fU;
  if (bytes.size() < 3) return refused(Code::signature_truncated, "it ends in a packet's header");

  std::size_t header = 2;
  std::size_t length = number_at(bytes.substr(1, 1));
  const bool two = new_form ? length >= 192 && length < 224 : (first & 3U) == 1;
  if (two) {
    header = 3;
    length = number_at(bytes.substr(1, 2));
    if (new_form) length = length - (std::size_t{192} << 8U) + 192;
  }
  const bool other = new_form ? !two && length >= 224 : (first & 3U) > 1;
  if (other || (two && !new_form && length < 256)) {
    return refused(Code::not_a_signature, "the length of a packet has another form");
  }
  if (bytes.size() - header < length) {
    return refused(Code::signature_truncated, "it ends before its packet does");
  }
  const Packet taken{.tag = tag, .body = bytes.substr(header, length)};
  bytes.remove_prefix(header + length);
  return taken;
}

std::string packet(Tag tag, std::string_view body) {
  const bool two = body.size() > 255;
  std::string bytes(
      1, static_cast<char>(kPacket | static_cast<unsigned>(tag) << 2U | (two ? 1U : 0U)));
  return bytes.append(big_endian(body.size(), two ? 2 : 1)).append(body);
}

}  // namespace caisson::installer
