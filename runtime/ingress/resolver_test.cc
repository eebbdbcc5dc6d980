#include "runtime/ingress/resolver.h"

#include <filesystem>
#include <fstream>
#include <type_traits>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include "base/uuid.h"
#include "runtime/ingress/api_key.h"
#include "runtime/ingress/signals.h"
#include "runtime/ingress/test_request.h"
#include "runtime/ingress/test_tokens.h"

namespace caisson::ingress {
namespace {

namespace fs = std::filesystem;
using context::RequestContext;
using observe::Code;
using tenancy::Status;
using tenancy::Tenant;
using tenancy::TenantPtr;

class Resolving : public testing::Test {
 protected:
  Resolving() : directory_path_(fs::temp_directory_path() / ("caisson-resolver-" + new_uuid(0))) {
    fs::create_directory(directory_path_);
    std::ofstream(directory_path_ / "key") << signer_.key_file();
    configuration_.domain = "acme.localhost";
    configuration_.tokens = context::TokenSettings{.issuer = "i",
                                                   .audience = "a",
                                                   .key_file = directory_path_ / "key",
                                                   .jwks_file = {},
                                                   .algorithms = {context::Algorithm::eddsa}};
    tokens_ = TokenVerifier::open(*configuration_.tokens, clock_, log_).value();
    globex_ = directory_.add("globex", Status::active, {"shop.globex.example"});
    initech_ = directory_.add("initech", Status::active, {"initech.example"});
    suspended_ = directory_.add("hooli", Status::suspended);
    deleted_ = directory_.add("umbrella", Status::deleted);
    key_ = directory_.add_key(*globex_);
  }
  ~Resolving() override {
    fs::remove_all(directory_path_);
    ::close(null_);
  }

  [[nodiscard]] std::string token(std::string_view tenant,
                                  std::optional<std::int64_t> issued_ms = {}) const {
    boost::json::object claims{{"iss", "i"},
                               {"aud", "a"},
                               {"sub", "u"},
                               {"tid", tenant},
                               {"exp", clock_.unix_ms() / 1000 + 60}};
    if (issued_ms) claims["iat"] = static_cast<double>(*issued_ms) / 1000;
    return signer_.sign(claims);
  }
  [[nodiscard]] tl::expected<RequestContext, Unresolved> resolve(const TestRequest& request) const {
    return Resolver(configuration_, directory_, tokens_.get(), clock_)
        .resolve(request.make(), "r1");
  }
  /// The slug that the request is served for, or the code it is refused with.
  [[nodiscard]] std::string outcome(const TestRequest& request) const {
    const auto context = resolve(request);
    return context ? context->tenant().slug : std::string(info(context.error().problem.code).name);
  }
  [[nodiscard]] static TestRequest on(const std::string& host) { return TestRequest(host); }

  fs::path directory_path_;
  ManualClock clock_;
  int null_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  observe::Log log_{null_, observe::Level::error, "test", clock_};
  TestSigner signer_{context::Algorithm::eddsa};
  context::Configuration configuration_;
  std::unique_ptr<TokenVerifier> tokens_;
  TestDirectory directory_;
  TenantPtr globex_, initech_, suspended_, deleted_;
  std::string key_;
};

TEST_F(Resolving, NamesTheTenantByAnyAgreeingSignals) {
  for (const std::string& credential : {key_, token("globex")}) {
    EXPECT_EQ(outcome(on("acme.localhost").bearer(credential)), "globex");
    EXPECT_EQ(outcome(on("localhost").bearer(credential)), "globex");
    EXPECT_EQ(outcome(on("127.0.0.1").bearer(credential)), "globex");
    EXPECT_EQ(outcome(on("[::1]").bearer(credential)), "globex");
    EXPECT_EQ(outcome(on("globex.acme.localhost").bearer(credential)), "globex");
    EXPECT_EQ(outcome(on("shop.globex.example").bearer(credential)), "globex");
    EXPECT_EQ(
        outcome(on("globex.acme.localhost").bearer(credential).with("Caisson-Tenant", "globex")),
        "globex");
  }
  const auto context = resolve(on("globex.acme.localhost").bearer(key_));
  ASSERT_TRUE(context);
  EXPECT_EQ(context->caller().credential, context::Credential::api_key);
  EXPECT_EQ(context->caller().scopes, std::vector<std::string>{"read"});
  EXPECT_EQ(context->request_id(), "r1");
  EXPECT_EQ(outcome(on("localhost").with("authorization", "bEARER " + key_)), "globex");
}

TEST_F(Resolving, RefusesSignalsThatDisagree) {
  for (const std::string& credential : {key_, token("globex")}) {
    EXPECT_EQ(outcome(on("initech.acme.localhost").bearer(credential)), "tenant-mismatch");
    EXPECT_EQ(outcome(on("initech.example").bearer(credential)), "tenant-mismatch");
    EXPECT_EQ(outcome(on("localhost").bearer(credential).with("Caisson-Tenant", "initech")),
              "tenant-mismatch");
    EXPECT_EQ(
        outcome(on("globex.acme.localhost").bearer(credential).with("Caisson-Tenant", "initech")),
        "tenant-mismatch");
    EXPECT_EQ(
        outcome(on("initech.acme.localhost").bearer(credential).with("Caisson-Tenant", "globex")),
        "tenant-mismatch");
    EXPECT_EQ(outcome(on("nosuch.acme.localhost").bearer(credential)), "tenant-mismatch")
        << "a slug that exists answers like one that does not";
    EXPECT_EQ(outcome(on("localhost").bearer(credential).with("Caisson-Tenant", "nosuch")),
              "tenant-mismatch");
  }
  EXPECT_EQ(outcome(on("globex.acme.localhost").bearer(token("nosuch"))), "tenant-mismatch");
}

TEST_F(Resolving, RefusesUnusableSignals) {
  const auto with = [&](const std::string& name, const std::string& value) {
    return outcome(on("localhost").bearer(key_).with(name, value));
  };
  EXPECT_EQ(with("caisson-tenant", "globex"), "globex");
  for (const char* value :
       {"", "globex,globex", "globex,initech", "Globex", "globex ", "glo_bex", "../globex"}) {
    EXPECT_EQ(with("Caisson-Tenant", value), "ambiguous-tenant") << value;
  }
  for (const char* name : {"Caisson_Tenant", "CAISSON_TENANT", "caisson_tenant"}) {
    EXPECT_EQ(with(name, "globex"), "ambiguous-tenant") << name;
    EXPECT_EQ(
        outcome(on("localhost").bearer(key_).with("Caisson-Tenant", "globex").with(name, "globex")),
        "ambiguous-tenant");
  }
  EXPECT_EQ(outcome(on("localhost")
                        .bearer(key_)
                        .with("Caisson-Tenant", "globex")
                        .with("caisson-tenant", "globex")),
            "ambiguous-tenant");
  for (const char* host : {"a.globex.acme.localhost", "-x.acme.localhost", "globex.acme.localhost.",
                           "", ".acme.localhost", "glo_bex.acme.localhost"}) {
    EXPECT_EQ(outcome(on(host).bearer(key_)), "unknown-host") << host;
  }
}

TEST_F(Resolving, RefusesCredentials) {
  EXPECT_EQ(outcome(on("globex.acme.localhost")), "unauthenticated");
  for (const std::string& value :
       {std::string(), std::string("Bearer"), std::string("Bearer "), "Basic " + key_,
        "Bearer  " + key_, "Bearer " + key_ + "x", "Bearer " + key_.substr(0, 69),
        std::string("Bearer csk_"), std::string("Bearer a.b.c"), key_}) {
    EXPECT_EQ(outcome(on("localhost").with("Authorization", value)), "invalid-credential") << value;
  }
  EXPECT_EQ(outcome(on("localhost").bearer(key_).bearer(key_)), "invalid-credential");
  std::string other = key_;
  other[10] = other[10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(outcome(on("localhost").bearer(other)), "invalid-credential");
  const std::string expiring = directory_.add_key(*globex_, clock_.unix_ms() + 10);
  EXPECT_EQ(outcome(on("localhost").bearer(expiring)), "globex");
  clock_.advance_ms(10);
  EXPECT_EQ(outcome(on("localhost").bearer(expiring)), "invalid-credential");
  directory_.revoke_all();
  EXPECT_EQ(outcome(on("localhost").bearer(key_)), "invalid-credential") << "at once";
  EXPECT_EQ(outcome(on("localhost").bearer(token("nosuch"))), "unknown-tenant");
}

TEST_F(Resolving, RefusesTenantsThatAreNotActive) {
  EXPECT_EQ(outcome(on("localhost").bearer(token("hooli"))), "tenant-suspended");
  EXPECT_EQ(outcome(on("hooli.acme.localhost").bearer(directory_.add_key(*suspended_))),
            "tenant-suspended");
  EXPECT_EQ(outcome(on("localhost").bearer(token("umbrella"))), "tenant-deleted");
  const std::string text = token("globex");
  EXPECT_EQ(outcome(on("localhost").bearer(text)), "globex");
  Tenant changed = *globex_;
  changed.status = Status::suspended;
  directory_.put(changed);
  EXPECT_EQ(outcome(on("localhost").bearer(text)), "tenant-suspended")
      << "a live token stops at once";
}

TEST_F(Resolving, RefusesAPredecessorsToken) {
  Tenant successor = *globex_;
  successor.id = new_uuid(clock_.unix_ms());
  successor.created_ms = clock_.unix_ms();
  successor.successor = true;
  directory_.put(successor);
  EXPECT_EQ(outcome(on("localhost").bearer(token("globex", successor.created_ms - 1))),
            "invalid-credential");
  EXPECT_EQ(outcome(on("localhost").bearer(token("globex"))), "invalid-credential")
      << "issued who knows when";
  EXPECT_EQ(outcome(on("localhost").bearer(key_)), "unknown-tenant");
  EXPECT_EQ(outcome(on("localhost").bearer(token("globex", successor.created_ms))), "globex");
  configuration_.tokens->claim_holds = context::TenantClaim::id;
  EXPECT_EQ(outcome(on("localhost").bearer(token(globex_->id))), "unknown-tenant");
  EXPECT_EQ(outcome(on("localhost").bearer(token(successor.id))), "globex");
}

TEST_F(Resolving, NeverTakesASlugForAnId) {
  // Of a version before, or by hand: hundreds of tenants, each with the id of another as its slug.
  constexpr int pairs = 300;
  std::vector<TenantPtr> owners;
  std::vector<TenantPtr> others;
  for (int i = 0; i < pairs; ++i) {
    owners.push_back(directory_.add("owner-" + std::to_string(i)));
    others.push_back(directory_.add(owners.back()->id));
  }
  for (int i = 0; i < pairs; ++i) {
    const std::string& shared = owners[i]->id;  // and the slug of others[i]
    configuration_.tokens->claim_holds = context::TenantClaim::slug;
    EXPECT_EQ(resolve(on("localhost").bearer(token(shared)))->tenant().id, others[i]->id);
    EXPECT_EQ(resolve(on(shared + ".acme.localhost").bearer(token(shared)))->tenant().id,
              others[i]->id);
    EXPECT_EQ(outcome(on("owner-" + std::to_string(i) + ".acme.localhost").bearer(token(shared))),
              "tenant-mismatch");
    configuration_.tokens->claim_holds = context::TenantClaim::id;
    EXPECT_EQ(resolve(on("localhost").bearer(token(shared)))->tenant().id, owners[i]->id);
    EXPECT_EQ(outcome(on(shared + ".acme.localhost").bearer(token(shared))), "tenant-mismatch");
    EXPECT_EQ(outcome(on("localhost").bearer(token(owners[i]->slug))), "unknown-tenant");
    EXPECT_EQ(resolve(on("localhost").bearer(directory_.add_key(*owners[i])))->tenant().id, shared);
    EXPECT_EQ(
        outcome(
            on("localhost").bearer(directory_.add_key(*owners[i])).with("Caisson-Tenant", shared)),
        "tenant-mismatch");
  }
}

TEST_F(Resolving, AnswersAlikeAtHostsOfOthersAndOfNobody) {
  // Hundreds of tenants in every state, each with a domain of its own: with a credential of one's
  // own none of them can be told from one that is not there, by status, body or look-ups.
  constexpr int tenants = 300;
  for (int i = 0; i < tenants; ++i) {
    const std::string number = std::to_string(i);
    directory_.add("t" + number, static_cast<Status>(i % 3), {"shop" + number + ".example"});
  }
  for (const std::string& credential : {key_, token("globex")}) {
    const auto answer = [&](const TestRequest& request) {
      directory_.lookups = 0;
      const auto context = resolve(request);
      EXPECT_FALSE(context);
      return std::to_string(directory_.lookups) + problem_body(context.error().problem, "r1");
    };
    const std::string nobody = answer(on("nobody.example").bearer(credential));
    EXPECT_NE(nobody.find("tenant-mismatch"), std::string::npos);
    EXPECT_EQ(answer(on("nobody.acme.localhost").bearer(credential)), nobody);
    for (int i = 0; i < tenants; ++i) {
      const std::string number = std::to_string(i);
      ASSERT_EQ(answer(on("shop" + number + ".example").bearer(credential)), nobody);
      ASSERT_EQ(answer(on("t" + number + ".acme.localhost").bearer(credential)), nobody);
      ASSERT_EQ(answer(on("localhost").bearer(credential).with("Caisson-Tenant", "t" + number)),
                nobody);
      ASSERT_EQ(
          answer(
              on("globex.acme.localhost").bearer(credential).with("Caisson-Tenant", "t" + number)),
          nobody);
    }
    EXPECT_EQ(answer(on("localhost").bearer(credential).with("Caisson-Tenant", "nobody")), nobody);
  }
}

TEST_F(Resolving, TakesOnlyTheSignalsThatAreConfigured) {
  configuration_.resolve = {.subdomain = false, .header = true, .token = true};
  EXPECT_EQ(outcome(on("globex.acme.localhost").bearer(key_)), "ambiguous-tenant");
  EXPECT_EQ(outcome(on("shop.globex.example").bearer(key_)), "ambiguous-tenant");
  configuration_.resolve = {.subdomain = true, .header = false, .token = true};
  EXPECT_EQ(outcome(on("localhost").bearer(key_).with("Caisson-Tenant", "globex")),
            "ambiguous-tenant");
  configuration_.resolve = {.subdomain = true, .header = true, .token = false};
  EXPECT_EQ(outcome(on("localhost").bearer(key_)), "ambiguous-tenant");
  EXPECT_EQ(outcome(on("globex.acme.localhost").bearer(key_)), "globex");
  EXPECT_EQ(outcome(on("initech.acme.localhost").bearer(key_)), "tenant-mismatch");
  configuration_.api_keys = false;
  EXPECT_EQ(outcome(on("globex.acme.localhost").bearer(key_)), "invalid-credential");
}

TEST(ApiKeyId, ReadsOneForm) {
  const std::string id(22, 'A');
  const std::string secret(43, 'A');
  EXPECT_EQ(api_key_id("csk_" + id + "_" + secret), id);
  EXPECT_TRUE(api_key_id("csk_" + std::string("______________________").replace(21, 1, "A") + "_" +
                         secret));
  EXPECT_FALSE(api_key_id("csk_" + id + "-" + secret));
  EXPECT_FALSE(api_key_id("CSK_" + id + "_" + secret));
  EXPECT_FALSE(api_key_id("csk_" + id + "_" + secret + "A"));
  EXPECT_FALSE(api_key_id("csk_" + id + "_" + std::string(43, '=')));
  EXPECT_FALSE(api_key_id("csk_" + std::string(22, 'B') + "_" + secret)) << "bits beyond the id";
}

/// Any mixture of credentials and signals, good and bad.
struct AnyRequest {
  TestRequest request{""};
  const Tenant* credential_of = nullptr;  ///< null without a good credential
};

class ResolvingProperties : public Resolving {
 protected:
  [[nodiscard]] AnyRequest draw() {
    AnyRequest drawn;
    const std::vector<TenantPtr> all{globex_, initech_, suspended_, deleted_};
    const auto slug = rc::gen::element<std::string>("globex", "initech", "hooli", "umbrella",
                                                    "nosuch", "Globex", "globex,initech", "");
    drawn.request.host = *rc::gen::element<std::string>(
        "localhost", "acme.localhost", "globex.acme.localhost", "initech.acme.localhost",
        "hooli.acme.localhost", "umbrella.acme.localhost", "nosuch.acme.localhost",
        "shop.globex.example", "initech.example", "127.0.0.1", "x.y");
    const int headers = *rc::gen::inRange(0, 3);
    for (int i = 0; i < headers; ++i) {
      drawn.request.with(
          *rc::gen::element<std::string>("Caisson-Tenant", "caisson_tenant", "X-Tenant"), *slug);
    }
    const TenantPtr& owner = all[*rc::gen::inRange<std::size_t>(0, all.size())];
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
        break;
      case 1:
        drawn.request.bearer(directory_.add_key(*owner));
        drawn.credential_of = owner.get();
        break;
      case 2:
        drawn.request.bearer(token(owner->slug));
        drawn.credential_of = owner.get();
        break;
      case 3:
        drawn.request.bearer(*rc::gen::string<std::string>());
        break;
      case 4: {  // a good credential with one character changed
        std::string text =
            *rc::gen::element<std::string>(directory_.add_key(*owner), token(owner->slug));
        const std::size_t at = *rc::gen::inRange<std::size_t>(0, text.size());
        text[at] = text[at] == 'x' ? 'y' : 'x';
        drawn.request.bearer(text);
        break;
      }
      default:
        drawn.request.bearer(token("nosuch"));
        break;
    }
    return drawn;
  }
};

TEST_F(ResolvingProperties, Property04_ACredentialNeverAuthenticatesAnotherTenant) {
  const bool holds = rc::check([this] {
    const AnyRequest any = draw();
    const auto context = resolve(any.request);
    RC_TAG(context ? std::string("served") : std::string(info(context.error().problem.code).name));
    if (!context) return;
    RC_ASSERT(any.credential_of != nullptr);
    RC_ASSERT(context->tenant().id == any.credential_of->id);
  });
  EXPECT_TRUE(holds);
}

// Without a tenant there is nothing to call a handler with, and nobody else can make one.
static_assert(!std::is_default_constructible_v<RequestContext>);
static_assert(!std::is_constructible_v<RequestContext, std::string, TenantPtr,
                                       std::shared_ptr<const context::Caller>,
                                       std::chrono::steady_clock::time_point>);

TEST_F(ResolvingProperties, Property05_NoHandlerWithoutATenant) {
  const bool holds = rc::check([this] {
    const AnyRequest any = draw();
    const auto context = resolve(any.request);
    if (context) {
      RC_ASSERT(context->tenant_ptr() != nullptr);
      RC_ASSERT(context->tenant().status == Status::active);
      const HostSignal host = read_host(any.request.host, "acme.localhost");
      if (host.kind == HostSignal::Kind::slug) RC_ASSERT(host.name == context->tenant().slug);
      for (const auto& [name, value] : any.request.fields) {
        if (name == "Caisson-Tenant") RC_ASSERT(value == context->tenant().slug);
        RC_ASSERT(name != "caisson_tenant");
      }
    } else {
      const int status = info(context.error().problem.code).status;
      RC_ASSERT(status == 400 || status == 401 || status == 403 || status == 404);
    }
  });
  EXPECT_TRUE(holds);
}

TEST_F(ResolvingProperties, Property34_AuthenticationPrecedesEverythingTenantScoped) {
  TestDirectory empty;
  const bool holds = rc::check([&, this] {
    const AnyRequest any = draw();
    directory_.lookups = 0;
    const auto context = resolve(any.request);
    const bool authenticated = context || info(context.error().problem.code).status != 401;
    if (authenticated) return;
    RC_ASSERT(directory_.lookups == 0);
    // A deployment without any tenant answers the same: nothing is learned about which exist.
    const auto nowhere =
        Resolver(configuration_, empty, tokens_.get(), clock_).resolve(any.request.make(), "r1");
    RC_ASSERT(!nowhere);
    RC_ASSERT(problem_body(nowhere.error().problem, "r1") ==
              problem_body(context.error().problem, "r1"));
    RC_ASSERT(empty.lookups == 0);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace caisson::ingress
