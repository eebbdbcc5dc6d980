#include "runtime/client/backup.h"

#include <algorithm>
#include <system_error>

#include <boost/json.hpp>

#include "runtime/client/operator_client.h"
#include "runtime/context/object_reader.h"
#include "runtime/context/secret_file.h"
#include "runtime/context/strict_json.h"
#include "runtime/storage/files.h"
#include "runtime/storage/snapshot.h"

namespace caisson::client {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::int64_t most_kept = 100'000;
constexpr std::size_t description_limit = std::size_t{1} << 16;

struct Tenant {
  std::string id;
  std::string slug;
};

/// A text member of an answer; empty when it is not there.
std::string text_of(const json::value& answer, std::string_view key) {
  const auto* object = answer.if_object();
  const auto* member = object == nullptr ? nullptr : object->if_contains(key);
  return member != nullptr && member->is_string() ? std::string(member->get_string())
                                                  : std::string{};
}

/// Whether a name of an answer can be part of a path and does not leave its directory.
bool is_plain(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

/// The JSON of an answer that is no refusal.
Result<json::value> ask(const BackupSettings& settings, std::string_view method,
                        const std::string& target, std::string body = {}) {
  const auto reply = ask_operator(settings.operator_address, settings.token,
                                  {.method = method, .target = target, .body = std::move(body)});
  if (!reply) return tl::unexpected(reply.error());
  if (reply->status == 204) return json::value();
  if (reply->status >= 400) {
    return fail(std::string(method) + " " + target + " was answered " + problem_text(*reply));
  }
  boost::system::error_code broken;
  auto answer = json::parse(reply->body, broken);
  if (broken) return fail("the answer to " + target + " is not JSON: " + broken.message());
  return answer;
}

Result<std::vector<Tenant>> list_tenants(const BackupSettings& settings) {
  std::vector<Tenant> tenants;
  std::string cursor;
  do {
    const auto page =
        ask(settings, "GET", "/v1/tenants?limit=100" + (cursor.empty() ? "" : "&cursor=" + cursor));
    if (!page) return tl::unexpected(page.error());
    const auto* object = page->if_object();
    const auto* list = object == nullptr ? nullptr : object->if_contains("tenants");
    if (list == nullptr || !list->is_array()) return fail("the list of tenants is no list");
    for (const auto& entry : list->get_array()) {
      if (text_of(entry, "status") == "deleted") continue;
      if (entry.is_object() && entry.get_object().contains("synthetic_until")) continue;
      tenants.push_back({.id = text_of(entry, "id"), .slug = text_of(entry, "slug")});
    }
    cursor = text_of(*page, "next");
  } while (!cursor.empty());
  return tenants;
}

fs::path file_of(const fs::path& directory, const std::string& id, const char* extension) {
  return directory / (id + extension);
}

/// Copies a snapshot's database under a temporary name, checks it, and gives it its name.
Result<void> copy_database(const fs::path& from, const fs::path& to, const std::string& sha256) {
  const fs::path temporary = unfinished(to);
  std::error_code error;
  fs::copy_file(from, temporary, fs::copy_options::overwrite_existing, error);
  if (error) return fail("cannot copy " + from.string() + ": " + error.message());
  const auto digest = sha256_of_file(temporary);
  if (!digest) return tl::unexpected(digest.error());
  if (*digest != sha256) {
    fs::remove(temporary, error);
    return fail("the copy of " + from.string() + " is not what the runtime wrote",
                "check the disk of the data and of the backups");
  }
  if (auto synced = sync_path(temporary); !synced) return synced;
  fs::rename(temporary, to, error);
  if (error) return fail("cannot rename " + temporary.string() + ": " + error.message());
  return {};
}

/// Copies both files of a snapshot, the description last: without it there is none.
Result<void> copy_snapshot(const fs::path& from, const fs::path& to, const std::string& id,
                           const std::string& description, const std::string& sha256) {
  if (auto copied = copy_database(file_of(from, id, ".db"), file_of(to, id, ".db"), sha256);
      !copied) {
    return copied;
  }
  return write_file(file_of(to, id, ".json"), description);
}

/// The ids of what was finished in `directory`, oldest first.
Result<std::vector<std::string>> finished_in(const fs::path& directory) {
  const auto names = list_directory(directory);
  if (!names) return tl::unexpected(names.error());
  std::vector<std::string> ids;
  for (const fs::path file : *names) {
    if (file.extension() == ".json") ids.push_back(file.stem().string());
  }
  std::ranges::sort(ids);  // UUIDv7: by time
  return ids;
}

Result<void> save(const BackupSettings& settings, const Tenant& tenant) {
  const auto taken = ask(settings, "POST", "/v1/tenants/" + tenant.slug + "/snapshots");
  if (!taken) return tl::unexpected(taken.error());
  const auto id = text_of(*taken, "id");
  if (!is_plain(id)) return fail("the runtime named no snapshot");
  const auto data = storage::find_data_directory(settings.data);
  if (!data) return tl::unexpected(data.error());
  const auto from = *data / "snapshots" / tenant.id;
  const auto to = settings.to / tenant.slug;
  if (auto made = storage::make_private_directory(to); !made) return made;
  if (auto cleared = storage::clear_unfinished_snapshots(to); !cleared) return cleared;
  const auto description = read_file(file_of(from, id, ".json"), description_limit);
  if (!description) return tl::unexpected(description.error());
  if (auto copied = copy_snapshot(from, to, id, *description, text_of(*taken, "sha256")); !copied) {
    return copied;
  }
  if (auto removed = storage::remove_snapshot(from, id); !removed) return removed;
  const auto ids = finished_in(to);
  if (!ids) return tl::unexpected(ids.error());
  const auto kept = static_cast<std::size_t>(settings.keep);
  for (std::size_t i = 0; i + kept < ids->size(); ++i) {
    if (auto removed = storage::remove_snapshot(to, (*ids)[i]); !removed) return removed;
  }
  return {};
}

/// Whose a copy is, as it says itself.
struct Described {
  std::string text;
  std::string tenant;
  std::string slug;
  std::string sha256;
};

Result<Described> describe(const fs::path& file) {
  auto text = read_file(file, description_limit);
  if (!text) return tl::unexpected(text.error());
  boost::system::error_code broken;
  const auto value = json::parse(*text, broken);
  if (broken) return fail(file.string() + " is not JSON: " + broken.message());
  return Described{.text = *std::move(text),
                   .tenant = text_of(value, "tenant"),
                   .slug = text_of(value, "slug"),
                   .sha256 = text_of(value, "sha256")};
}

}  // namespace

Result<BackupSettings> load_backup_settings(const fs::path& file) {
  const auto text = context::read_small_file(file);
  if (!text) return tl::unexpected(text.error());
  const auto document = context::parse_strict(*text);
  if (!document) return fail(file.string() + ": " + document.error().what);
  std::error_code error;
  const auto place = fs::absolute(file, error).parent_path();
  if (error) return fail("cannot tell where " + file.string() + " is: " + error.message());
  const auto path = [&](const std::string& named) {
    return named.empty() ? fs::path() : (place / named).lexically_normal();
  };
  BackupSettings settings;
  context::ObjectReader::Faults faults;
  fs::path token_file;
  {
    context::ObjectReader object(*document, "", faults);
    settings.operator_address = object.required_text("operator");
    token_file = path(object.required_text("token-file"));
    settings.data = path(object.required_text("data"));
    settings.to = path(object.required_text("to"));
    settings.keep = object.integer("keep", settings.keep, 1, most_kept);
  }
  if (!faults.empty()) {
    std::string all;
    for (const auto& fault : faults) {
      all += (all.empty() ? "" : ", ") + fault.pointer + " " + fault.detail;
    }
    return fail(file.string() + ": " + all);
  }
  auto token = context::read_secret_file(token_file);
  if (!token) return tl::unexpected(token.error());
  settings.token = std::move(*token);
  return settings;
}

Result<BackupReport> back_up(const BackupSettings& settings) {
  const auto tenants = list_tenants(settings);
  if (!tenants) return tl::unexpected(tenants.error());
  BackupReport report;
  for (const auto& tenant : *tenants) {
    auto saved = is_plain(tenant.slug) && is_plain(tenant.id)
                     ? save(settings, tenant)
                     : Result<void>(fail("the runtime named no such tenant"));
    if (saved) {
      ++report.saved;
    } else {
      report.problems.push_back("tenant " + tenant.slug + ": " + saved.error().text());
    }
  }
  return report;
}

Result<std::string> restore_copy(const BackupSettings& settings, const CopyToRestore& copy) {
  if (!is_plain(copy.slug) || (!copy.id.empty() && !is_plain(copy.id))) {
    return fail("'" + copy.slug + "' is no tenant's slug, or '" + copy.id + "' no copy's id");
  }
  const auto copies = settings.to / copy.slug;
  const auto ids = finished_in(copies);
  if (!ids) return tl::unexpected(ids.error());
  const std::string id = !copy.id.empty() ? copy.id : ids->empty() ? "" : ids->back();
  if (std::ranges::find(*ids, id) == ids->end()) {
    return fail("there is no copy " + (id.empty() ? "" : id + " ") + "in " + copies.string());
  }
  const auto described = describe(file_of(copies, id, ".json"));
  if (!described) return tl::unexpected(described.error());
  if (!described->slug.empty() && described->slug != copy.slug) {
    return fail("the copy " + id + " in " + copies.string() + " is of another tenant",
                "put it back to where it was");
  }
  const auto shown = ask(settings, "GET", "/v1/tenants/" + copy.slug);
  if (!shown) return tl::unexpected(shown.error());
  const auto tenant = text_of(*shown, "id");
  if (!is_plain(tenant)) return fail("the runtime named no such tenant");
  if (described->tenant != tenant && !copy.by_slug) {
    return fail("the copy " + id + " is of an earlier tenant '" + copy.slug + "', " +
                    (is_plain(described->tenant) ? described->tenant : "which it does not name"),
                "when that is the same customer's, say --by-slug");
  }
  const auto data = storage::find_data_directory(settings.data);
  if (!data) return tl::unexpected(data.error());
  const auto place = *data / "snapshots" / tenant;
  if (auto made = storage::make_private_directory(place); !made) {
    return tl::unexpected(made.error());
  }
  auto restored = [&]() -> Result<std::string> {
    if (auto copied = copy_snapshot(copies, place, id, described->text, described->sha256);
        !copied) {
      return tl::unexpected(copied.error());
    }
    const auto answer =
        ask(settings, "POST", "/v1/tenants/" + copy.slug + "/restore",
            json::serialize(json::object{{"snapshot", id}, {"from", described->tenant}}));
    if (!answer) return tl::unexpected(answer.error());
    return id;
  }();
  // It stays where the copies are.
  if (auto removed = storage::remove_snapshot(place, id); !removed && restored) {
    return tl::unexpected(removed.error());
  }
  return restored;
}

}  // namespace caisson::client
