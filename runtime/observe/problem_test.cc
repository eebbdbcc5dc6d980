#include "runtime/observe/problem.h"

#include <set>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace caisson::observe {
namespace {

TEST(Problem, IsWrittenAsDocumented) {
  EXPECT_EQ(
      problem_body({.code = Code::invalid_record,
                    .detail = "the body has \"defects\"",
                    .errors = {{.pointer = "/a", .detail = "is required"},
                               {.pointer = "/b/0", .detail = "x"}}},
                   "0198"),
      R"({"type":"urn:caisson:problem:invalid-record","title":"The record is invalid","status":422,)"
      R"("detail":"the body has \"defects\"","instance":"urn:caisson:request:0198",)"
      R"("errors":[{"pointer":"/a","detail":"is required"},{"pointer":"/b/0","detail":"x"}]})");
  EXPECT_EQ(problem_body({.code = Code::not_found}, "0198"),
            R"({"type":"urn:caisson:problem:not-found","title":"Not found","status":404,)"
            R"("instance":"urn:caisson:request:0198"})");
}

TEST(Problem, TellsNothingOfAnInternalError) {
  const std::string body = problem_body({.code = Code::internal,
                                         .detail = "SQLSTATE 42P01 at store.cc:10",
                                         .errors = {{.pointer = "", .detail = "x"}}},
                                        "0198");
  EXPECT_EQ(body, R"({"type":"urn:caisson:problem:internal","title":"Internal error","status":500,)"
                  R"("instance":"urn:caisson:request:0198"})");
}

TEST(Problem, EveryCodeHasItsRow) {
  std::set<std::string_view> names;
  for (int i = 0; i < 100; ++i) {
    const auto code = static_cast<Code>(i);
    if (code > Code::storage_full) break;
    EXPECT_TRUE(names.insert(info(code).name).second) << info(code).name;
    EXPECT_GE(info(code).status, 400);
    EXPECT_LE(info(code).status, 599);
    EXPECT_FALSE(info(code).title.empty());
    EXPECT_EQ(code_named(info(code).name), code);
    EXPECT_TRUE(boost::json::parse(problem_body({.code = code, .detail = "d"}, "r")).is_object());
  }
  EXPECT_GE(names.size(), 36);
  EXPECT_EQ(info(Code::tenant_mismatch).name, "tenant-mismatch");
  EXPECT_EQ(info(Code::storage_full).name, "storage-full");
}

TEST(RetryAfter, IsSentWithWhatPasses) {
  EXPECT_EQ(retry_after({.code = Code::rate_limited}), 1);
  EXPECT_EQ(retry_after({.code = Code::draining}), 1);
  EXPECT_EQ(retry_after({.code = Code::rate_limited, .retry_after_s = 30}), 30);
  EXPECT_EQ(retry_after({.code = Code::not_found}), 0);
  EXPECT_EQ(retry_after({.code = Code::internal}), 0);
}

}  // namespace
}  // namespace caisson::observe
