#pragma once

#include "installer/format/manifest.h"
#include "installer/format/words.h"

namespace caisson::installer {

inline constexpr Word<std::string_view> kArches[] = {{"amd64", "amd64"}, {"arm64", "arm64"}};
inline constexpr Word<std::string_view> kForms[] = {
    {"compose", "compose"}, {"helm", "helm"}, {"systemd", "systemd"}};
inline constexpr Word<bool> kModes[] = {{"0644", false}, {"0755", true}};
inline constexpr Word<AnswerType> kAnswerTypes[] = {
    {"address", AnswerType::address}, {"domain", AnswerType::domain},
    {"email", AnswerType::email},     {"path", AnswerType::path},
    {"port", AnswerType::port},       {"secret", AnswerType::secret},
    {"word", AnswerType::word}};
inline constexpr Word<MediaType> kManifestTypes[] = {
    {"application/vnd.oci.image.manifest.v1+json", MediaType::oci_manifest},
    {"application/vnd.docker.distribution.manifest.v2+json", MediaType::docker_manifest}};
inline constexpr Word<MediaType> kIndexTypes[] = {
    {"application/vnd.oci.image.index.v1+json", MediaType::oci_index},
    {"application/vnd.docker.distribution.manifest.list.v2+json", MediaType::docker_index}};

}  // namespace caisson::installer
