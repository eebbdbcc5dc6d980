#pragma once

#include <string>
#include <string_view>

namespace caisson::installer::testing {

/// 64 hexadecimal digits that begin with `start`.
inline std::string digits(std::string_view start) {
  return std::string(start) + std::string(64 - start.size(), '0');
}

/// A manifest with everything that one can hold.
inline std::string sample_manifest() {
  return "format 1\n"
         "product agentik\n"
         "arch amd64\n"
         "release 1/1000001000000\n"
         "installer " +
         digits("1a") +
         "\n"
         "version 1.1.0\n"
         "from 1.0.0\n"
         "via 1.0.9\n"
         "data 3\n"
         "reads 2\n"
         "date 1735689600\n"
         "forms compose systemd\n"
         "unpacked 4096\n"
         "base " +
         digits("ba") +
         " 1.0.9\n"
         "place compose tenant/globex runtime-data\n"
         "place compose volume/runtime-data agentik_runtime-data\n"
         "place systemd tenant/globex runtime-data\n"
         "answer domain domain\n"
         "default agentik.example.com\n"
         "text Under which name do people reach it?\n"
         "answer tls word\n"
         "default internal\n"
         "choice files\n"
         "choice internal\n"
         "text Where do certificates come from?\n"
         "chunk " +
         digits("c1") +
         " 90 100\n"
         "file 60 0755 " +
         digits("f1") +
         " bin/caisson-runtime\n"
         "file 40 0644 " +
         digits("f2") +
         " bin/with a blank\n"
         "chunk " +
         digits("c2") +
         " 80 8388608\n"
         "chunk " +
         digits("c3") +
         " 20 1\n"
         "file 8388609 0644 " +
         digits("f3") +
         " models/large.gguf\n"
         "patch " +
         digits("c4") + " 20 30 " + digits("b4") +
         "\n"
         "file 30 0644 " +
         digits("f4") +
         " patched\n"
         "same\n"
         "file 50 0644 " +
         digits("f5") +
         " unchanged\n"
         "image linux/amd64 registry.example.com/app@sha256:" +
         digits("e0") +
         "\n"
         "index " +
         digits("e0") +
         " 400 application/vnd.docker.distribution.manifest.list.v2+json\n"
         "manifest " +
         digits("e4") +
         " 500 application/vnd.oci.image.manifest.v1+json\n"
         "config " +
         digits("e1") +
         " 600\n"
         "layer " +
         digits("e2") + " 700 " + digits("d2") +
         " 1400\n"
         "layer " +
         digits("e3") + " 800 " + digits("d3") +
         " 1500\n"
         "entrypoint /app serve\n"
         "command % with%20blank\n"
         "env PATH=/bin:/usr/bin\n"
         "env GREETING=a%25b\n"
         "workdir /srv\n"
         "user 65532:65532\n";
}

/// `text` with the first `what` replaced. Empty when there is none, which no reader takes.
inline std::string with(std::string text, std::string_view what, std::string_view other) {
  const auto at = text.find(what);
  if (at == std::string::npos) return {};
  return text.replace(at, what.size(), other);
}

}  // namespace caisson::installer::testing
