// What reading and checking a spec costs: ninja caisson_spec_bench, then run it pinned to a core.

#include <fstream>
#include <iterator>
#include <string>

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "generator/spec/spec.h"

namespace caisson::spec {
namespace {

/// A spec of `count` tenants on three tiers, about 100 bytes each.
std::string with_tenants(std::int64_t count) {
  std::string text =
      "caisson: v1\nname: large\nversion: 1.0.0\ndomain: large.example.com\n"
      "tiers:\n  free: { isolation: row }\n  pro: { isolation: schema }\n  team: { isolation: "
      "database }\n"
      "tenants:\n";
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    text += "  - { slug: tenant-" + number + ", name: Tenant number " + number + ", tier: " +
            (i % 3 == 0   ? "free"
             : i % 3 == 1 ? "pro"
                          : "team") +
            ", owner: ops@tenant-" + number + ".example }\n";
  }
  return text;
}

std::string as_csv(std::int64_t count) {
  std::string text = "slug,name,tier,owner\n";
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    text += "tenant-" + number + ",Tenant number " + number + ",free,ops@tenant-" + number +
            ".example\n";
  }
  return text;
}

void load_text(benchmark::State& state, const std::string& text, const LoadOptions& options) {
  for (auto _ : state) {
    source::SourceSet sources;
    source::Diagnostics diagnostics;
    auto loaded = load("deployment.yaml", text, options, sources, diagnostics);
    if (!loaded) state.SkipWithError("the spec does not load");
    benchmark::DoNotOptimize(loaded);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_rss_MB"] = static_cast<double>(usage.ru_maxrss) / 1024;
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void quickstart(benchmark::State& state) {
  std::ifstream in(CAISSON_SOURCE_DIR "/examples/quickstart/deployment.yaml", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  load_text(state, text, {});
}
BENCHMARK(quickstart)->Unit(benchmark::kMicrosecond);

void tenants_in_the_spec(benchmark::State& state) {
  load_text(state, with_tenants(state.range(0)), {});
}
BENCHMARK(tenants_in_the_spec)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond);

void tenants_in_a_csv(benchmark::State& state) {
  const std::string csv = as_csv(state.range(0));
  const LoadOptions options{
      .read_file = [&](std::string_view) -> Result<std::string> { return csv; }};
  load_text(
      state,
      "caisson: v1\nname: large\nversion: 1.0.0\ntiers: { free: {} }\ntenants: { file: t.csv }\n",
      options);
}
BENCHMARK(tenants_in_a_csv)->Arg(10'000)->Unit(benchmark::kMillisecond);

void parse_alone(benchmark::State& state) {
  source::SourceSet sources;
  sources.emplace_back("deployment.yaml", with_tenants(state.range(0)));
  for (auto _ : state) {
    source::Diagnostics diagnostics;
    benchmark::DoNotOptimize(read_document(sources[0], 0, diagnostics));
  }
}
BENCHMARK(parse_alone)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace caisson::spec

BENCHMARK_MAIN();
