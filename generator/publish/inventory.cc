#include "generator/publish/inventory.h"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>

#include "base/hex.h"

namespace caisson::publish {
namespace {

namespace json = boost::json;

constexpr std::int64_t kFormat = 1;

tl::unexpected<Failure> unusable(const std::string& why) {
  return fail(
      std::string(kInventoryName) + " is not usable: " + why,
      "restore it from version control, where two branches differ either side of it whole, and "
      "generate with --force: without it nobody knows where data are");
}

std::string quoted(std::string_view text) { return json::serialize(json::string_view(text)); }

const std::string* text_of(const json::object& object, std::string_view key, std::string& into) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return nullptr;
  into.assign(value->get_string().data(), value->get_string().size());
  return &into;
}

bool is_sha256(std::string_view text) { return text.size() == 64 && is_hex(text); }

Result<std::pair<std::string, Entry>> parse_entry(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return unusable("an entry of 'files' is not an object");
  std::string path;
  std::string mode;
  Entry entry;
  if (text_of(*object, "path", path) == nullptr || !is_contained(path)) {
    return unusable("it names a path outside its directory");
  }
  if (text_of(*object, "sha256", entry.sha256) == nullptr || !is_sha256(entry.sha256)) {
    return unusable("the digest of '" + path + "' is not a sha-256");
  }
  if (text_of(*object, "mode", mode) == nullptr || (mode != "0644" && mode != "0755")) {
    return unusable("the mode of '" + path + "' is neither 0644 nor 0755");
  }
  if (text_of(*object, "owner", entry.owner) == nullptr) {
    return unusable("'" + path + "' has no owner");
  }
  entry.executable = mode == "0755";
  return std::pair{std::move(path), std::move(entry)};
}

Result<render::Place> parse_place(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return unusable("an entry of 'places' is not an object");
  render::Place place;
  for (const auto& [key, into] : {std::pair{"target", &place.target},
                                  {"environment", &place.environment},
                                  {"volume", &place.volume},
                                  {"at", &place.at},
                                  {"class", &place.storage_class}}) {
    if (text_of(*object, key, *into) == nullptr) {
      return unusable("'" + std::string(key) + "' of a place is not a string");
    }
  }
  const auto* bytes = object->if_contains("bytes");
  if (bytes == nullptr || !bytes->is_int64() || bytes->get_int64() < 0) {
    return unusable("the size of volume '" + place.volume + "' is not a number of bytes");
  }
  place.bytes = bytes->get_int64();
  const auto* tenants = object->if_contains("tenants");
  if (tenants == nullptr)
    return unusable("'tenants' of volume '" + place.volume + "' is not a list");
  for (const auto& [name, into] :
       {std::pair{"tenants", &place.tenants}, {"left", &place.left}, {"moved", &place.moved}}) {
    const auto* names = object->if_contains(name);
    if (names == nullptr) continue;  // nobody did
    if (!names->is_array()) {
      return unusable("'" + std::string(name) + "' of volume '" + place.volume + "' is not a list");
    }
    for (const auto& tenant : names->get_array()) {
      if (!tenant.is_string()) {
        return unusable("a tenant of volume '" + place.volume + "' is not a string");
      }
      into->emplace_back(tenant.get_string());
    }
  }
  std::ranges::sort(place.moved);
  for (const auto& [key, into] :
       {std::pair{"service", &place.service}, {"replica-of", &place.replica_of}}) {
    if (object->contains(key) && text_of(*object, key, *into) == nullptr) {
      return unusable("'" + std::string(key) + "' of a place is not a string");
    }
  }
  const auto* gone = object->if_contains("gone");
  if (gone != nullptr && !gone->is_bool())
    return unusable("'gone' of volume '" + place.volume + "' is neither true nor false");
  place.gone = gone != nullptr && gone->get_bool();
  return place;
}

Result<render::Places> parse_places(const json::value& value) {
  const auto* list = value.if_array();
  if (list == nullptr) return unusable("'places' is not a list");
  render::Places places;
  for (const auto& item : *list) {
    auto place = parse_place(item);
    if (!place) return tl::unexpected(place.error());
    places.push_back(*std::move(place));
  }
  render::sort(places);
  const auto twice = std::ranges::adjacent_find(places, [](const auto& a, const auto& b) {
    return a.target == b.target && a.environment == b.environment && a.volume == b.volume;
  });
  if (twice != places.end())
    return unusable("it says twice where volume '" + twice->volume + "' is");
  return places;
}

std::string line_of(const render::Place& place) {
  std::string line = "    {\"target\": " + quoted(place.target) +
                     ", \"environment\": " + quoted(place.environment) +
                     ", \"volume\": " + quoted(place.volume) + ", \"at\": " + quoted(place.at) +
                     ", \"bytes\": " + std::to_string(place.bytes) +
                     ", \"class\": " + quoted(place.storage_class) + ", \"tenants\": [";
  const auto add = [&](const std::vector<std::string>& tenants) {
    const char* separator = "";
    for (const auto& tenant : tenants) {
      line += separator + quoted(tenant);
      separator = ", ";
    }
    line += "]";
  };
  add(place.tenants);
  if (!place.left.empty()) {
    line += ", \"left\": [";
    add(place.left);
  }
  if (!place.moved.empty()) {
    line += ", \"moved\": [";
    add(place.moved);
  }
  if (!place.service.empty()) line += ", \"service\": " + quoted(place.service);
  if (!place.replica_of.empty()) line += ", \"replica-of\": " + quoted(place.replica_of);
  if (place.gone) line += ", \"gone\": true";
  return line + "}";
}

}  // namespace

bool is_contained(std::string_view path) {
  const auto odd = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == 0x7f;
  };
  if (path.empty() || path.size() > 1024 || std::any_of(path.begin(), path.end(), odd))
    return false;
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto segment = path.substr(begin, end - begin);
    if (segment.empty() || segment == "." || segment == ".." || segment.size() > 200 ||
        segment.starts_with(".caisson-")) {
      return false;
    }
    begin = end + 1;
  }
  return true;
}

std::string to_json(const Inventory& inventory) {
  const auto& from = inventory.made_from;
  std::string out = "{\n  \"format\": " + std::to_string(kFormat);
  out += ",\n  \"caisson\": " + quoted(from.version);
  out += ",\n  \"spec\": " + quoted(from.spec_sha256);
  out += ",\n  \"environment\": " + quoted(from.environment);
  out += ",\n  \"blueprints\": " + quoted(from.blueprints);
  out += ",\n  \"blueprints-commit\": " + quoted(from.blueprints_commit);
  out += ",\n  \"files\": [";
  const char* separator = "\n";
  for (const auto& [path, entry] : inventory.files) {
    out += separator;
    out += "    {\"path\": " + quoted(path) + ", \"sha256\": " + quoted(entry.sha256) +
           ", \"mode\": \"" + (entry.executable ? "0755" : "0644") +
           "\", \"owner\": " + quoted(entry.owner) + "}";
    separator = ",\n";
  }
  out += inventory.files.empty() ? "]" : "\n  ]";
  if (inventory.places) {
    out += ",\n  \"places\": [";
    separator = "\n";
    for (const auto& place : *inventory.places) {
      out += separator + line_of(place);
      separator = ",\n";
    }
    out += inventory.places->empty() ? "]" : "\n  ]";
  }
  return out + "\n}\n";
}

Result<Inventory> parse_inventory(std::string_view text) {
  json::error_code error;
  const auto value = json::parse(text, error);
  if (error) return unusable(error.message());
  const auto* object = value.if_object();
  if (object == nullptr) return unusable("it is not a JSON object");
  const auto* format = object->if_contains("format");
  if (format == nullptr || !format->is_int64() || format->get_int64() != kFormat) {
    return unusable("its format is not " + std::to_string(kFormat));
  }
  Inventory inventory;
  auto& from = inventory.made_from;
  for (const auto& [key, into] : {std::pair{"caisson", &from.version},
                                  {"spec", &from.spec_sha256},
                                  {"environment", &from.environment},
                                  {"blueprints", &from.blueprints},
                                  {"blueprints-commit", &from.blueprints_commit}}) {
    // Earlier versions did not write the commit.
    if (into == &from.blueprints_commit && !object->contains(key)) continue;
    if (text_of(*object, key, *into) == nullptr) {
      return unusable("'" + std::string(key) + "' is not a string");
    }
  }
  const auto* files = object->if_contains("files");
  if (files == nullptr || !files->is_array()) return unusable("'files' is not a list");
  for (const auto& item : files->get_array()) {
    auto entry = parse_entry(item);
    if (!entry) return tl::unexpected(entry.error());
    const auto path = entry->first;
    if (!inventory.files.insert(*std::move(entry)).second) {
      return unusable("it names '" + path + "' twice");
    }
  }
  if (const auto* places = object->if_contains("places")) {
    auto read = parse_places(*places);
    if (!read) return tl::unexpected(read.error());
    inventory.places = *std::move(read);
  }
  return inventory;
}

}  // namespace caisson::publish
