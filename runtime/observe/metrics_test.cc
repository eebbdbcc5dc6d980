#include "runtime/observe/metrics.h"

#include <algorithm>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace caisson::observe {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, WritesTheTextFormat) {
  Metrics metrics("runtime", "1.2.3");
  metrics.request("globex", 200, 3'000'000);
  metrics.request("globex", 200, 30'000'000'000);
  metrics.request("globex", 404, 0);
  metrics.request("", 401, 0);
  metrics.refusal(Code::unauthenticated);
  metrics.audited();
  const std::string text =
      metrics.scrape({.connections = {.open = 7, .limit = 10, .lasting = 2, .accepted = 9},
                      .open_tenants = 2,
                      .tenant_opens = 3,
                      .tenant_evictions = 1,
                      .commits = 5,
                      .commit_failures = 1,
                      .committed_operations = 20,
                      .commit_sizes = {2, 0, 3},
                      .commit_seconds = {.counts = {4, 1}, .sum = 0.004},
                      .disk_bytes = 1000,
                      .disk_free_bytes = 400,
                      .audit_healthy = false,
                      .tenants = {{.tenant = "globex",
                                   .mailbox_depth = 4,
                                   .mailbox_oldest_seconds = 1.5,
                                   .store_bytes = 4096,
                                   .store_limit_bytes = 8192,
                                   .broken = 1}},
                      .backups = {{.tenant = "globex", .seconds = 1700000000.5},
                                  {.tenant = "hooli", .seconds = 20},
                                  {.tenant = "initech", .seconds = 10}},
                      .process = {.open_fds = 12, .max_fds = 1024}});
  for (const char* line : {
           R"(# TYPE caisson_requests_total counter)",
           R"(caisson_build_info{instance="runtime",version="1.2.3"} 1)",
           R"(caisson_requests_total{instance="runtime",tenant="globex",code="200"} 2)",
           R"(caisson_requests_total{instance="runtime",tenant="globex",code="404"} 1)",
           R"(caisson_requests_total{instance="runtime",tenant="",code="401"} 1)",
           R"(caisson_request_seconds_bucket{instance="runtime",tenant="globex",le="0.0025"} 1)",
           R"(caisson_request_seconds_bucket{instance="runtime",tenant="globex",le="0.005"} 2)",
           R"(caisson_request_seconds_bucket{instance="runtime",tenant="globex",le="+Inf"} 3)",
           R"(caisson_request_seconds_sum{instance="runtime",tenant="globex"} 30.003)",
           R"(caisson_request_seconds_count{instance="runtime",tenant="globex"} 3)",
           R"(caisson_refusals_total{instance="runtime",reason="unauthenticated"} 1)",
           R"(caisson_audit_records_total{instance="runtime"} 1)",
           R"(caisson_refusals_total{instance="runtime",reason="rate-limited"} 0)",
           R"(caisson_connections{instance="runtime"} 7)",
           R"(caisson_connections_limit{instance="runtime"} 10)",
           R"(caisson_connections_lasting{instance="runtime"} 2)",
           R"(caisson_connections_accepted_total{instance="runtime"} 9)",
           R"(caisson_commit_failures_total{instance="runtime"} 1)",
           R"(caisson_commit_seconds_bucket{instance="runtime",le="5e-04"} 4)",
           R"(caisson_commit_seconds_bucket{instance="runtime",le="0.001"} 5)",
           R"(caisson_commit_seconds_sum{instance="runtime"} 0.004)",
           R"(caisson_disk_bytes{instance="runtime"} 1000)",
           R"(caisson_disk_free_bytes{instance="runtime"} 400)",
           R"(caisson_audit_healthy{instance="runtime"} 0)",
           R"(caisson_mailbox_oldest_seconds{instance="runtime",tenant="globex"} 1.5)",
           R"(caisson_store_limit_bytes{instance="runtime",tenant="globex"} 8192)",
           R"(caisson_store_broken{instance="runtime",tenant="globex"} 1)",
           R"(caisson_backup_timestamp_seconds{instance="runtime",tenant="globex"} 1700000000.5)",
           R"(caisson_backup_timestamp_seconds{instance="runtime",tenant="other"} 10)",
           R"(process_open_fds{instance="runtime"} 12)",
           R"(process_max_fds{instance="runtime"} 1024)",
           R"(caisson_open_tenants{instance="runtime"} 2)",
           R"(caisson_tenant_opens_total{instance="runtime"} 3)",
           R"(caisson_tenant_evictions_total{instance="runtime"} 1)",
           R"(caisson_commits_total{instance="runtime"} 5)",
           R"(caisson_commit_batch_bucket{instance="runtime",le="1"} 2)",
           R"(caisson_commit_batch_bucket{instance="runtime",le="4"} 5)",
           R"(caisson_commit_batch_bucket{instance="runtime",le="+Inf"} 5)",
           R"(caisson_commit_batch_sum{instance="runtime"} 20)",
           R"(caisson_mailbox_depth{instance="runtime",tenant="globex"} 4)",
           R"(caisson_store_bytes{instance="runtime",tenant="globex"} 4096)",
       }) {
    EXPECT_THAT(text, HasSubstr(std::string(line) + "\n"));
  }
}

TEST(Metrics, EscapesLabels) {
  const Metrics metrics("a\"b\\c\nd", "0");
  EXPECT_THAT(metrics.scrape(), HasSubstr(R"(caisson_connections{instance="a\"b\\c\nd"} 0)"));
}

TEST(Metrics, BoundsTheTenantsByName) {
  Metrics metrics("runtime", "0", 3);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 10; ++i) metrics.request("t" + std::to_string(i), 200, 0);
  }
  std::string text = metrics.scrape(
      {.tenants = {{.tenant = "t8", .store_bytes = 1}, {.tenant = "t9", .store_bytes = 2}}});
  EXPECT_THAT(text, HasSubstr("tenant=\"t2\",code=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("tenant=\"other\",code=\"200\"} 14\n"));
  EXPECT_THAT(text, Not(HasSubstr("tenant=\"t3\"")));
  EXPECT_THAT(text, HasSubstr("caisson_store_bytes{instance=\"runtime\",tenant=\"other\"} 3\n"));
  metrics.forget("t1");
  metrics.request("t9", 200, 0);
  text = metrics.scrape();
  EXPECT_THAT(text, Not(HasSubstr("tenant=\"t1\"")));
  EXPECT_THAT(text, HasSubstr("tenant=\"t9\",code=\"200\"} 1\n"))
      << "a forgotten tenant makes place";
}

TEST(Metrics, GivesTenantsTogetherNoQuota) {
  const Metrics metrics("runtime", "0", 1);
  const std::string text =
      metrics.scrape({.tenants = {{.tenant = "named", .store_bytes = 1},
                                  {.tenant = "t1", .store_bytes = 2, .store_limit_bytes = 3},
                                  {.tenant = "t2", .store_bytes = 4}}});
  EXPECT_THAT(text, HasSubstr("caisson_store_bytes{instance=\"runtime\",tenant=\"other\"} 6\n"));
  EXPECT_THAT(text, Not(HasSubstr("caisson_store_limit_bytes{")));
}

TEST(Metrics, CountsEveryThread) {
  constexpr int threads = 20;
  constexpr int each = 2000;
  Metrics metrics("runtime", "0");
  std::vector<std::thread> workers;
  workers.reserve(threads);
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&metrics] {
      for (int i = 0; i < each; ++i) {
        metrics.request(i % 2 == 0 ? "globex" : "initech", 200, i);
        metrics.refusal(Code::rate_limited);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  const std::string text = metrics.scrape();
  EXPECT_THAT(text, HasSubstr("tenant=\"globex\",code=\"200\"} 20000\n"));
  EXPECT_THAT(text, HasSubstr("tenant=\"initech\",code=\"200\"} 20000\n"));
  EXPECT_THAT(text, HasSubstr("reason=\"rate-limited\"} 40000\n"));
}

}  // namespace
}  // namespace caisson::observe
