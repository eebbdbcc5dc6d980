#include "runtime/modules/records.h"

#include <map>
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "runtime/modules/fixture.h"
#include "runtime/modules/idempotency.h"
#include "runtime/modules/rows.h"

namespace caisson::modules {
namespace {

namespace json = boost::json;

TEST(Records, CreatedRecordIsReadBackAsItWasSent) {
  Bench bench;
  // Numbers are not rewritten: a total of 1.10 stays 1.10, and a big one loses no digit.
  const std::string value = R"({"total":1.10,"big":12345678901234567890123,"text":"\u00e9 \"q\""})";
  const auto location = bench.create("orders", value);
  const auto read = bench.get(location);
  EXPECT_EQ(read.status, 200);
  EXPECT_NE(read.body.find(R"("value":)" + value + "}"), std::string::npos) << read.body;
  EXPECT_EQ(read.etag, "\"1\"");
  EXPECT_EQ(object(read).at("created").as_string(), "2026-02-13T16:26:40.000Z");
}

TEST(Records, ReplaceCountsVersionsAndDeleteIsFinal) {
  Bench bench;
  const auto location = bench.create("orders", R"({"n":1})");
  const auto replaced = bench.send({.method = "PUT", .path = location, .body = R"({"n":2})"});
  EXPECT_EQ(replaced.etag, "\"2\"");
  EXPECT_EQ(value_of(bench.get(location)), R"({"n":2})");
  EXPECT_EQ(bench.send({.method = "DELETE", .path = location}).status, 204);
  EXPECT_EQ(bench.get(location).problem, "not-found");
  EXPECT_EQ(bench.send({.method = "DELETE", .path = location}).problem, "not-found");
  EXPECT_EQ(bench.send({.method = "PUT", .path = location, .body = "{}"}).problem, "not-found");
}

TEST(Records, WhatCannotBeHadAnswersTheSameWhateverTheReason) {
  Bench bench;
  const auto location = bench.create("orders", "{}");
  const auto other = "/v1/records/other/" + location.substr(location.rfind('/') + 1);
  const auto never_existed = bench.get("/v1/records/orders/0190a000-0000-7000-8000-00000000abcd");
  for (const auto& answer : {bench.get(other), bench.get("/v1/records/orders/no-uuid")}) {
    EXPECT_EQ(answer.problem, never_existed.problem);
    EXPECT_EQ(answer.detail, never_existed.detail);
  }
}

TEST(Records, PreconditionsDecideByVersion) {
  Bench bench;
  const auto location = bench.create("orders", "{}");
  const auto put = [&](std::string_view match) {
    return bench.send(
        {.method = "PUT", .path = location, .body = "{}", .if_match = std::string_view(match)});
  };
  EXPECT_EQ(put("\"7\"").problem, "precondition-failed");
  EXPECT_EQ(put("\"7\", \"1\"").etag, "\"2\"");
  EXPECT_EQ(put("*").etag, "\"3\"");
  const auto cached =
      bench.send({.method = "GET", .path = location, .if_none_match = std::string_view("W/\"3\"")});
  EXPECT_EQ(cached.status, 304);
  EXPECT_TRUE(cached.body.empty());
  EXPECT_EQ(bench.send({.method = "DELETE", .path = location, .if_match = "\"2\""}).problem,
            "precondition-failed");
}

TEST(Records, RefusesBodiesThatAreNoJsonObject) {
  Bench bench;
  const auto post = [&](std::string_view body, std::string_view type = "application/json") {
    return bench
        .send({.method = "POST", .path = "/v1/records/orders", .body = body, .content_type = type})
        .problem;
  };
  EXPECT_EQ(post("{"), "invalid-json");
  EXPECT_EQ(post(""), "invalid-json");
  EXPECT_EQ(post(R"({"a":1,"a":2})"), "invalid-json");
  EXPECT_EQ(post("{\"a\":\"\xff\"}"), "invalid-json");
  EXPECT_EQ(post(std::string(500, '[') + std::string(500, ']')), "invalid-json");
  EXPECT_EQ(post("[1]"), "invalid-record");
  EXPECT_EQ(post("{}", "text/plain"), "unsupported-media-type");
  EXPECT_EQ(post("{}", "Application/JSON; charset=utf-8"), "");
}

TEST(Records, TakesWhatTheEngineCanHoldAndRefusesMore) {
  Bench bench;
  const auto post = [&](std::size_t size, const std::string& key, bool batch) {
    const std::string_view begin = batch ? R"({"operations":[{"op":"create","collection":"orders",)"
                                           R"("value":{"a":")"
                                         : R"({"a":")";
    const std::string_view end = batch ? R"("}}]})" : R"("})";
    std::string body(begin);
    body.append(size - begin.size() - end.size(), 'x').append(end);
    return bench.send({.method = "POST",
                       .path = batch ? "/v1/batch" : "/v1/records/orders",
                       .body = body,
                       .idempotency_key = key});
  };
  constexpr std::size_t most = std::size_t{60} * 1024 * 1024;
  for (const bool batch : {false, true}) {
    const auto key = batch ? "b" : "a";
    const auto taken = post(most, key, batch);
    EXPECT_EQ(taken.problem, "") << taken.detail;
    EXPECT_EQ(post(most, key, batch).body, taken.body);
    EXPECT_EQ(post(most + 1, std::string(key) + "2", batch).problem, "body-too-large");
  }
}

TEST(Records, TakesValuesOf32LevelsAlikeAloneAndInABatch) {
  Bench bench;
  for (const int levels : {31, 32, 33, 34}) {
    std::string value = R"({"a":)";
    value += std::string(static_cast<std::size_t>(levels - 1), '[');
    value += std::string(static_cast<std::size_t>(levels - 1), ']') + "}";
    const std::string body =
        R"({"operations":[{"op":"create","collection":"deep","value":)" + value + "}]}";
    const auto alone = bench.send({.method = "POST", .path = "/v1/records/deep", .body = value});
    const auto together = bench.send({.method = "POST", .path = "/v1/batch", .body = body});
    EXPECT_EQ(alone.problem, levels > 32 ? "invalid-record" : "") << levels;
    EXPECT_EQ(together.problem, alone.problem) << levels;
    if (levels > 32) {
      EXPECT_EQ(together.faults.at(0).pointer, "/operations/0/value");
    }
  }
}

TEST(RecordsList, PagesThroughEverythingOnceInEveryOrder) {
  Bench bench;
  std::set<std::string> created;
  for (int i = 0; i < 25; ++i) {
    bench.now_ms += i % 3;  // some share a millisecond
    created.insert(bench.create("orders", R"({"n":)" + std::to_string(i) + "}"));
  }
  for (const char* order : {"id", "-id", "created", "-created", "updated", "-updated"}) {
    std::set<std::string> seen;
    std::string cursor;
    std::string previous;
    int pages = 0;
    do {
      const auto page =
          bench.get("/v1/records/orders", std::string("limit=7&order=") + order +
                                              (cursor.empty() ? "" : "&cursor=") + cursor);
      ASSERT_EQ(page.problem, "") << page.detail;
      const auto body = object(page);
      for (const auto& record : body.at("records").as_array()) {
        const std::string id(record.at("id").as_string());
        EXPECT_TRUE(seen.insert("/v1/records/orders/" + id).second) << "seen twice: " << id;
        if (!previous.empty()) {
          EXPECT_EQ(id > previous, order[0] != '-') << order;
        }
        previous = id;
      }
      const auto& next = body.at("next");
      cursor = next.is_null() ? "" : std::string(next.as_string());
      ++pages;
    } while (!cursor.empty() && pages < 10);
    EXPECT_EQ(seen, created) << order;
    EXPECT_EQ(pages, 4);
  }
}

TEST(RecordsList, ACursorIsGoodForItsOwnListOnly) {
  Bench bench;
  Bench other("0190a000-0000-7000-8000-000000000002");
  for (Bench* each : {&bench, &other}) {
    for (int i = 0; i < 3; ++i) {
      each->create("orders", "{}");
      each->create("invoices", "{}");
    }
  }
  const auto page = object(bench.get("/v1/records/orders", "limit=1"));
  const std::string cursor = "limit=1&cursor=" + std::string(page.at("next").as_string());
  EXPECT_EQ(bench.get("/v1/records/orders", cursor).problem, "");
  EXPECT_EQ(bench.get("/v1/records/invoices", cursor).problem, "invalid-parameter");
  EXPECT_EQ(bench.get("/v1/records/orders", cursor + "&order=-id").problem, "invalid-parameter");
  EXPECT_EQ(bench.get("/v1/records/orders", cursor + "&filter=a:eq:1").problem,
            "invalid-parameter");
  EXPECT_EQ(other.get("/v1/records/orders", cursor).problem, "invalid-parameter")
      << "another tenant's cursor";
  auto forged = cursor;
  forged[forged.size() - 3] = forged[forged.size() - 3] == 'A' ? 'B' : 'A';
  EXPECT_EQ(bench.get("/v1/records/orders", forged).problem, "invalid-parameter");
}

TEST(RecordsList, FiltersCompareWithTypes) {
  Bench bench;
  for (const char* value :
       {R"({"n":1,"s":"apple","f":true})", R"({"n":2,"s":"apricot","f":false})",
        R"({"n":10,"s":"banana","x":null})", R"({"n":"10","s":"1"})", R"({"d":{"e":{"g":7}}})"}) {
    bench.create("items", value);
  }
  const auto count = [&](const std::string& query) {
    const auto answer = bench.get("/v1/records/items", query);
    EXPECT_EQ(answer.problem, "") << query << ": " << answer.detail;
    return object(answer).at("records").as_array().size();
  };
  EXPECT_EQ(count(""), 5U);
  EXPECT_EQ(count("filter=n:eq:10"), 1U) << "a number, not the text";
  EXPECT_EQ(count("filter=n:eq:%2210%22"), 1U);
  EXPECT_EQ(count("filter=n:ne:10"), 4U);
  EXPECT_EQ(count("filter=n:gt:1"), 2U);
  EXPECT_EQ(count("filter=n:ge:1&filter=n:lt:10"), 2U);
  EXPECT_EQ(count("filter=n:le:1.5"), 1U);
  EXPECT_EQ(count("filter=s:prefix:ap"), 2U);
  EXPECT_EQ(count("filter=s:prefix:ap&filter=f:eq:true"), 1U);
  EXPECT_EQ(count("filter=s:ge:b"), 1U);
  EXPECT_EQ(count("filter=x:eq:null"), 1U);
  EXPECT_EQ(count("filter=f:ne:true"), 4U);
  EXPECT_EQ(count("filter=d.e.g:eq:7"), 1U);
  EXPECT_EQ(count("filter=s:eq:%27%20OR%201=1%20--"), 0U);
}

TEST(RecordsList, RefusesParametersThatItDoesNotKnowAllAtOnce) {
  Bench bench;
  const auto answer = bench.get("/v1/records/items",
                                "limit=0&order=size&filter=a&filter=a%22b:eq:1&filter=a:like:1&"
                                "filter=a:prefix:1&filter=a:lt:true&tenant=x&limit=5");
  EXPECT_EQ(answer.problem, "invalid-parameter");
  EXPECT_EQ(answer.faults.size(), 9U);
}

TEST(RecordsBatch, IsAllOrNothing) {
  Bench bench;
  const auto location = bench.create("orders", R"({"n":1})");
  const auto id = location.substr(location.rfind('/') + 1);
  const auto batch = [&](const std::string& operations) {
    const std::string body = R"({"operations":[)" + operations + "]}";
    return bench.send({.method = "POST", .path = "/v1/batch", .body = body});
  };
  const auto done = batch(R"({"op":"create","collection":"orders","value":{"n":1.50}},)"
                          R"({"op":"replace","collection":"orders","id":")" +
                          id +
                          R"(","value":{"n":2}},)"
                          R"({"op":"read","collection":"orders","id":")" +
                          id + R"("})");
  ASSERT_EQ(done.problem, "") << done.detail;
  EXPECT_NE(done.body.find(R"("value":{"n":1.50})"), std::string::npos) << done.body;
  EXPECT_EQ(object(done).at("results").as_array().size(), 3U);
  EXPECT_EQ(value_of(bench.get(location)), R"({"n":2})");

  const auto failed =
      batch(R"({"op":"delete","collection":"orders","id":")" + id +
            R"("},)"
            R"({"op":"read","collection":"orders","id":"0190a000-0000-7000-8000-00000000abcd"})");
  EXPECT_EQ(failed.problem, "not-found");
  ASSERT_EQ(failed.faults.size(), 1U);
  EXPECT_EQ(failed.faults[0].pointer, "/operations/1");
  EXPECT_EQ(bench.get(location).status, 200) << "the delete before it was undone";

  const auto invalid =
      batch(R"({"op":"create","collection":"Orders","value":[]},{"op":"read","collection":"a"},7,)"
            R"({"op":"delete","collection":"a","id":"x","value":{},"tenant":"globex"})");
  EXPECT_EQ(invalid.problem, "invalid-record");
  EXPECT_EQ(invalid.faults.size(), 6U);
  EXPECT_EQ(batch("").problem, "invalid-record");
}

TEST(RecordsBatch, ReadsABoundedAnswer) {
  Bench bench;
  const std::string value = R"({"text":")" + std::string(1'000'000, 'x') + "\"}";
  const auto location = bench.create("orders", value);
  const std::string id = location.substr(location.rfind('/') + 1);
  const std::string create = R"({"op":"create","collection":"orders","value":{}})";
  const std::string read = R"({"op":"read","collection":"orders","id":")" + id + "\"}";
  const auto reads = [&](int count) {
    std::string steps = create;
    for (int i = 0; i < count; ++i) steps += "," + read;
    return bench.batch(steps);
  };
  const auto whole = reads(5);
  EXPECT_EQ(whole.problem, "");
  EXPECT_LT(whole.body.size(), page_bytes + value.size() + 1024);
  EXPECT_EQ(object(whole).at("results").as_array().size(), 6U);

  const auto refused = reads(999);
  EXPECT_EQ(refused.problem, "body-too-large");
  EXPECT_EQ(refused.body, "");
  ASSERT_EQ(refused.faults.size(), 1U);
  EXPECT_EQ(refused.faults[0].pointer, "/operations/6");
  const auto list = object(bench.get("/v1/records/orders")).at("records").as_array();
  EXPECT_EQ(list.size(), 2U) << "the create of the refused batch was undone";
}

TEST(RecordsBatch, HoldsEveryStepToItsOwnScope) {
  Bench bench;
  const auto location = bench.create("orders", R"({"secret":1})");
  const auto id = location.substr(location.rfind('/') + 1);
  const std::string create = R"({"op":"create","collection":"orders","value":{}})";
  const auto named = [&](const std::string& op) {
    return R"({"op":")" + op + R"(","collection":"orders","id":")" + id + "\"}";
  };
  const std::string replace =
      R"({"op":"replace","collection":"orders","id":")" + id + R"(","value":{"secret":2}})";

  bench.scopes = {"write"};
  EXPECT_EQ(bench.batch(create + "," + replace).problem, "");
  const auto reading = bench.batch(create + "," + named("read") + "," + named("read"));
  EXPECT_EQ(reading.problem, "insufficient-scope");
  ASSERT_EQ(reading.faults.size(), 2U);
  EXPECT_EQ(reading.faults[0].pointer, "/operations/1");
  EXPECT_EQ(reading.faults[0].detail, "read needs the scope read");
  EXPECT_EQ(reading.body.find("secret"), std::string::npos);

  bench.scopes = {"read"};
  EXPECT_EQ(bench.batch(named("read")).problem, "");
  for (const auto& step : {create, replace, named("delete")}) {
    const auto answer = bench.batch(named("read") + "," + step);
    EXPECT_EQ(answer.problem, "insufficient-scope");
    EXPECT_EQ(answer.faults.at(0).pointer, "/operations/1");
  }
  bench.scopes = {};
  EXPECT_EQ(bench.batch(named("read")).problem, "insufficient-scope");

  bench.scopes = {"read", "write"};
  const auto list = object(bench.get("/v1/records/orders")).at("records").as_array();
  ASSERT_EQ(list.size(), 2U) << "only the one batch that was allowed has created one";
  EXPECT_EQ(list[0].at("version").as_int64(), 2);
}

TEST(RecordsBatch, AStoredAnswerIsForThoseWhoMayReadIt) {
  Bench bench;
  const auto location = bench.create("orders", R"({"secret":1})");
  const std::string body = R"({"operations":[{"op":"read","collection":"orders","id":")" +
                           location.substr(location.rfind('/') + 1) + R"("}]})";
  const RecordsRequest request{.method = "POST",
                               .path = "/v1/batch",
                               .body = body,
                               .idempotency_key = std::string_view("k")};
  EXPECT_EQ(bench.send(request).problem, "");
  EXPECT_TRUE(bench.send(request).replayed);
  bench.scopes = {"write"};
  const auto refused = bench.send(request);
  EXPECT_EQ(refused.problem, "insufficient-scope");
  EXPECT_EQ(refused.body, "");
}

TEST(Records, TellABoundedNumberOfDefects) {
  Bench bench;
  const auto bounded = [](const RecordsAnswer& answer) {
    EXPECT_EQ(answer.faults.size(), observe::Faults::most_told + 1);
    std::size_t bytes = 0;
    for (const auto& fault : answer.faults) bytes += fault.pointer.size() + fault.detail.size();
    EXPECT_LT(bytes, 32U * 1024);
  };
  std::string query;
  while (query.size() < 7900) query += "a&";
  bounded(bench.get("/v1/records/orders", query));
  std::string filters;
  while (filters.size() < 7900) filters += "filter&";
  bounded(bench.get("/v1/records/orders", filters));

  std::string steps;
  std::string unknown;
  for (int i = 0; i < 1000; ++i) {
    steps += std::string(i > 0 ? "," : "") + R"({"op":"create","collection":7,"value":7})";
    unknown += R"(,")" + std::string(500, 'k') + std::to_string(i) + R"(":1)";
  }
  bounded(bench.batch(steps));
  bounded(bench.batch(R"({"op":"create","collection":"c","value":{})" + unknown + "}"));
  bench.scopes = {"read"};
  std::string forbidden;
  for (int i = 0; i < 1000; ++i) {
    forbidden += std::string(i > 0 ? "," : "") + R"({"op":"create","collection":"c","value":{}})";
  }
  bounded(bench.batch(forbidden));
}

TEST(RecordsIdempotency, Property39_ARetriedWriteHappensOnce) {
  Bench bench;
  int cases = 0;
  EXPECT_TRUE(rc::check("a retried write happens once", [&] {
    const auto key = "key-" + std::to_string(++cases);
    const auto body = R"({"n":)" + std::to_string(*rc::gen::inRange(0, 1000)) + "}";
    const RecordsRequest request{.method = "POST",
                                 .path = "/v1/records/orders",
                                 .body = body,
                                 .idempotency_key = std::string_view(key)};
    const auto count = [&] {
      const auto list = object(bench.get("/v1/records")).at("collections").as_array();
      return list.empty() ? 0 : list[0].at("count").as_int64();
    };
    const auto before = count();
    const auto first = bench.send(request);
    RC_ASSERT(first.status == 201 && !first.replayed);
    const int retries = *rc::gen::inRange(1, 4);
    for (int i = 0; i < retries; ++i) {
      bench.now_ms += 1000;
      const auto again = bench.send(request);
      RC_ASSERT(again.replayed);
      RC_ASSERT(again.body == first.body && again.status == first.status &&
                again.location == first.location && again.etag == first.etag);
    }
    RC_ASSERT(count() == before + 1);

    auto other = request;
    const auto other_body = body + " ";
    other.body = other_body;
    RC_ASSERT(bench.send(other).problem == "idempotency-mismatch");
    RC_ASSERT(count() == before + 1);
  }));
}

TEST(RecordsIdempotency, AKeyIsNewAgainAfterADay) {
  Bench bench;
  const RecordsRequest request{.method = "POST",
                               .path = "/v1/records/orders",
                               .body = "{}",
                               .idempotency_key = std::string_view("k")};
  const auto first = bench.send(request);
  bench.now_ms += idempotency_lifetime_ms - 1;
  EXPECT_TRUE(bench.send(request).replayed);
  bench.now_ms += 1;
  const auto second = bench.send(request);
  EXPECT_FALSE(second.replayed);
  EXPECT_NE(second.location, first.location);
}

TEST(RecordsIdempotency, AFailedWriteIsNotRemembered) {
  Bench bench;
  const RecordsRequest wrong{.method = "POST",
                             .path = "/v1/records/orders",
                             .body = "[]",
                             .idempotency_key = std::string_view("k")};
  EXPECT_EQ(bench.send(wrong).problem, "invalid-record");
  auto mended = wrong;
  mended.body = "{}";
  EXPECT_EQ(bench.send(mended).status, 201);
  EXPECT_EQ(bench
                .send({.method = "POST",
                       .path = "/v1/records/orders",
                       .body = "{}",
                       .idempotency_key = std::string_view("no blanks")})
                .problem,
            "invalid-parameter");
}

// The module against a map in memory: any sequence of operations gives the same answers.
TEST(RecordsModel, AgreesWithAMapInMemory) {
  Bench bench;
  int cases = 0;
  EXPECT_TRUE(rc::check("agrees with a map", [&] {
    const auto collection = "things-" + std::to_string(++cases);
    std::map<std::string, std::pair<std::string, int>> model;  // location -> value, version
    const auto steps = *rc::gen::inRange(1, 30);
    for (int i = 0; i < steps; ++i) {
      bench.now_ms += *rc::gen::inRange(0, 3);
      const auto value = R"({"n":)" + std::to_string(*rc::gen::inRange(-5, 5)) + "}";
      const auto action = model.empty() ? 0 : *rc::gen::inRange(0, 4);
      if (action == 0) {
        model[bench.create(collection, value)] = {value, 1};
        continue;
      }
      const auto chosen =
          std::next(model.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(model)));
      const std::string location = chosen->first;
      if (action == 1) {
        RC_ASSERT(bench.send({.method = "PUT", .path = location, .body = value}).status == 200);
        chosen->second = {value, chosen->second.second + 1};
      } else if (action == 2) {
        RC_ASSERT(bench.send({.method = "DELETE", .path = location}).status == 204);
        model.erase(chosen);
        RC_ASSERT(bench.get(location).problem == "not-found");
      } else {
        const auto answer = bench.get(location);
        RC_ASSERT(value_of(answer) == chosen->second.first);
        RC_ASSERT(answer.etag == '"' + std::to_string(chosen->second.second) + '"');
      }
    }
    const auto list = object(bench.get("/v1/records/" + collection, "limit=1000"));
    RC_ASSERT(list.at("records").as_array().size() == model.size());
  }));
}

}  // namespace
}  // namespace caisson::modules
