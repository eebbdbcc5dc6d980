#include <set>
#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/image/elf.h"
#include "generator/image/layout.h"
#include "generator/image/testing.h"

namespace caisson::image {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using testing::program;

TEST(ArchitectureOf, ReadsTheHeader) {
  EXPECT_EQ(*architecture_of(program(EM_X86_64)), "amd64");
  EXPECT_EQ(*architecture_of(program(EM_AARCH64)), "arm64");
}

TEST(ArchitectureOf, RefusesWhatCouldNotRun) {
  EXPECT_THAT(architecture_of("#!/bin/sh\n").error().text(), HasSubstr("not a 64-bit Linux"));
  EXPECT_THAT(architecture_of(program(EM_X86_64, PT_INTERP)).error().text(),
              HasSubstr("dynamically"));
  EXPECT_THAT(architecture_of(program(EM_SPARC)).error().text(), HasSubstr("machine 2,"));
  const auto whole = program();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(architecture_of(whole.substr(0, size))) << size;
  }
}

class Build : public ::testing::Test {
 protected:
  [[nodiscard]] Result<Image> built(std::vector<render::Instruction> instructions) const {
    return build("x:1", {.header = {}, .instructions = std::move(instructions)}, context_, 86400);
  }
  [[nodiscard]] std::string refusal(render::Instruction last) const {
    const auto image = built({{.name = "FROM", .words = {"scratch"}},
                              {.name = "COPY", .words = {"p", "/bin/p"}},
                              std::move(last),
                              {.name = "ENTRYPOINT", .exec = {"/bin/p"}}});
    return image ? "" : image.error().text();
  }

  std::string program_ = program();
  Context context_{{"p", {.bytes = program_, .mode = 0755}},
                   {"state/.keep", {.bytes = "", .mode = 0644}}};
};

TEST_F(Build, WritesWhatDockerReads) {
  const auto image =
      built({{.name = "FROM", .words = {"scratch", "AS", "program"}},
             {.name = "COPY", .words = {"p", "/bin/p"}},
             {.name = "RUN", .exec = {"/bin/p", "version"}},
             {.name = "FROM", .words = {"scratch"}},
             {.name = "COPY", .flags = {"--from=program"}, .words = {"/bin/p", "/bin/p"}},
             {.name = "COPY", .flags = {"--chown=10001:10001"}, .words = {"state", "/var/data"}},
             {.name = "LABEL", .pairs = {{"a", "b"}}},
             {.name = "USER", .words = {"10001:10001"}},
             {.name = "EXPOSE", .words = {"80", "53/udp"}},
             {.name = "HEALTHCHECK",
              .flags = {"--interval=500ms", "--timeout=2s", "--start-period=1m", "--retries=3"},
              .words = {"CMD"},
              .exec = {"/bin/p", "ok"}},
             {.name = "ENTRYPOINT", .exec = {"/bin/p"}},
             {.name = "CMD", .exec = {"serve"}}});
  ASSERT_TRUE(image) << image.error().text();
  const auto all = json::parse(image->config);
  EXPECT_EQ(all.at("architecture"), "amd64");
  EXPECT_EQ(all.at("os"), "linux");
  EXPECT_EQ(all.at("created"), "1970-01-02T00:00:00Z");
  EXPECT_EQ(all.at("config"), json::parse(R"({
      "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      "Labels": {"a": "b"}, "User": "10001:10001", "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
      "Healthcheck": {"Test": ["CMD", "/bin/p", "ok"], "Interval": 500000000,
                      "Timeout": 2000000000, "StartPeriod": 60000000000, "Retries": 3},
      "Entrypoint": ["/bin/p"], "Cmd": ["serve"]})"));
  ASSERT_EQ(image->layers.size(), 2U);
  EXPECT_EQ(all.at("rootfs").at("diff_ids").as_array()[1],
            json::value("sha256:" + image->layers[1].sha256));
  std::size_t layers = 0;
  for (const auto& entry : all.at("history").as_array()) {
    layers += entry.as_object().contains("empty_layer") ? 0 : 1;
  }
  EXPECT_EQ(layers, image->layers.size());
}

TEST_F(Build, RefusesWhatNeedsADaemon) {
  EXPECT_THAT(refusal({.name = "RUN", .exec = {"/bin/p"}}), HasSubstr("last stage runs"));
  EXPECT_THAT(refusal({.name = "RUN", .words = {"apt-get", "update"}}), HasSubstr("shell"));
  EXPECT_THAT(refusal({.name = "RUN", .exec = {"/bin/q"}}), HasSubstr("not there"));
  EXPECT_THAT(refusal({.name = "COPY", .words = {"nothing", "/x"}}), HasSubstr("not there"));
  EXPECT_THAT(refusal({.name = "COPY", .flags = {"--from=a"}, .words = {"p", "/x"}}),
              HasSubstr("not there"));
  EXPECT_THAT(refusal({.name = "COPY", .flags = {"--chown=www"}, .words = {"p", "/x"}}),
              HasSubstr("numbers"));
  EXPECT_THAT(refusal({.name = "COPY", .flags = {"--link"}, .words = {"p", "/x"}}),
              HasSubstr("flag"));
  EXPECT_THAT(refusal({.name = "FROM", .words = {"debian:12"}}), HasSubstr("not here"));
  EXPECT_THAT(refusal({.name = "VOLUME", .words = {"/data"}}), HasSubstr("not understood"));
  EXPECT_THAT(refusal({.name = "HEALTHCHECK",
                       .flags = {"--interval=1h30"},
                       .words = {"CMD"},
                       .exec = {"/bin/p"}}),
              HasSubstr("'HEALTHCHECK --interval=1h30 CMD [\"/bin/p\"]'"));
  EXPECT_THAT(refusal({.name = "USER", .words = {"1", "2"}}), HasSubstr("docker build"));
  EXPECT_EQ(refusal({.name = "USER", .words = {"1"}}), "");
}

TEST_F(Build, RefusesAnImageWithoutAProgram) {
  const auto none = built({{.name = "FROM", .words = {"scratch"}}});
  EXPECT_THAT(none.error().text(), HasSubstr("ENTRYPOINT"));
  EXPECT_THAT(built({}).error().text(), HasSubstr("no FROM"));
  EXPECT_THAT(built({{.name = "USER", .words = {"1"}}}).error().text(), HasSubstr("before"));
}

TEST_F(Build, GivesALayoutWhoseBlobsAreWhatTheyAreCalled) {
  const auto image = built({{.name = "FROM", .words = {"scratch"}},
                            {.name = "COPY", .words = {"p", "/bin/"}},
                            {.name = "ENTRYPOINT", .exec = {"/bin/p"}}});
  ASSERT_TRUE(image) << image.error().text();
  auto second = *image;
  second.name = "y:1";
  const auto layout = to_layout({*image, second});
  std::set<std::string> paths;
  for (const auto& file : layout) EXPECT_TRUE(paths.insert(file.path).second) << file.path;
  // Two images of the same content: one layer, one configuration, one manifest.
  EXPECT_EQ(layout.size(), 3U + 3U);
  EXPECT_TRUE(paths.contains("blobs/sha256/" + manifest_digest(*image).substr(7)));
  const auto index = json::parse(layout[3].bytes);
  ASSERT_EQ(layout[3].path, "index.json");
  EXPECT_EQ(index.at("manifests").as_array().size(), 2U);
  EXPECT_EQ(
      index.at("manifests").as_array()[1].at("annotations").at("org.opencontainers.image.ref.name"),
      "y:1");
  EXPECT_EQ(to_archive(layout, 0), to_archive(to_layout({*image, second}), 0));
}

}  // namespace
}  // namespace caisson::image
