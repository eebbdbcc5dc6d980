#include <algorithm>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "api/operations.h"
#include "api/schemas.h"

namespace caisson::api {
namespace {

using testing::Contains;
using testing::Not;

TEST(Problems, HaveTheNamesOfTheirCodes) {
  std::set<std::string_view> names;
  for (auto i = 0U; i <= static_cast<unsigned>(Code::storage_full); ++i) {
    const auto code = static_cast<Code>(i);
    EXPECT_TRUE(names.insert(info(code).name).second) << info(code).name;
    EXPECT_EQ(code_named(info(code).name), code);
    EXPECT_GE(info(code).status, 400);
    EXPECT_FALSE(info(code).title.empty());
  }
  EXPECT_EQ(code_named("no-such-code"), Code::internal);
}

TEST(Resolve, FindsEveryOperationAtItsOwnPath) {
  for (const auto& operation : operations()) {
    std::string path(operation.path);
    if (const auto at = path.find("{id}"); at != std::string::npos) path.replace(at, 4, "x%2F");
    if (const auto at = path.find("{collection}"); at != std::string::npos) {
      path.replace(at, 12, "orders");
    }
    const auto call = resolve(operation.method, path);
    ASSERT_TRUE(call) << path;
    EXPECT_EQ(call->operation, &operation) << operation.name;
    EXPECT_EQ(call->collection,
              operation.path.find("{collection}") != std::string::npos ? "orders" : "");
    EXPECT_EQ(call->id, operation.path.find("{id}") != std::string::npos ? "x%2F" : "");
  }
}

TEST(Resolve, AnswersHeadWhereverGetIsAndNamesTheOthers) {
  EXPECT_EQ(resolve("HEAD", "/v1/records/orders")->operation->id, OperationId::list_records);
  EXPECT_EQ(resolve("PATCH", "/v1/records/orders")->operation, nullptr);
  EXPECT_EQ(allowed_methods("/v1/records/{collection}"), "GET, HEAD, POST");
  EXPECT_EQ(allowed_methods("/v1/records/{collection}/{id}"), "GET, HEAD, PUT, DELETE");
  EXPECT_EQ(allowed_methods("/v1/batch"), "POST");
}

TEST(Resolve, OpensSocketsWithGetAlone) {
  EXPECT_EQ(resolve("GET", watch_path)->operation->id, OperationId::watch_changes);
  EXPECT_EQ(resolve("HEAD", watch_path)->operation, nullptr);
  EXPECT_EQ(allowed_methods(watch_path), "GET");
}

TEST(Resolve, FindsNothingAtAnyOtherPath) {
  for (const auto* path : {"",
                           "/",
                           "/v1",
                           "/v1/",
                           "/v1/records/",
                           "/v1/records//",
                           "/v1/records/Orders",
                           "/v1/records/orders/",
                           "/v1/records/orders//",
                           "/v1/records/orders/x/",
                           "/v1/whoami/",
                           "/v1/records/orders/x/y",
                           "/v1/batch/x",
                           "/v1/recordsx",
                           "v1/records",
                           "/v2/records",
                           "/v1//records",
                           "//v1/records",
                           "/v1/records/%6Frders",
                           "/v1/tenants"}) {
    EXPECT_FALSE(resolve("GET", path)) << path;
  }
}

TEST(Operations, MayOnlyBeRefusedForTheirOwnReasons) {
  for (const auto& operation : operations()) {
    const auto codes = problems_of(operation);
    EXPECT_TRUE(std::ranges::is_sorted(codes));
    EXPECT_EQ(std::ranges::adjacent_find(codes), codes.end()) << operation.name;
    EXPECT_THAT(codes, Contains(Code::unauthenticated));
    // The operator's own.
    EXPECT_THAT(codes, Not(Contains(Code::foreign_snapshot)));
    EXPECT_EQ(operation.body != nullptr,
              std::ranges::find(codes, Code::invalid_record) != codes.end());
  }
}

TEST(Schemas, AreNamedOnceAndAfterThoseTheyUse) {
  std::set<std::string_view> known;
  const auto use = [&](const Schema* used, std::string_view by) {
    if (used != nullptr && !used->name.empty()) {
      EXPECT_TRUE(known.contains(used->name)) << by << " uses " << used->name;
    }
  };
  for (const auto* schema : components()) {
    use(schema->items, schema->name);
    for (const auto* variant : schema->variants) use(variant, schema->name);
    for (const auto& member : schema->members) {
      use(member.schema, schema->name);
      use(member.schema->items, schema->name);
    }
    EXPECT_TRUE(known.insert(schema->name).second) << schema->name;
  }
}

/// What the server accepts is what the document's pattern says.
TEST(Schemas, SayInTheirPatternsWhatTheServerAccepts) {
  for (const auto* schema : {&collection, &record_id, &idempotency_key}) {
    const std::regex pattern{std::string(schema->pattern)};
    const std::string sample(schema->example.empty() ? "a-Key~1" : schema->example);
    EXPECT_TRUE(schema->accepts(sample)) << schema->name;
    rc::check(std::string(schema->name), [&] {
      auto text = sample;
      const int edits = *rc::gen::inRange(0, 4);
      for (int i = 0; i < edits; ++i) {
        const auto at = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
        const auto letter = *rc::gen::oneOf(rc::gen::arbitrary<char>(),
                                            rc::gen::elementOf(std::string("aZ09-_ ~\x7F")));
        if (*rc::gen::arbitrary<bool>()) {
          text.insert(at, 1, letter);
        } else {
          text.erase(std::min(at, text.size()), 1);
        }
      }
      if (*rc::gen::inRange(0, 8) == 0) text += std::string(*rc::gen::inRange(0, 140), 'a');
      RC_ASSERT(schema->accepts(text) == std::regex_match(text, pattern));
    });
  }
}

}  // namespace
}  // namespace caisson::api
