#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace caisson::installer {

/// Why a bundle is refused. The number of each is stable (`caisson-install explain B0201`); the
/// table of titles and remedies is in refusal.cc.
enum class Code {
  // B01xx: signatures and keys; B012x: roots
  no_signature,
  not_a_signature,
  signature_truncated,
  signature_trailing,
  signature_version,
  signature_type,
  signature_algorithm,
  signature_subpacket,
  signature_number,
  unknown_key,
  revoked_key,
  key_mismatch,
  wrong_signature,
  signature_time,
  bad_key,
  bad_ring,
  bad_root,
  root_gap,
  root_rollback,
  root_epoch,
  root_threshold,
  root_predecessor,
  root_not_trusted,
  // B02xx: texts
  text_too_large,
  text_encoding,
  text_line,
  text_number,
  text_digest,
  text_key,
  text_order,
  text_path,
  path_conflict,
  future_format,
  bad_envelope,
  too_many,
  // B03xx: files, chunks, archives and parts
  missing_file,
  unlisted_file,
  wrong_content,
  wrong_size,
  bad_chunk,
  not_a_regular_file,
  bad_archive,
  bad_part,
  unreadable_medium,
  foreign_part,
  missing_part,
  doubled_part,
  cut_short,
  chunk_size,
  chunk_window,
  lost_names,
  bad_layout,
  // B04xx: which release it is
  other_product,
  other_arch,
  older_release,
  changed_release,
  no_path_to_release,
  wrong_base,
  other_epoch,
  refused_release,
  wrong_form,
  with_programs,
  other_place,
  edited_twice,
  older_reader,
  no_previous,
  missing_secret,
  not_migrated,
  not_well,
  leaking,
  missing_answer,
  wrong_answer,
  other_waiver,
  other_form,
  no_way_back,
  data_move,
  // B05xx: what this host cannot do
  host_write,
  host_full,
  host_in_the_way,
  host_read,
  host_confine,
  host_memory,
  host_root,
  host_command,
  host_lacks,
  not_installed,
  installed_already,
  host_busy,
  unfinished,
  damaged,
  port_taken,
  not_well_before,
  own_mount,
  foreign_name,
  not_staged,
  not_held,
  in_archive,
  nothing_to_try,
  no_client,
  no_cluster,
  other_cluster,
  cluster_lacks,
  helm_failed,
  same_release,
  // B06xx: a registry of the site
  registry_unreachable,
  registry_certificate,
  registry_login,
  registry_refused,
  image_names,
  serving_port,
  engine_refused,
  // B07xx: the layers of an image, when its root is made
  bad_layer,
  layer_path,
  layer_link,
  layer_kind,
  layer_sparse,
  layer_too_large,
  layer_in_the_way,
  other_layer,
  image_program,
};

/// What a code is called and what to do about it.
struct Entry {
  Code code;
  std::string_view number;  ///< "B0201"
  std::string_view title;
  std::string_view remedy;  ///< what a person at the site can do
};

/// Every code, sorted by number.
[[nodiscard]] std::span<const Entry> refusals();

/// The entry of a code.
[[nodiscard]] const Entry& entry_of(Code code);

/// Whether the code says that a medium, this host or a registry of the site does not do its part,
/// and nothing of a bundle.
[[nodiscard]] bool is_of_the_host(Code code);

/// A bundle, or a part of one, that is refused: nothing of it is used. Or a medium (B0309) or a
/// host (B05xx) that cannot be read or written, so that a caller has one kind of error.
struct Refusal {
  Code code;
  std::string what;  ///< lower case: which file, which line, what stands there; fit for a terminal
};

/// What everything returns that can go wrong at a site.
template <class T>
using Checked = tl::expected<T, Refusal>;

[[nodiscard]] inline tl::unexpected<Refusal> refuse(Code code, std::string what) {
  return tl::unexpected<Refusal>(Refusal{code, std::move(what)});
}

}  // namespace caisson::installer
