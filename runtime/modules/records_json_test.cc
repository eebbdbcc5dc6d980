// Everything that reads JSON against another reader: whatever way a text came in, it means the same
// wherever it comes out.

#include <map>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "runtime/context/any_json.h"
#include "runtime/modules/fixture.h"
#include "runtime/modules/transfer.h"

namespace caisson::modules {
namespace {

namespace json = boost::json;

/// A string of JSON that says `text`, any of its letters escaped.
std::string spelt(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    std::array<char, 16> escape{};
    std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
    out += *rc::gen::inRange(0, 3) == 0 ? std::string(escape.data()) : std::string(1, c);
  }
  return out + '"';
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    std::array<char, 4> code{};
    std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned char>(c));
    out += code.data();
  }
  return out;
}

struct Value {
  std::string text;
  json::object meant;
};

/// An object that has a scalar under the key `field`, and anything else.
Value any_value() {
  context::AnyJson any;
  any.text = "{" + spelt("field") + ":";
  json::object meant;
  meant["field"] = any.value(0);
  context::AnyJson rest;
  const auto others = rest.object(3);
  const std::string inside = rest.text.substr(1, rest.text.size() - 2);
  any.text += others.empty() ? inside + "}" : "," + inside + "}";
  for (const auto& member : others) meant[member.key()] = member.value();
  return {.text = any.text, .meant = std::move(meant)};
}

/// Whether the filter `field:op:<wanted>` asks for `have`, by what both mean.
bool is_asked_for(const json::value& have, std::string_view op, const json::value& wanted) {
  if (op == "eq") return have == wanted;
  if (op == "ne") return have != wanted;
  if (have.kind() != wanted.kind()) return false;
  int order = 0;
  if (have.is_string()) {
    order = std::string_view(have.get_string()).compare(std::string_view(wanted.get_string()));
    if (op == "prefix") {
      return std::string_view(have.get_string()).starts_with(std::string_view(wanted.get_string()));
    }
  } else {
    order = have.get_int64() < wanted.get_int64()   ? -1
            : have.get_int64() > wanted.get_int64() ? 1
                                                    : 0;
  }
  if (op == "lt") return order < 0;
  if (op == "le") return order <= 0;
  return op == "gt" ? order > 0 : order >= 0;
}

/// One collection as it should be, beside what the module makes of it.
class Twin {
 public:
  Twin(Bench& bench, std::string collection)
      : bench_(bench), collection_(std::move(collection)), path_("/v1/records/" + collection_) {
    static_cast<void>(bench_.store().take_changes());
  }

  void create() {
    const auto value = any_value();
    const auto answer = bench_.send({.method = "POST", .path = path_, .body = value.text});
    RC_ASSERT(answer.problem.empty());
    keep(object(answer), value);
  }

  void replace() {
    const auto [id, before] = any_record();
    const auto value = any_value();
    const auto path = path_ + "/" + id;
    const auto answer = bench_.send({.method = "PUT", .path = path, .body = value.text});
    RC_ASSERT(answer.problem.empty());
    keep(object(answer), value);
  }

  void batch() {
    const auto created = any_value();
    const auto replaced = any_value();
    const auto [id, before] = any_record();
    const auto op = [&](std::string_view what, const std::string& members) {
      return "{" + members + "," + spelt("op") + ":" + spelt(what) + "," + spelt("collection") +
             ":" + spelt(collection_) + "}";
    };
    const auto of_id = spelt("id") + ":" + spelt(id);
    const std::string body = "{" + spelt("operations") + ":[" +
                             op("create", spelt("value") + ":" + created.text) + "," +
                             op("replace", of_id + "," + spelt("value") + " : " + replaced.text) +
                             "," + op("read", of_id) + "]}";
    const auto answer = bench_.send({.method = "POST", .path = "/v1/batch", .body = body});
    RC_ASSERT(answer.problem.empty());
    const auto results = object(answer).at("results").as_array();
    RC_ASSERT(results.size() == 3U);
    keep(results[0].as_object(), created);
    keep(results[1].as_object(), replaced);
    RC_ASSERT(results[2] == results[1]);
  }

  void import() {
    const auto value = any_value();
    const auto id = Uuid::make(bench_.now_ms).text();
    const auto time = spelt("2026-02-13T16:26:40.000Z");
    const std::string body = "{" + spelt("tenant") + ":\"t\"," + spelt("records") + ":[{" +
                             spelt("value") + ":" + value.text + "," + spelt("id") + ":" +
                             spelt(id) + "," + spelt("created") + ":" + time + "," +
                             spelt("updated") + ":" + time + "," + spelt("version") + ":7," +
                             spelt("collection") + ":" + spelt(collection_) + "}]}";
    const auto import = read_import(body);
    RC_ASSERT(import.has_value());
    bench_.run([&](storage::TenantStore& store) {
      const auto imported = import_records(store, *import);
      RC_ASSERT(imported.created == 1 && !imported.conflict);
    });
    keep(object(bench_.get(path_ + "/" + id)), value);
    versions_[id] = 7;
    check_record(id);
  }

  /// Whatever tells of the collection tells what was meant, in the bytes that were sent.
  void check() {
    for (const auto& [id, value] : values_) check_record(id);
    const auto list = bench_.get(path_, "limit=1000&order=-updated");
    RC_ASSERT(object(list).at("records").as_array().size() == values_.size());
    for (const auto& [id, value] : values_)
      RC_ASSERT(list.body.find(value.text) != std::string::npos);

    ExportPage page;
    bench_.run([&](storage::TenantStore& store) {
      page = export_records(store, ExportPlace{.collection = collection_, .id = {}},
                            std::ssize(values_));
    });
    const auto records = json::parse(page.records).as_array();
    RC_ASSERT(records.size() == values_.size());
    for (const auto& record : records) {
      const auto& value = values_.at(std::string(record.at("id").as_string()));
      RC_ASSERT(record.at("value") == value.meant);
      RC_ASSERT(page.records.find(value.text) != std::string::npos);
    }
    // What an export wrote comes back as the same bytes.
    const auto import = read_import(R"({"tenant":"t","next":null,"existing":"replace","records":)" +
                                    page.records + "}");
    RC_ASSERT(import.has_value());
    for (const auto& record : import->records) {
      RC_ASSERT(record.value == values_.at(record.id.text()).text);
    }
    check_filters();
    check_changes();
  }

 private:
  void keep(const json::object& told, const Value& value) {
    RC_ASSERT(told.at("value") == value.meant);
    RC_ASSERT(told.at("collection").as_string() == collection_);
    const std::string id(told.at("id").as_string());
    values_[id] = value;
    versions_[id] = told.at("version").as_int64();
    ++changes_;
  }

  std::pair<std::string, Value> any_record() {
    if (values_.empty()) create();
    return *std::next(values_.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(values_)));
  }

  void check_record(const std::string& id) {
    const auto& value = values_.at(id);
    const auto read = bench_.get(path_ + "/" + id);
    RC_ASSERT(read.body.ends_with(R"("value":)" + value.text + "}"));
    RC_ASSERT(object(read).at("value") == value.meant);
    RC_ASSERT(object(read).at("version").as_int64() == versions_.at(id));
  }

  void check_filters() {
    const auto wanted = any_record().second.meant.at("field");
    for (const std::string_view op : {"eq", "ne", "lt", "le", "gt", "ge", "prefix"}) {
      if (op == "prefix" ? !wanted.is_string()
                         : op != "eq" && op != "ne" && !wanted.is_string() && !wanted.is_int64()) {
        continue;
      }
      const auto filter = "field:" + std::string(op) + ":" + json::serialize(wanted);
      const auto list = bench_.get(path_, "limit=1000&filter=" + encoded(filter));
      RC_ASSERT(list.problem.empty());
      std::size_t expected = 0;
      for (const auto& [id, value] : values_) {
        if (is_asked_for(value.meant.at("field"), op, wanted)) ++expected;
      }
      RC_ASSERT(object(list).at("records").as_array().size() == expected);
    }
  }

  void check_changes() {
    const auto changes = bench_.store().take_changes();
    RC_ASSERT(std::ssize(changes) == changes_);
    for (const auto& change : changes) {
      RC_ASSERT(change.collection == collection_);
      RC_ASSERT(values_.contains(change.id.text()));
    }
  }

  Bench& bench_;
  std::string collection_;
  std::string path_;
  std::map<std::string, Value> values_;  // by id
  std::map<std::string, std::int64_t> versions_;
  std::ptrdiff_t changes_ = 0;
};

TEST(RecordsJson, EveryDoorReadsATextAlike) {
  Bench bench;
  int cases = 0;
  EXPECT_TRUE(rc::check("every door reads a text alike", [&] {
    Twin twin(bench, "c-" + std::to_string(++cases));
    for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
          twin.create();
          break;
        case 1:
          twin.replace();
          break;
        case 2:
          twin.batch();
          break;
        default:
          twin.import();
      }
    }
    twin.check();
  }));
}

TEST(RecordsJson, ABatchWithEscapedKeysLosesNothing) {
  Bench bench;
  const auto answer =
      bench.batch(R"({"op":"create","collection":"orders","v\u0061lue":{"n":1.10}})");
  ASSERT_EQ(answer.problem, "");
  EXPECT_EQ(
      value_of(bench.get("/v1/records/orders/" +
                         std::string(object(answer).at("results").at(0).at("id").as_string()))),
      R"({"n":1.1E0})");
  EXPECT_EQ(
      object(bench.get("/v1/records/orders", "filter=n:eq:1.1")).at("records").as_array().size(),
      1U);
}

TEST(RecordsJson, OneKeyInTwoSpellingsIsThereTwice) {
  Bench bench;
  const std::string value = R"({"a":1,"\u0061":2})";
  EXPECT_EQ(bench.send({.method = "POST", .path = "/v1/records/orders", .body = value}).problem,
            "invalid-json");
  EXPECT_EQ(bench.batch(R"({"op":"create","collection":"orders","value":)" + value + "}").problem,
            "invalid-json");
  EXPECT_EQ(
      bench.batch(R"({"op":"create","collection":"orders","value":{},"v\u0061lue":{}})").problem,
      "invalid-json");
  EXPECT_EQ(read_import(R"({"tenant":"t","records":[],"r\u0065cords":[]})").error().problem,
            "invalid-json");
  const std::string longest(100'000, 'k');
  const auto told = bench.send({.method = "POST",
                                .path = "/v1/records/orders",
                                .body = "{\"" + longest + "\":1,\"" + longest + "\":2}"});
  EXPECT_LT(told.detail.size(), 200U);
}

TEST(RecordsJson, FiltersFindKeysAndTextsHoweverTheyAreSpelt) {
  Bench bench;
  for (const char* value :
       {R"({"st\u0061te":"op\u0065n"})", R"({"state":"open"})", R"({"state":"open\u0000er"})",
        R"({"state":"op"})", R"({"a.b":1,"a":{"b":"\ud83d\ude00"}})", R"({"":{"a":1}})",
        R"({"\"state\"":"open","$":1,"\\":2})"}) {
    bench.create("items", value);
  }
  const auto count = [&](const std::string& filter) {
    const auto answer = bench.get("/v1/records/items", "filter=" + encoded(filter));
    EXPECT_EQ(answer.problem, "") << filter << ": " << answer.detail;
    return object(answer).at("records").as_array().size();
  };
  EXPECT_EQ(count("state:eq:open"), 2U);
  EXPECT_EQ(count(R"(state:eq:"op\u0065n\u0000er")"), 1U);
  EXPECT_EQ(count(std::string("state:eq:open\0er", 16)), 1U);
  EXPECT_EQ(count("state:prefix:open"), 3U);
  EXPECT_EQ(count(R"(state:prefix:"open\u0000")"), 1U);
  EXPECT_EQ(count(R"(state:gt:open)"), 1U) << "what comes behind a NUL counts";
  EXPECT_EQ(count("state:ne:open"), 5U);
  EXPECT_EQ(count(R"(a.b:eq:"\ud83d\ude00")"), 1U);
  EXPECT_EQ(bench.get("/v1/records/items", "filter=state:eq:%FF").faults.at(0).detail,
            "a filter's value is UTF-8, percent-encoded");
}

TEST(RecordsJson, FiltersCompareNumbersExactly) {
  Bench bench;
  for (const char* number : {"9007199254740992", "9007199254740993", "9007199254740993.0",
                             "-9223372036854775808", "18446744073709551615", "18446744073709551616",
                             "1.0", "10e-1", "0.1", "1e-400", "0", "1e400", "-1e400"}) {
    bench.create("items", R"({"n":)" + std::string(number) + "}");
  }
  const auto count = [&](const std::string& filter) {
    return object(bench.get("/v1/records/items", "filter=" + encoded(filter)))
        .at("records")
        .as_array()
        .size();
  };
  EXPECT_EQ(count("n:eq:9007199254740992"), 1U);
  EXPECT_EQ(count("n:eq:9007199254740993"), 2U);
  EXPECT_EQ(count("n:gt:9007199254740992"), 5U);
  EXPECT_EQ(count("n:eq:18446744073709551615"), 1U);
  EXPECT_EQ(count("n:gt:18446744073709551615"), 2U);
  EXPECT_EQ(count("n:le:-9223372036854775808"), 2U);
  EXPECT_EQ(count("n:eq:1"), 2U);
  EXPECT_EQ(count("n:eq:0.10"), 1U);
  EXPECT_EQ(count("n:gt:0"), 10U) << "1e-400 is more than nothing";
  EXPECT_EQ(count("n:eq:10e399"), 1U);
  EXPECT_EQ(count("n:lt:-1e399"), 1U);
  EXPECT_NE(bench.get("/v1/records/items", "filter=n:gt:1e399").body.find(R"("value":{"n":1e400})"),
            std::string::npos)
      << "no digit of it is touched";
}

// ---- imports ----

std::string import_of(std::string_view version, std::string_view updated) {
  return R"({"tenant":"t","records":[{"id":"0190a3c4-5d6e-7f80-9a1b-2c3d4e5f6071",)"
         R"("collection":"orders","version":)" +
         std::string(version) + R"(,"created":"2026-01-31T12:00:00.000Z","updated":")" +
         std::string(updated) + R"(","value":{}}]})";
}

TEST(RecordsImport, TakesNoVersionThatCannotBeCounted) {
  constexpr std::string_view time = "2026-01-31T12:00:00.000Z";
  for (const char* version : {"0", "-1", "9007199254740992", "9223372036854775807",
                              "18446744073709551615", "1.5", "\"1\"", "null"}) {
    const auto import = read_import(import_of(version, time));
    ASSERT_FALSE(import) << version;
    EXPECT_EQ(import.error().faults.at(0).pointer, "/records/0/version");
  }
  Bench bench;
  bench.run([&](storage::TenantStore& store) {
    const auto import = read_import(import_of("9007199254740990", time));
    EXPECT_EQ(import_records(store, import.value()).created, 1);
  });
  const std::string path = "/v1/records/orders/0190a3c4-5d6e-7f80-9a1b-2c3d4e5f6071";
  EXPECT_EQ(bench.send({.method = "PUT", .path = path, .body = "{}"}).etag, "\"9007199254740991\"");
  EXPECT_EQ(bench.send({.method = "PUT", .path = path, .body = "{}"}).problem, "conflict");
  EXPECT_EQ(bench
                .batch(R"({"op":"create","collection":"orders","value":{}},{"op":"replace",)"
                       R"("collection":"orders","id":"0190a3c4-5d6e-7f80-9a1b-2c3d4e5f6071",)"
                       R"("value":{"n":1}})")
                .problem,
            "conflict");
  EXPECT_EQ(object(bench.get(path)).at("version").as_int64(), 9007199254740991);
  EXPECT_EQ(object(bench.get("/v1/records/orders")).at("records").as_array().size(), 1U)
      << "the create before it was undone";
}

TEST(RecordsImport, TakesTimesThatCanBeWritten) {
  EXPECT_TRUE(read_import(import_of("1", "9999-12-31T23:59:59.999Z")));
  EXPECT_TRUE(read_import(import_of("1", "0000-01-01T00:00:00.000Z")));
  for (const char* time : {"9999-12-31T23:59:59.999-00:01", "0000-01-01T00:00:00.000+00:01",
                           "2026-02-30T00:00:00Z", "yesterday"}) {
    const auto import = read_import(import_of("1", time));
    ASSERT_FALSE(import) << time;
    EXPECT_EQ(import.error().faults.at(0).pointer, "/records/0/updated");
  }
}

TEST(RecordsImport, TakesWhatAnExportCanHold) {
  Bench bench;
  std::string value = R"({"a":)";
  value += std::string(31, '[') + std::string(31, ']') + "}";
  bench.create("deep", value);
  ExportPage page;
  bench.run([&](storage::TenantStore& store) { page = export_records(store, {}, 1000); });
  const auto import = read_import(R"({"tenant":"t","records":)" + page.records + "}");
  ASSERT_TRUE(import) << import.error().detail;
  EXPECT_EQ(import->records.at(0).value, value);
}

TEST(RecordsExport, APageHasFourMebibytesOrOneRecordThatIsLarger) {
  Bench bench;
  constexpr std::size_t mib = std::size_t{1} << 20;
  std::size_t bytes = 0;
  for (const std::size_t size : {3 * mib, 3 * mib, 6 * mib, mib / 2, mib / 2}) {
    bench.create("notes", R"({"t":")" + std::string(size, 'x') + "\"}");
    bytes += size;
  }
  std::vector<std::size_t> pages;
  std::size_t exported = 0;
  std::optional<ExportPlace> after;
  do {
    ExportPage page;
    bench.run([&](storage::TenantStore& store) { page = export_records(store, after, 1000); });
    pages.push_back(
        read_import(R"({"tenant":"t","records":)" + page.records + "}")->records.size());
    EXPECT_LE(page.records.size(), pages.back() == 1 ? 6 * mib + 1024 : page_bytes + 1024);
    exported += page.records.size();
    after = page.next;
  } while (after);
  EXPECT_EQ(pages, (std::vector<std::size_t>{1, 1, 1, 2}));
  EXPECT_GT(exported, bytes);
}

TEST(RecordsImport, TellsABoundedNumberOfDefects) {
  std::string records;
  for (int i = 0; i < 1000; ++i) records += std::string(i > 0 ? "," : "") + R"({"x":1})";
  const auto import = read_import(R"({"tenant":"t","records":[)" + records + "]}");
  ASSERT_FALSE(import);
  EXPECT_EQ(import.error().faults.size(), observe::Faults::most_told + 1);
}

}  // namespace
}  // namespace caisson::modules
