#include "installer/command/site_command.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iterator>
#include <vector>

#include <unistd.h>

#include "base/json_text.h"
#include "base/printable.h"
#include "installer/cluster/premises.h"
#include "installer/command/ask.h"
#include "installer/command/cluster_place.h"
#include "installer/command/open_site.h"
#include "installer/command/outcome.h"
#include "installer/command/verify_site.h"
#include "installer/format/waiver.h"
#include "installer/format/words.h"
#include "installer/host/system_host.h"
#include "installer/site/change.h"
#include "installer/site/forecast.h"
#include "installer/site/roots.h"
#include "installer/site/tree.h"
#include "installer/trust/signature.h"
#include "installer/verify/content.h"

namespace caisson::installer {
namespace {

Checked<void> check_root(const Host& host) {
  if (host.is_root()) return {};
  return refuse(Code::host_root, "this changes what root alone may change");
}

Premises premises_of(const OpenSite& site, Host& host, const SiteRequest& request,
                     std::string product) {
  Premises premises{.product = std::move(product), .disks = site.disks(), .host = host};
  premises.form = site.form();
  premises.moves = request.moves;
  premises.booting = request.booting;
  premises.say = [](std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  return premises;
}

/// What is known of a site before a bundle is looked at.
struct Known {
  std::optional<OpenSite> site;
  std::optional<Journal> journal;
  std::optional<TrustedRoot> root;
  std::optional<StagedRelease> release;
};

Checked<Known> known_of(const std::string& product, Host& host, const SiteRequest& request) {
  Known known;
  auto site = OpenSite::open(product, false);
  if (!site) return tl::unexpected(site.error());
  if (!*site) return known;
  known.site.emplace(**std::move(site));
  const auto disks = known.site->disks();
  auto journal = load_journal(disks.site);
  if (!journal) return tl::unexpected(journal.error());
  known.journal = *std::move(journal);
  auto root = load_roots(disks.site, kRoots);
  if (!root) return tl::unexpected(root.error());
  known.root = *std::move(root);
  if (known.journal && !known.journal->installed.empty()) {
    auto release =
        load_release(premises_of(*known.site, host, request, product), known.journal->installed);
    if (!release) return tl::unexpected(release.error());
    known.release = *std::move(release);
  }
  if (known.journal) return known;
  const auto names = disks.site.list("");
  if (!names) return tl::unexpected(names.error());
  for (const auto& name : *names) {
    // An install may have been cut before its journal was there.
    if (name == kRoots || name == kLostAndFound || name == std::string(kJournal) + ".new") continue;
    return refuse(Code::host_in_the_way, below("/opt/" + product, name) +
                                             " is there, and no caisson-install put it there");
  }
  return known;
}

/// What a bundle is verified against.
KnownSite standing_of(const Known& known) {
  return {.root = known.root,
          .floor = known.journal ? known.journal->floor : std::nullopt,
          .kept_in = known.site ? &known.site->disks().site : nullptr,
          .installed = known.release ? &known.release->manifest : nullptr,
          .journal = known.journal ? &*known.journal : nullptr};
}

/// What the site answers: what the file says, and on a terminal what somebody types. `kept` is of
/// the installed release.
Checked<std::vector<Reply>> ask_site(const SiteRequest& request, const Known& known,
                                     const Manifest& manifest) {
  const auto disks = known.site ? std::optional(known.site->disks()) : std::nullopt;
  const auto* site = disks ? &disks->site : nullptr;
  Answers kept;
  if (site != nullptr) {
    auto answers = kept_answers(*site, known.release ? &*known.release : nullptr);
    if (!answers) return tl::unexpected(answers.error());
    kept = *std::move(answers);
  }
  Answers given;
  if (!request.answers.empty()) {
    auto answers = read_answers_file(request.answers, manifest.questions);
    if (!answers) return tl::unexpected(answers.error());
    given = *std::move(answers);
  }
  auto replies = replies_to(manifest, site, kept, given);
  const bool on_terminal = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
  if (!replies || !on_terminal || request.dry_run || request.bundle.json) return replies;
  // Whoever writes a file takes the defaults of what is not in it.
  if (!request.answers.empty()) {
    for (auto& reply : *replies) {
      if (reply.kind == Reply::Kind::preset) reply.kind = Reply::Kind::kept;
    }
  }
  auto typed = ask(*replies, STDIN_FILENO, STDERR_FILENO);
  if (!typed) return tl::unexpected(typed.error());
  given.merge(*typed);
  return replies_to(manifest, site, kept, given);
}

/// What is needed of the site's answers, for the table of everything that is needed.
std::vector<Requirement> requirements_of(const std::vector<Reply>& replies) {
  std::vector<Requirement> rows;
  for (const auto& reply : replies) {
    const auto& question = *reply.question;
    const bool secret = question.type == AnswerType::secret;
    const bool missing = reply.kind == Reply::Kind::missing;
    std::string needs = secret ? "a secret" : std::string(form_of(question.type));
    if (const auto comma = needs.find(", of "); comma != std::string::npos) needs.resize(comma);
    if (!question.choices.empty()) {
      needs.clear();
      for (const auto& choice : question.choices) needs += (needs.empty() ? "" : ", ") + choice;
    }
    rows.push_back(
        {.what = "answer " + question.name,
         .needs = std::move(needs),
         .has = missing  ? "none"
                : secret ? (reply.kind == Reply::Kind::kept ? "a secret, kept" : "a secret, given")
                         : reply.answer + (reply.kind == Reply::Kind::preset ? ", default"
                                           : reply.kind == Reply::Kind::kept ? ", kept"
                                                                             : ""),
         .met = !missing,
         .code = Code::missing_answer});
  }
  return rows;
}

/// The medium that a request names: a bundle, or the release that was staged here.
Checked<std::unique_ptr<Medium>> medium_of(const SiteRequest& request) {
  if (!request.apply) return open_medium(request.bundle.bundle);
  const auto top = "/opt/" + request.product;
  const auto site = open_disk(top);
  if (!site) return refuse(Code::not_installed, "there is no " + top);
  const auto journal = load_journal(**site);
  if (!journal) return tl::unexpected(journal.error());
  if (!*journal || (*journal)->staged.empty()) {
    return refuse(Code::not_staged, top + "/journal names no staged release");
  }
  return open_medium(below(top, release_path((*journal)->staged)));
}

/// Why a command is not for a site as it is.
Checked<void> check_state(Change change, const std::string& product, const Known& known) {
  if (change == Change::install && known.release) {
    return refuse(Code::installed_already, "the release " + known.journal->installed);
  }
  if (change == Change::update && !known.release) {
    return refuse(Code::not_installed, "there is no release in /opt/" + product);
  }
  if (!known.journal) return {};
  if (auto fault = fault_of_flight(*known.journal)) return tl::unexpected(*fault);
  return {};
}

Checked<std::vector<Requirement>> requirements_of(Host& host, const Known& known,
                                                  const VerifiedBundle& bundle, Form form) {
  const auto system = open_disk("/");
  if (!system) return tl::unexpected(system.error());
  const auto disks = known.site ? std::optional(known.site->disks()) : std::nullopt;
  return preflight(host,
                   {.system = **system,
                    .release = known.release ? &*known.release : nullptr,
                    .data = disks ? &disks->data : nullptr,
                    .standing = known.release   ? Standing::installed
                                : known.journal ? Standing::kept
                                                : Standing::fresh,
                    .form = form},
                   bundle);
}

/// A bundle that may be delivered, as far as its texts and what is here tell.
struct Parcel {
  std::string product;
  Known known;
  Verified verified;
  Form form = Form::systemd;
};

/// Looks at a bundle; roots on the way are kept unless it is only looked at.
Checked<Parcel> look_at(const SiteRequest& request, Change change, Host& host, bool only) {
  if (auto root = check_root(host); !root) return tl::unexpected(root.error());
  auto medium = medium_of(request);
  if (!medium) return tl::unexpected(medium.error());
  auto product = product_of(**medium);
  if (!product) return tl::unexpected(product.error());
  auto known = known_of(*product, host, request);
  if (!known) return tl::unexpected(known.error());
  if (auto fits = check_state(change, *product, *known); !fits) return tl::unexpected(fits.error());
  auto verified =
      verify_for(request, only, standing_of(*known), UnverifiedBundle(*std::move(medium)));
  if (!verified) return tl::unexpected(verified.error());
  const auto form = choose_form(verified->bundle.manifest(), request.form,
                                known->journal ? &*known->journal : nullptr);
  if (!form) return tl::unexpected(form.error());
  return Parcel{*std::move(product), *std::move(known), *std::move(verified), *form};
}

Checked<Said> deliver(const SiteRequest& request, Change change) {
  const auto host = system_host();
  auto parcel = look_at(request, change, *host, request.dry_run);
  if (!parcel) return tl::unexpected(parcel.error());
  const auto* const product = &parcel->product;
  auto* const known = &parcel->known;
  const auto* const verified = &parcel->verified;
  const auto replies = ask_site(request, *known, verified->bundle.manifest());
  if (!replies) return tl::unexpected(replies.error());
  auto rows = requirements_of(*host, *known, verified->bundle, parcel->form);
  if (!rows) return tl::unexpected(rows.error());
  std::ranges::move(requirements_of(*replies), std::back_inserter(*rows));
  if (request.dry_run || fault_of(*rows)) return table_said(request, *rows);

  if (!known->site) {
    auto made = OpenSite::make(*product);
    if (!made) return tl::unexpected(made.error());
    known->site.emplace(*std::move(made));
  }
  if (auto begun = known->site->begin_work(); !begun) return tl::unexpected(begun.error());
  auto premises = premises_of(*known->site, *host, request, *product);
  premises.form = parcel->form;
  for (const auto& root : verified->roots) {
    if (auto kept = keep_root(premises.disks.site, kRoots, root); !kept) {
      return tl::unexpected(kept.error());
    }
  }
  std::unique_ptr<Disk> secrets;
  if (!request.secrets.empty()) {
    auto opened = open_disk(request.secrets);
    if (!opened) return refuse(Code::host_read, opened.error().what);
    secrets = *std::move(opened);
    premises.secrets = secrets.get();
  }
  Reading reading;
  std::optional<BaseRelease> base;
  std::string tree;
  if (known->release) {
    const auto directory = release_path(known->release->name);
    const auto text = read_file(premises.disks.site, directory + "/MANIFEST", kMostOfText);
    if (!text) return tl::unexpected(text.error());
    tree = directory + "/tree";
    reading.base =
        &base.emplace(premises.disks.site, tree, known->release->manifest, sha256(*text));
  }
  Delivery delivery{.bundle = verified->bundle,
                    .reading = reading,
                    .again = request.again,
                    .staged = request.apply,
                    .answers = answers_of(*replies, false)};
  delivery.answers.merge(answers_of(*replies, true));
  const auto outcome = change == Change::install ? install(premises, delivery)
                       : request.stage           ? stage(premises, delivery)
                                                 : update(premises, delivery);
  if (!outcome) return tl::unexpected(outcome.error());
  auto said = told(request, *product, *outcome,
                   change == Change::install ? "installed"
                   : request.stage           ? "staged"
                                             : "updated");
  const auto count = request.apply ? 0 : verified->unlisted.count;
  if (!request.bundle.json) said.error += unlisted_text(count);
  // Of an install that failed, nothing stays but whom the site trusts.
  if (outcome->release.empty()) {
    if (auto removed = OpenSite::remove_empty(*product); !removed) {
      return tl::unexpected(removed.error());
    }
  }
  return said;
}

/// Opens an update that is held with what a file and the signature beside it say.
Checked<Outcome> waive_with(const Premises& premises, const std::string& file) {
  const auto root = load_roots(premises.disks.site, kRoots);
  if (!root) return tl::unexpected(root.error());
  if (!*root) return refuse(Code::root_not_trusted, premises.prefix() + " keeps no root");
  const auto text = caisson::read_file(file, kMostOfWaiver, Links::follow);
  if (!text) return refuse(Code::host_read, text.error().what);
  const auto signature = caisson::read_file(file + ".gpg", kMostOfSignature, Links::follow);
  if (!signature) return refuse(Code::host_read, signature.error().what);
  return waive(premises, **root, *text, *signature);
}

using Forecast = std::function<Checked<std::vector<std::string>>(const Premises& premises)>;

/// What a change would do.
Checked<Said> forecast_said(const SiteRequest& request, const OpenSite& site, Host& host,
                            const Forecast& forecast) {
  const auto lines = forecast(premises_of(site, host, request, request.product));
  if (!lines) return tl::unexpected(lines.error());
  return foretold(request, *lines);
}

/// Runs a change of a product that is on this host.
template <class Run>
Checked<Said> change_site(const SiteRequest& request, bool patient, std::string_view done,
                          const Run& run, const Forecast& forecast = {}) {
  const auto host = system_host();
  if (auto root = check_root(*host); !root) return tl::unexpected(root.error());
  auto site = OpenSite::open(request.product, patient);
  if (!site) return tl::unexpected(site.error());
  if (!*site) return refuse(Code::not_installed, "there is no /opt/" + request.product);
  if (request.dry_run) return forecast_said(request, **site, *host, forecast);
  if (!request.booting) {
    if (auto begun = (*site)->begin_work(); !begun) return tl::unexpected(begun.error());
  }
  const Checked<Outcome> outcome = run(premises_of(**site, *host, request, request.product));
  if (!outcome) return tl::unexpected(outcome.error());
  return told(request, request.product, *outcome, done);
}

/// What was answered to the installed release, a secret as nothing.
struct ShownAnswer {
  std::string name;
  std::optional<std::string> answer;
};

Checked<std::vector<ShownAnswer>> shown_answers(const Disk& site,
                                                const std::optional<StagedRelease>& release) {
  std::vector<ShownAnswer> shown;
  if (!release || release->manifest.questions.empty()) return shown;
  const auto kept = kept_answers(site, &*release);
  if (!kept) return tl::unexpected(kept.error());
  for (const auto& question : release->manifest.questions) {
    const auto answer = kept->find(question.name);
    shown.push_back({.name = question.name, .answer = std::nullopt});
    if (question.type != AnswerType::secret && answer != kept->end()) {
      shown.back().answer = answer->second;
    }
  }
  return shown;
}

std::string status_text(const Journal& journal, const std::optional<StagedRelease>& release,
                        const std::vector<ShownAnswer>& answers) {
  std::string text = journal.product + "\n";
  const auto line = [&text](std::string_view name, const std::string& value) {
    text.append("  ").append(name).append(12 - name.size(), ' ').append(value).append("\n");
  };
  line("installed", journal.installed.empty()
                        ? "nothing"
                        : (release ? to_text(release->manifest.version) + ", " : std::string()) +
                              "release " + journal.installed);
  if (!journal.previous.empty()) line("previous", "release " + journal.previous);
  if (!journal.staged.empty()) line("staged", "release " + journal.staged);
  if (!journal.installed.empty()) line("form", std::string(to_text(journal.form)));
  if (const auto& cluster = journal.cluster) {
    line("cluster", cluster->id + ", namespace " + cluster->space);
    if (!cluster->registry.empty()) line("registry", cluster->registry);
    if (cluster->revision > 0) line("revision", std::to_string(cluster->revision) + " of Helm");
  }
  line("root", std::to_string(journal.root));
  for (const auto& each : answers) {
    line("answer", each.name + ": " + (each.answer ? printable(*each.answer) : "a secret"));
  }
  for (const auto& refused : journal.refused) {
    line("refused", "release " + refused.release + " for " + refused.code);
  }
  if (const auto& flight = journal.flight) {
    line("unfinished",
         std::string(to_text(flight->change)) + " has come to '" +
             std::string(to_text(flight->step)) + "'; `caisson-install " +
             (flight->step == Step::held ? "rollback" : "recover") + " --product " +
             journal.product +
             (flight->step == Step::held ? "` goes back, `recover --waiver FILE` opens it"
                                         : "` finishes or undoes it, unless one is at work"));
  }
  return text;
}

std::string status_json(const Journal& journal, const std::optional<StagedRelease>& release,
                        const std::vector<ShownAnswer>& answers) {
  const auto named = [](const std::string& name) {
    return name.empty() ? std::string("null") : json_string(name);
  };
  std::string json = R"({"product":)" + json_string(journal.product) + R"(,"form":)" +
                     json_string(to_text(journal.form)) + R"(,"installed":)" +
                     named(journal.installed) + R"(,"version":)" +
                     named(release ? to_text(release->manifest.version) : "") + R"(,"previous":)" +
                     named(journal.previous) + R"(,"staged":)" + named(journal.staged) +
                     R"(,"root":)" + std::to_string(journal.root) + R"(,"refused":[)";
  for (std::size_t i = 0; i < journal.refused.size(); ++i) {
    json += (i > 0 ? "," : "") + std::string(R"({"release":)") +
            json_string(journal.refused[i].release) + R"(,"code":)" +
            json_string(journal.refused[i].code) + "}";
  }
  json += "]";
  if (const auto& cluster = journal.cluster) {
    json += R"(,"cluster":)" + json_string(cluster->id) + R"(,"namespace":)" +
            json_string(cluster->space) + R"(,"registry":)" + named(cluster->registry) +
            R"(,"revision":)" + std::to_string(cluster->revision);
  }
  json += R"(,"answers":{)";
  for (const auto& each : answers) {
    json += (&each == answers.data() ? "" : ",") + json_string(each.name) + ":" +
            (each.answer ? json_string(*each.answer) : "null");
  }
  json += R"(},"unfinished":)";
  if (const auto& flight = journal.flight) {
    json += R"({"change":)" + json_string(to_text(flight->change)) + R"(,"step":)" +
            json_string(to_text(flight->step)) + "}";
  } else {
    json += "null";
  }
  return json + "}";
}

}  // namespace

Checked<std::string> product_of(const Medium& medium) {
  const auto text = read_text(medium, kManifest, kMostOfText);
  if (!text) return tl::unexpected(text.error());
  const auto envelope = read_envelope(*text);
  if (!envelope) return tl::unexpected(envelope.error());
  return envelope->product;
}

std::optional<Form> form_on_host(const std::string& product) {
  const auto site = open_disk("/opt/" + product);
  if (!site) return std::nullopt;
  const auto journal = load_journal(**site);
  if (!journal || !*journal) return std::nullopt;
  return (*journal)->form;
}

std::optional<Form> form_of_bundle(const SiteRequest& request, bool update) {
  std::optional<Form> form;
  // What is wrong with it is said when it is delivered.
  (void)guarded(true, [&]() -> Checked<Said> {
    if (!request.form && !request.apply) {
      const auto medium = open_medium(request.bundle.bundle);
      if (!medium) return tl::unexpected(medium.error());
      const auto product = product_of(**medium);
      if (!product) return tl::unexpected(product.error());
      if (is_in_cluster(*product)) {
        form = Form::helm;
        return Said{};
      }
    }
    const auto host = system_host();
    const auto parcel = look_at(request, update ? Change::update : Change::install, *host, true);
    if (parcel) form = parcel->form;
    return Said{};
  });
  return form;
}

Said install_bundle(const SiteRequest& request) {
  return guarded(request.bundle.json, [&] { return deliver(request, Change::install); });
}

Said update_from_bundle(const SiteRequest& request) {
  return guarded(request.bundle.json, [&] { return deliver(request, Change::update); });
}

Said roll_back_site(const SiteRequest& request) {
  return guarded(request.bundle.json, [&] {
    return change_site(
        request, false, "gone back", [](const Premises& premises) { return roll_back(premises); },
        forecast_roll_back);
  });
}

Said recover_site(const SiteRequest& request) {
  return guarded(request.bundle.json, [&]() -> Checked<Said> {
    auto said = change_site(request, true, "finished", [&](const Premises& premises) {
      return request.waiver.empty() ? recover(premises) : waive_with(premises, request.waiver);
    });
    if (!said || said->exit != Exit::ok) return said;
    if (auto removed = OpenSite::remove_empty(request.product); !removed) {
      return tl::unexpected(removed.error());
    }
    return said;
  });
}

Said uninstall_site(const SiteRequest& request) {
  return guarded(request.bundle.json, [&]() -> Checked<Said> {
    auto said = change_site(
        request, false, "uninstalled",
        [&](const Premises& premises) { return uninstall(premises, request.keep_data); },
        [&](const Premises& premises) { return forecast_uninstall(premises, request.keep_data); });
    if (!said || said->exit != Exit::ok || request.keep_data || request.dry_run) return said;
    if (auto removed = OpenSite::remove_empty(request.product); !removed) {
      return tl::unexpected(removed.error());
    }
    return said;
  });
}

Said tell_status(const SiteRequest& request) {
  return guarded(request.bundle.json, [&]() -> Checked<Said> {
    // Whoever is not root keeps what he has in a cluster below a directory of his own.
    std::vector<std::string> tops{"/opt"};
    const auto own = std::filesystem::path(cluster_place("any")).parent_path().string();
    if (!own.empty() && own != tops.front()) tops.push_back(own);
    std::vector<std::pair<std::string, std::string>> products;
    for (const auto& top : tops) {
      const auto disk = open_disk(top);
      if (!disk && top == own) continue;
      if (!disk) return tl::unexpected(disk.error());
      auto names = (*disk)->list("");
      if (!names) return tl::unexpected(names.error());
      for (auto& name : *names) {
        if (!request.product.empty() && name != request.product) continue;
        auto place = below(top, name);
        products.emplace_back(std::move(name), std::move(place));
      }
    }
    const auto host = system_host();
    Said said;
    for (const auto& [product, place] : products) {
      // Without the lock, so that a change can be watched.
      const auto disk = open_disk(place);
      if (!disk) continue;
      const auto journal = load_journal(**disk);
      if (!journal) return tl::unexpected(journal.error());
      if (!*journal) continue;
      std::optional<StagedRelease> release;
      if (!(*journal)->installed.empty()) {
        const Premises premises{.product = product,
                                .disks = {**disk, **disk, **disk, **disk},
                                .host = *host,
                                .form = (*journal)->form};
        if ((*journal)->form == Form::helm) {
          if (auto loaded = load_chart(premises, (*journal)->installed)) {
            release = {.name = loaded->name, .manifest = std::move(loaded->manifest), .needs = {}};
          }
        } else if (auto loaded = load_release(premises, (*journal)->installed)) {
          release = *std::move(loaded);
        }
      }
      const auto answers = shown_answers(**disk, release);
      if (!answers) return tl::unexpected(answers.error());
      if (request.bundle.json) {
        said.out += (said.out.empty() ? "[" : ",") + status_json(**journal, release, *answers);
      } else {
        said.out += status_text(**journal, release, *answers);
      }
    }
    if (request.bundle.json) {
      said.out += said.out.empty() ? "[]\n" : "]\n";
    } else if (said.out.empty()) {
      return refuse(Code::not_installed, request.product.empty()
                                             ? "no directory below /opt has a journal"
                                             : "there is no /opt/" + request.product + "/journal");
    }
    return said;
  });
}

}  // namespace caisson::installer
