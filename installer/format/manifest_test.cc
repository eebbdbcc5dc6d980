#include "installer/format/manifest.h"

#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "installer/format/testing.h"

namespace caisson::installer {
namespace {

using testing::digits;
using testing::sample_manifest;
using testing::with;

TEST(ReadManifest, ReadsEverythingAndWritesTheSameBytes) {
  const auto manifest = read_manifest(sample_manifest());
  ASSERT_TRUE(manifest) << manifest.error().what;
  EXPECT_EQ(write_manifest(*manifest), sample_manifest());
  EXPECT_EQ(manifest->envelope.release.sequence, 1'000'001'000'000U);
  EXPECT_EQ(to_text(manifest->version), "1.1.0");
  ASSERT_TRUE(manifest->via);
  EXPECT_EQ(to_text(*manifest->via), "1.0.9");
  ASSERT_EQ(manifest->places.size(), 3U);
  EXPECT_EQ(manifest->places[1].form, "compose");
  EXPECT_EQ(manifest->places[1].what, "volume/runtime-data");
  EXPECT_EQ(manifest->places[1].where, "agentik_runtime-data");
  ASSERT_EQ(manifest->questions.size(), 2U);
  EXPECT_THAT(manifest->questions[1].choices, ::testing::ElementsAre("files", "internal"));
  ASSERT_EQ(manifest->packs.size(), 4U);
  EXPECT_EQ(manifest->packs[0].files[1].path, "bin/with a blank");
  EXPECT_EQ(manifest->packs[2].from, Pack::From::patch);
  EXPECT_EQ(manifest->packs[3].from, Pack::From::base);
  ASSERT_EQ(manifest->images.size(), 1U);
  EXPECT_THAT(manifest->images[0].entrypoint, ::testing::ElementsAre("/app", "serve"));
  EXPECT_THAT(manifest->images[0].command, ::testing::ElementsAre("", "with blank"));
  EXPECT_THAT(manifest->images[0].environment,
              ::testing::ElementsAre("PATH=/bin:/usr/bin", "GREETING=a%b"));
  EXPECT_EQ(installed_bytes(*manifest), 60U + 40 + 8'388'609 + 30 + 50);
}

TEST(ReadManifest, ReadsTheEnvelopeOfAnyFormat) {
  const auto text =
      with(sample_manifest(), "format 1\n", "format 7\n") + "\r\n\xff whatever comes later";
  const auto envelope = read_envelope(text);
  ASSERT_TRUE(envelope) << envelope.error().what;
  EXPECT_EQ(envelope->format, 7U);
  EXPECT_EQ(envelope->installer[0], 0x1a);
  const auto manifest = read_manifest(text);
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().code, Code::future_format);
}

struct Change {
  std::string_view name;
  std::string what;
  std::string other;
  Code code;

  friend void PrintTo(const Change& change, std::ostream* out) { *out << change.name; }
};

class ReadManifestRefuses : public ::testing::TestWithParam<Change> {};

TEST_P(ReadManifestRefuses, WithItsOwnCode) {
  const auto& change = GetParam();
  const auto text = with(sample_manifest(), change.what, change.other);
  ASSERT_FALSE(text.empty()) << "the sample does not hold " << change.what;
  const auto manifest = read_manifest(text);
  ASSERT_FALSE(manifest) << "taken";
  EXPECT_EQ(manifest.error().code, change.code) << manifest.error().what;
  for (const char c : manifest.error().what)
    EXPECT_TRUE(c >= ' ' && c <= '~') << manifest.error().what;
}

const std::string kLong(300, 'a');

TEST(ReadManifest, BoundsWhatAPatchIsStoredIn) {
  const auto stored_in = [](const std::string& stored) {
    const auto text = with(sample_manifest(), digits("c4") + " 20 30 ",
                           digits("c4") + " " + stored + " 9000000 ");
    return read_manifest(with(text, "file 30 0644", "file 9000000 0644"));
  };
  EXPECT_TRUE(stored_in("8388608"));
  const auto refused = stored_in("8388609");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::text_number);
}

INSTANTIATE_TEST_SUITE_P(
    Each, ReadManifestRefuses,
    ::testing::Values(
        Change{"FormatMissing", "format 1\n", "", Code::bad_envelope},
        Change{"FormatZeroPadded", "format 1\n", "format 01\n", Code::bad_envelope},
        Change{"ProductParent", "product agentik", "product ../../etc", Code::bad_envelope},
        Change{"ProductEmpty", "product agentik", "product ", Code::bad_envelope},
        Change{"ProductLong", "product agentik", "product " + kLong, Code::bad_envelope},
        Change{"ProductBlank", "product agentik", "product agen tik", Code::bad_envelope},
        Change{"Arch", "arch amd64", "arch mips", Code::bad_envelope},
        Change{"ReleaseOneNumber", "release 1/1", "release 1", Code::bad_envelope},
        Change{"ReleaseNegative", "release 1/1", "release 1/-1", Code::bad_envelope},
        Change{"InstallerShort", "installer 1a", "installer 1", Code::bad_envelope},
        Change{"InstallerUpper", "installer 1a", "installer 1A", Code::bad_envelope},
        Change{"KeyTwice", "version 1.1.0\n", "version 1.1.0\nversion 1.1.0\n", Code::text_key},
        Change{"KeyUnknown", "date 1", "surprise 1\ndate 1", Code::text_key},
        Change{"KeyMissing", "date 1735689600\n", "", Code::text_key},
        Change{"KeyElsewhere", "data 3\nreads 2\n", "reads 2\ndata 3\n", Code::text_key},
        Change{"VersionTwoNumbers", "version 1.1.0", "version 1.1", Code::text_number},
        Change{"VersionFourNumbers", "version 1.1.0", "version 1.1.0.0", Code::text_number},
        Change{"FromNewer", "from 1.0.0", "from 1.2.0", Code::text_number},
        Change{"ViaOlder", "via 1.0.9", "via 0.9.0", Code::text_number},
        Change{"ReadsNewer", "reads 2", "reads 4", Code::text_number},
        Change{"FormsUnsorted", "compose systemd", "systemd compose", Code::text_order},
        Change{"FormUnknown", "compose systemd", "compose vm", Code::text_line},
        Change{"FormsEmpty", "forms compose systemd", "forms", Code::text_line},
        Change{"TrailingWord", "data 3\n", "data 3 4\n", Code::text_line},
        Change{"TrailingBlank", "data 3\n", "data 3 \n", Code::text_line},
        Change{"TwoBlanks", "data 3\n", "data  3\n", Code::text_line},
        Change{"EmptyLine", "data 3\n", "\ndata 3\n", Code::text_key},
        Change{"CarriageReturn", "data 3\n", "data 3\r\n", Code::text_encoding},
        Change{"Nul", "text Where", std::string("text W\0ere", 10), Code::text_encoding},
        Change{"InvalidUtf8", "text Where", "text W\xff", Code::text_encoding},
        Change{"Overlong", "text Where", "text W\xc0\xaf", Code::text_encoding},
        Change{"Escape", "text Where", "text \x1b[2J", Code::text_encoding},
        Change{"Bidi", "text Where", "text \u202e", Code::text_encoding},
        Change{"ByteOrderMark", "data 3",
               "\xef\xbb\xbf"
               "data 3",
               Code::text_key},
        Change{"LongLine", "text Where", "text " + std::string(70'000, 'a'), Code::text_too_large},
        Change{"NoLastLineEnd", "user 65532:65532\n", "user 65532:65532", Code::text_encoding},
        Change{"PlaceOfAFormThatIsNone", "place compose tenant", "place helm tenant",
               Code::text_line},
        Change{"PlaceOfNothing", "place systemd tenant/globex", "place systemd tenant/",
               Code::text_line},
        Change{"PlaceOfAnything", "place systemd tenant/globex", "place systemd user/globex",
               Code::text_line},
        Change{"PlaceNowhere", "tenant/globex runtime-data", "tenant/globex", Code::text_line},
        Change{"PlaceTwice", "volume/runtime-data", "tenant/globex", Code::text_order},
        Change{"PlacesUnsorted", "place systemd tenant", "place compose tenant", Code::text_order},
        Change{"AnswersUnsorted", "answer tls", "answer aaa", Code::text_order},
        Change{"AnswerTwice", "answer tls", "answer domain", Code::text_order},
        Change{"AnswerType", "answer domain domain", "answer domain regex", Code::text_line},
        Change{"SecretWithDefault", "answer domain domain", "answer domain secret",
               Code::text_line},
        Change{"OneChoice", "choice files\n", "", Code::text_line},
        Change{"DefaultIsNoChoice", "default internal", "default external", Code::text_line},
        Change{"DefaultIsNoDomain", "default agentik.example.com", "default agentik.example.com}",
               Code::text_line},
        Change{"ChoiceWithAQuote", "choice files", "choice files\"", Code::text_line},
        Change{"ChoicesOfADomain", "default agentik.example.com\n", "choice a\nchoice b\n",
               Code::text_line},
        Change{"SizeNegative", "file 60 ", "file -1 ", Code::text_number},
        Change{"SizeHuge", "file 60 ", "file 9223372036854775808 ", Code::text_number},
        Change{"SizesOverflow", "file 60 ", "file 9223372036854775807 ", Code::text_number},
        Change{"SizeWrong", "file 60 ", "file 61 ", Code::text_number},
        Change{"Mode", "0755", "4755", Code::text_line},
        Change{"ModeShort", "0755", "755", Code::text_line},
        Change{"DigestShort", "chunk c10", "chunk c1", Code::text_digest},
        Change{"DigestLong", "chunk c1", "chunk c11", Code::text_digest},
        Change{"DigestPath", "chunk c1", "chunk sha256:../../c1", Code::text_digest},
        Change{"ChunkTooLarge", "80 8388608", "80 8388610", Code::text_number},
        Change{"ChunkStoredNothing", " 90 100", " 0 100", Code::text_number},
        Change{"ChunkStoredTooMuch", " 90 100", " 90000 100", Code::text_number},
        Change{"PackWithoutFiles", "same\n", "same\nsame\n", Code::text_key},
        Change{"FileWithoutSource", "same\n", "", Code::text_line},
        Change{"PathParent", "models/large.gguf", "../large.gguf", Code::text_path},
        Change{"PathInnerParent", "models/large.gguf", "models/../../x", Code::text_path},
        Change{"PathAbsolute", "models/large.gguf", "/etc/passwd", Code::text_path},
        Change{"PathDoubleSlash", "models/large.gguf", "models//large", Code::text_path},
        Change{"PathDot", "models/large.gguf", "models/./large", Code::text_path},
        Change{"PathTrailingSlash", "models/large.gguf", "models/", Code::text_path},
        Change{"PathEmpty", "models/large.gguf", "", Code::text_line},
        Change{"PathBackslash", "models/large.gguf", "models\\large", Code::text_path},
        Change{"PathLongComponent", "models/large.gguf", "models/" + kLong, Code::text_path},
        Change{"PathTwice", " patched", " models/large.gguf", Code::text_order},
        Change{"PathTwiceInOtherPack", "bin/with a blank", "models/large.gguf", Code::text_order},
        Change{"FileAndDirectory", " patched", " models/large.gguf/x", Code::path_conflict},
        Change{"PackUnsorted", " unchanged", " a", Code::text_order},
        Change{"SameWithoutBase", "base " + digits("ba") + " 1.0.9\n", "", Code::text_line},
        Change{"SameWithABlank", "same\n", "same \n", Code::text_line},
        Change{"SameWithAWord", "same\n", "same 1\n", Code::text_line},
        Change{"PathOfStandardInput", " patched", " -", Code::text_path},
        Change{"PathOfAnOption", " patched", " -rf", Code::text_path},
        Change{"PathWithAnArabicMark", " patched", " pat\u061cched", Code::text_encoding},
        Change{"PathWithAJoiner", " patched", " pat\u200dched", Code::text_path},
        Change{"TextWithAnArabicMark", "text Where", "text W\u061chere", Code::text_encoding},
        Change{"TextWithTags", "text Where", "text W\U000e0041here", Code::text_encoding},
        Change{"ImagePlatform", "image linux/amd64", "image linux/arm64", Code::other_arch},
        Change{"ImageWithoutLayer", "layer e2", "lawyer e2", Code::text_key},
        Change{"BlobEmpty", digits("e1") + " 600", digits("e1") + " 0", Code::text_number},
        Change{"NotEncoded", "with%20blank", "with%41blank", Code::text_line},
        Change{"EncodedLower", "with%20blank", "with%2fblank", Code::text_line},
        Change{"EncodedCut", "with%20blank", "with%2", Code::text_line},
        Change{"EncodedNul", "with%20blank", "with%00blank", Code::text_line},
        Change{"EnvironmentWithoutName", "env PATH=", "env =", Code::text_line},
        Change{"EnvironmentWithoutValue", "env PATH=/bin:/usr/bin", "env PATH", Code::text_line},
        Change{"WorkdirRelative", "workdir /srv", "workdir srv", Code::text_path},
        Change{"UserName", "user 65532:65532", "user app:app", Code::text_number},
        Change{"UserNobodyCanBe", "user 65532:65532", "user 4294967295:0", Code::text_number},
        Change{"AfterTheEnd", "user 65532:65532\n", "user 65532:65532\nmore\n", Code::text_key}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(ReadManifest, RefusesEveryTruncationAndNeverMoreThanOnce) {
  const auto text = sample_manifest();
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto manifest = read_manifest(std::string_view(text).substr(0, size));
    // A manifest that ends after a whole pack or image is a manifest.
    if (!manifest) continue;
    EXPECT_EQ(write_manifest(*manifest), text.substr(0, size));
  }
}

TEST(ReadManifest, RefusesABlankAtTheEndOfAnyLine) {
  const auto text = sample_manifest();
  for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', end + 1)) {
    auto other = text;
    other.insert(end, " ");
    const auto manifest = read_manifest(other);
    // A path may end with a blank, and then is another one.
    if (manifest) {
      EXPECT_EQ(write_manifest(*manifest), other);
    }
    const auto line = text.substr(text.rfind('\n', end - 1) + 1);
    EXPECT_EQ(manifest.has_value(), line.starts_with("file ")) << line.substr(0, line.find('\n'));
  }
}

TEST(ReadManifest, TakesAsManyWordsVariablesAndChoicesAsItSaysAndRefusesOneMore) {
  const auto times = [](std::size_t count, const auto& line) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += line(i);
    return text;
  };
  const auto code = [](const std::string& text) {
    const auto manifest = read_manifest(text);
    return manifest ? "taken" : std::string(entry_of(manifest.error().code).number);
  };
  const auto number = std::string(entry_of(Code::too_many).number);
  const auto variables = [&](std::size_t count) {
    return with(sample_manifest(), "env PATH",
                times(count - 2, [](auto) { return "env A=\n"; }) + "env PATH");
  };
  EXPECT_EQ(code(variables(kMostVariables)), "taken");
  EXPECT_EQ(code(variables(kMostVariables + 1)), number);
  const auto words = [&](std::size_t count) {
    return with(sample_manifest(), "entrypoint /app serve",
                "entrypoint" + times(count, [](auto) { return " x"; }));
  };
  EXPECT_EQ(code(words(kMostWords)), "taken");
  EXPECT_EQ(code(words(kMostWords + 1)), number);
  const auto choices = [&](std::size_t count) {
    return with(sample_manifest(), "choice internal\n",
                "choice internal\n" + times(count - 2, [](std::size_t i) {
                  return "choice word" + std::to_string(1'000'000 + i) + "\n";
                }));
  };
  EXPECT_EQ(code(choices(kMostChoices)), "taken");
  EXPECT_EQ(code(choices(kMostChoices + 1)), number);

  // And of all images together: one with 128 words and variables in each of 256.
  const auto images = [&](std::size_t more) {
    auto text = sample_manifest();
    auto image = text.substr(text.find("image "));
    text.resize(text.find("image "));
    image = with(image, "env PATH", times(kMostProcessTexts / kMostImages - 6, [](auto) {
                                      return "env A=\n";
                                    }) + "env PATH");
    return text + times(kMostImages, [&](std::size_t i) {
             auto each = with(image, "registry", "r" + std::to_string(1000 + i));
             return i + more < kMostImages ? each : with(each, "env PATH", "env B=\nenv PATH");
           });
  };
  EXPECT_EQ(code(images(0)), "taken");
  EXPECT_EQ(code(images(1)), number);
}

TEST(ReadManifest, TakesAsManyFilesAsItSaysAndRefusesOneMore) {
  const auto manifest_of = [](std::size_t files) {
    std::string text = with(sample_manifest(), "base " + digits("ba") + " 1.0.9\n", "");
    text.resize(text.find("chunk"));
    text += "chunk " + digits("c1") + " 20 0\n";
    for (std::size_t i = 0; i < files; ++i) {
      text += "file 0 0644 " + digits("e3") + " usr/share/doc/" + std::to_string(1'000'000 + i) +
              "/copyright\n";
    }
    return text;
  };
  const auto most = read_manifest(manifest_of(kMostFiles));
  ASSERT_TRUE(most) << most.error().what;
  EXPECT_EQ(most->packs[0].files.size(), kMostFiles);
  const auto more = read_manifest(manifest_of(kMostFiles + 1));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Code::too_many);
}

}  // namespace
}  // namespace caisson::installer
