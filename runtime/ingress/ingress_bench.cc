// What the way from a request to its handler costs: ninja caisson_ingress_bench, then run it pinned
// to a core.

#include <filesystem>
#include <fstream>

#include <benchmark/benchmark.h>
#include <boost/json/object.hpp>
#include <fcntl.h>

#include "runtime/ingress/gate.h"
#include "runtime/ingress/test_request.h"
#include "runtime/ingress/test_tokens.h"

namespace caisson::ingress {
namespace {

namespace fs = std::filesystem;
using context::Algorithm;

context::TokenSettings settings(Algorithm algorithm) {
  return {.issuer = "i",
          .audience = "a",
          .key_file = {},
          .jwks_file = {},
          .algorithms = {algorithm},
          .tenant_claim = "tid",
          .leeway_ms = 0};
}

std::string token(const TestSigner& signer, std::int64_t now_ms) {
  return signer.sign(boost::json::object{{"iss", "i"},
                                         {"aud", "a"},
                                         {"sub", "user-1"},
                                         {"tid", "globex"},
                                         {"exp", now_ms / 1000 + 3600},
                                         {"iat", now_ms / 1000}});
}

void verify_token_uncached(benchmark::State& state) {
  const auto algorithm = static_cast<Algorithm>(state.range(0));
  const TestSigner signer(algorithm);
  const KeySet keys({algorithm == Algorithm::hs256
                         ? VerificationKey::secret(signer.key_file()).value()
                         : VerificationKey::from_pem(signer.key_file()).value()});
  const context::TokenSettings rules = settings(algorithm);
  const SystemClock clock;
  const std::string text = token(signer, clock.unix_ms());
  for (auto _ : state) {
    const auto verified = verify_token(text, keys, rules, clock.unix_ms());
    if (!verified) state.SkipWithError("refused");
    benchmark::DoNotOptimize(verified);
  }
  state.SetLabel(std::string(name(algorithm)));
}
BENCHMARK(verify_token_uncached)->DenseRange(0, 3);

/// A directory with one tenant, a gate, and a request for it.
struct Stand {
  Stand() : path(fs::temp_directory_path() / ("caisson-bench-" + new_uuid(0))) {
    fs::create_directory(path);
    std::ofstream(path / "key") << signer.key_file();
    configuration.domain = "acme.localhost";
    configuration.tokens = settings(Algorithm::eddsa);
    configuration.tokens->key_file = path / "key";
    tokens = TokenVerifier::open(*configuration.tokens, clock, log).value();
    resolver = std::make_unique<Resolver>(configuration, directory, tokens.get(), clock);
    audit = observe::Audit::open(path / "audit", clock, log, metrics).value();
    gate = std::make_unique<Gate>(*resolver, limiter, *audit, metrics);
    tenancy::Tenant tenant = *directory.add("globex");
    tenant.limits = {.requests_per_second = 1e7, .burst = 1'000'000, .concurrent = 100};
    directory.put(tenant);
    key = directory.add_key(tenant);
  }
  ~Stand() {
    audit.reset();
    fs::remove_all(path);
  }
  Stand(const Stand&) = delete;
  Stand& operator=(const Stand&) = delete;

  fs::path path;
  TestSigner signer{Algorithm::eddsa};
  SystemClock clock;
  observe::Log log{open("/dev/null", O_WRONLY | O_CLOEXEC), observe::Level::info, "bench", clock};
  observe::Metrics metrics{"bench", "0"};
  context::Configuration configuration;
  TestDirectory directory;
  std::unique_ptr<TokenVerifier> tokens;
  std::unique_ptr<Resolver> resolver;
  policy::Limiter limiter{clock};
  std::unique_ptr<observe::Audit> audit;
  std::unique_ptr<Gate> gate;
  std::string key;
};

void verify_token_cached(benchmark::State& state) {
  const Stand stand;
  const std::string text = token(stand.signer, stand.clock.unix_ms());
  for (auto _ : state) benchmark::DoNotOptimize(stand.tokens->verify(text));
}
BENCHMARK(verify_token_cached);

void resolve_with(benchmark::State& state, const Stand& stand, const std::string& credential) {
  const TestRequest request = TestRequest("globex.acme.localhost")
                                  .with("User-Agent", "bench")
                                  .with("Accept", "*/*")
                                  .bearer(credential);
  const http::Request made = request.make();
  for (auto _ : state) {
    const auto context = stand.resolver->resolve(made, "0198");
    if (!context) state.SkipWithError("refused");
    benchmark::DoNotOptimize(context);
  }
}

void resolve_cached_token(benchmark::State& state) {
  const Stand stand;
  resolve_with(state, stand, token(stand.signer, stand.clock.unix_ms()));
}
BENCHMARK(resolve_cached_token);

void resolve_api_key(benchmark::State& state) {
  const Stand stand;
  resolve_with(state, stand, stand.key);
}
BENCHMARK(resolve_api_key);

void pass_the_gate(benchmark::State& state) {
  const Stand stand;
  const TestRequest request =
      TestRequest("globex.acme.localhost").bearer(token(stand.signer, stand.clock.unix_ms()));
  const http::Request made = request.make();
  for (auto _ : state) {
    const auto admitted = stand.gate->admit(made, new_uuid(stand.clock.unix_ms()));
    if (!admitted) state.SkipWithError("refused");
    benchmark::DoNotOptimize(admitted);
  }
}
BENCHMARK(pass_the_gate);

void refuse_at_the_gate(benchmark::State& state) {
  const Stand stand;
  const TestRequest request("globex.acme.localhost");
  const http::Request made = request.make();
  for (auto _ : state) {
    benchmark::DoNotOptimize(stand.gate->admit(made, new_uuid(stand.clock.unix_ms())));
  }
}
BENCHMARK(refuse_at_the_gate);

void make_request_id(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(new_uuid(1'700'000'000'000));
}
BENCHMARK(make_request_id);

void write_log_line(benchmark::State& state) {
  const Stand stand;
  for (auto _ : state) {
    stand.log.info("request", {{"tenant", "globex"},
                               {"status", std::int64_t{200}},
                               {"path", "/v1/records/notes"},
                               {"request_id", "01980123-4567-7abc-8def-0123456789ab"}});
  }
}
BENCHMARK(write_log_line);

void count_request(benchmark::State& state) {
  Stand stand;
  for (auto _ : state) stand.metrics.request("globex", 200, 12'345);
}
BENCHMARK(count_request);

}  // namespace
}  // namespace caisson::ingress

BENCHMARK_MAIN();
