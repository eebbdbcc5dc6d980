// Records on their way from a runtime to another one, over the operator listener.

#include <memory>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/http/test_client.h"
#include "runtime/test_deployment.h"

namespace caisson::runtime {
namespace {

namespace json = boost::json;
using http::TestClient;
using testing::HasSubstr;

constexpr std::size_t mib = std::size_t{1} << 20;
constexpr std::size_t large = 12 * mib;

class Runtime {
 public:
  explicit Runtime(std::string_view limits)
      : deployment_(R"("limits": )" + std::string(limits) + ","),
        application_(deployment_.start()) {}

  [[nodiscard]] TestClient::Answer order(const std::string& method, const std::string& target,
                                         const std::string& body = "") const {
    auto answer =
        TestClient(application_->operator_port()).ask(operator_request(method, target, body));
    if (!answer) throw std::runtime_error("no answer of the operator API");
    return std::move(*answer);
  }
  [[nodiscard]] TestClient::Answer ask(std::string_view request) const {
    auto answer = TestClient(application_->data_port()).ask(request);
    if (!answer) throw std::runtime_error("no answer");
    return std::move(*answer);
  }

 private:
  TestDeployment deployment_;
  std::unique_ptr<Application> application_;
};

/// A record of 12 MiB, and the only page of its export.
class ALargeRecord : public testing::Test {
 protected:
  ALargeRecord() {
    const Runtime from(R"({"body": 12582912})");
    const auto made = from.ask(tenant_request("globex", "POST", "/v1/records/notes", value_));
    if (made.status != 201) throw std::runtime_error(made.body);
    id_ = std::string(json::parse(made.body).at("id").as_string());
    // A small one beside it, which begins another page.
    static_cast<void>(
        from.ask(tenant_request("globex", "POST", "/v1/records/notes", R"({"n":1})")));
    const auto snapshot =
        json::parse(from.order("POST", "/v1/tenants/globex/snapshots").body).at("id").as_string();
    page_ = from.order("GET", "/v1/tenants/globex/snapshots/" + std::string(snapshot) + "/records")
                .body;
  }

  const std::string value_ = R"({"t":")" + std::string(large - 8, 'x') + "\"}";
  std::string id_;
  std::string page_;
};

TEST_F(ALargeRecord, GoesWhereOnlySmallOnesAreTaken) {
  EXPECT_LT(page_.size(), large + 1024) << "it has a page for itself";
  // The least memory that is supported, and the default body.
  const Runtime to(R"({"body": 1048576, "memory": 268435456})");
  EXPECT_EQ(to.ask(tenant_request("globex", "POST", "/v1/records/notes", value_)).status, 413);
  const auto imported = to.order("POST", "/v1/tenants/globex/records", page_);
  EXPECT_EQ(imported.status, 200) << imported.body;
  const auto read = to.ask(tenant_request("globex", "GET", "/v1/records/notes/" + id_));
  ASSERT_EQ(read.status, 200);
  EXPECT_THAT(read.body.size(), testing::Ge(large));
  EXPECT_NE(read.body.find(value_), std::string::npos);
  // Nothing else may be as large.
  const std::string filler(9 * mib + 1, ' ');
  const auto refused = to.order("PATCH", "/v1/tenants/globex", "{" + filler + "}");
  EXPECT_EQ(refused.status, 413);
  EXPECT_THAT(refused.body, HasSubstr("a call may have 9437184 bytes"));
}

TEST_F(ALargeRecord, IsRefusedWithAWayOutWhereThereIsNoMemoryForIt) {
  const Runtime to(R"({"body": 1048576, "buffered": 33554432})");
  const auto refused = to.order("POST", "/v1/tenants/globex/records", page_);
  EXPECT_EQ(refused.status, 413);
  EXPECT_THAT(refused.body, HasSubstr("nothing was imported: this process takes 9437184 bytes"));
  EXPECT_THAT(refused.body, HasSubstr("give the process more memory"));
  EXPECT_THAT(to.ask(tenant_request("globex", "GET", "/v1/records/notes")).body,
              HasSubstr(R"("records":[])"));
}

}  // namespace
}  // namespace caisson::runtime
