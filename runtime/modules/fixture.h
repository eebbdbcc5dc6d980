#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "runtime/modules/records.h"
#include "runtime/storage/store.h"

namespace caisson::modules {

/// The records module on a real store of its own.
class Bench {
 public:
  static constexpr auto never = std::chrono::steady_clock::time_point::max();

  explicit Bench(const std::string& tenant = "0190a000-0000-7000-8000-000000000001",
                 std::span<const storage::Migration> schema = Records::schema())
      : tenant_(tenant) {
    std::string pattern = (std::filesystem::temp_directory_path() / "records.XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    open(schema, {});
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  /// Closes the store and opens it with another schema or other bounds.
  void open(std::span<const storage::Migration> schema, const storage::Store::Options& options) {
    store_.reset();
    auto store = storage::Store::open(directory_, tenant_, schema, true, options);
    if (!store) throw std::runtime_error(store.error().text());
    store_.emplace(std::move(*store));
    // Durability is tested where it is made; here thousands of commits are about what they say.
    store_->database().execute("PRAGMA synchronous=OFF");
  }

  /// Runs `job` as a batch of its own.
  template <class Job>
  void run(Job job) {
    EXPECT_TRUE(store_->begin());
    EXPECT_EQ(store_->run(job, never).fault, storage::Fault::none);
    EXPECT_TRUE(store_->commit());
  }

  RecordsAnswer send(RecordsRequest request) {
    request.now_ms = now_ms;
    request.scopes = scopes;
    if (request.content_type.empty()) request.content_type = "application/json";
    const auto call = api::resolve(request.method, request.path);
    if (!call || call->operation == nullptr) throw std::runtime_error("no such operation");
    request.call = *call;
    RecordsAnswer answer;
    run([&](storage::TenantStore& store) { answer = records_.handle(request, store); });
    return answer;
  }
  RecordsAnswer get(std::string_view path, std::string_view query = {}) {
    return send({.method = "GET", .path = path, .query = query});
  }
  RecordsAnswer batch(const std::string& operations) {
    const std::string body = R"({"operations":[)" + operations + "]}";
    return send({.method = "POST", .path = "/v1/batch", .body = body});
  }
  std::string create(std::string_view collection, std::string_view value) {
    const std::string path = "/v1/records/" + std::string(collection);
    const auto answer = send({.method = "POST", .path = path, .body = value});
    EXPECT_EQ(answer.status, 201) << answer.detail;
    return answer.location;
  }
  storage::Store& store() { return *store_; }

  std::int64_t now_ms = 1'771'000'000'000;
  std::vector<std::string> scopes{"read", "write"};

 private:
  std::string tenant_;
  std::filesystem::path directory_;
  std::optional<storage::Store> store_;
  Records records_{std::string(32, 'k')};
};

inline boost::json::object object(const RecordsAnswer& answer) {
  return boost::json::parse(answer.body).get_object();
}

inline std::string value_of(const RecordsAnswer& answer) {
  return boost::json::serialize(object(answer).at("value"));
}

}  // namespace caisson::modules
