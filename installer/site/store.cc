#include "installer/site/store.h"

#include <algorithm>
#include <vector>

#include "base/printable.h"
#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

constexpr std::size_t kMostOfJournal = std::size_t{4} << 20;

}  // namespace

Checked<std::optional<Journal>> load_journal(const Disk& site) {
  const auto there = site.status(kJournal);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return std::nullopt;
  const auto text = read_file(site, kJournal, kMostOfJournal);
  if (!text) return tl::unexpected(text.error());
  auto journal = read_journal(*text);
  if (!journal) return tl::unexpected(journal.error());
  return *std::move(journal);
}

std::optional<Refusal> fault_of_flight(const Journal& journal) {
  const auto& flight = journal.flight;
  if (!flight || (flight->step == Step::committed && flight->change != Change::uninstall)) {
    return std::nullopt;
  }
  if (flight->step == Step::held) {
    return Refusal{Code::unfinished,
                   "the update to " + flight->to +
                       " is held, for both releases leak: `rollback` goes back, and `recover "
                       "--waiver FILE` opens it"};
  }
  return Refusal{Code::unfinished, "the change '" + std::string(to_text(flight->change)) +
                                       "' has come to '" + std::string(to_text(flight->step)) +
                                       "'"};
}

Checked<std::vector<std::string>> releases_on(const Disk& site) {
  const auto there = site.status(kReleases);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return std::vector<std::string>{};
  return site.list(kReleases);
}

std::string tree_path(std::string_view release, Form form) {
  return release_path(release) + "/tree/" + std::string(to_text(form));
}

Checked<void> save_journal(Disk& site, const Journal& journal) {
  return replace_file(site, kJournal, write_journal(journal), 0644);
}

std::optional<Refusal> fault_of_form(const Manifest& manifest, Form form) {
  if (std::ranges::find(manifest.forms, to_text(form)) != manifest.forms.end()) {
    return std::nullopt;
  }
  std::string forms;
  for (const auto& each : manifest.forms) forms += (forms.empty() ? "" : ", ") + each;
  return Refusal{Code::wrong_form, "the bundle is for " + (forms.empty() ? "nothing" : forms) +
                                       ", and not for " + std::string(to_text(form))};
}

Checked<Form> choose_form(const Manifest& manifest, std::optional<Form> asked,
                          const Journal* kept) {
  if (kept != nullptr && asked && *asked != kept->form) {
    return refuse(Code::other_form, "it is here as " + std::string(to_text(kept->form)) +
                                        ", and not as " + std::string(to_text(*asked)));
  }
  auto form = asked.value_or(Form::systemd);
  if (kept != nullptr) {
    form = kept->form;
  } else if (!asked && fault_of_form(manifest, Form::systemd) &&
             !fault_of_form(manifest, Form::compose)) {
    form = Form::compose;
  }
  if (auto fault = fault_of_form(manifest, form)) return tl::unexpected(*fault);
  return form;
}

Checked<StagedRelease> load_release(const Premises& premises, std::string_view name) {
  const auto& disk = premises.disks.site;
  const auto directory = release_path(name);
  const auto text = read_file(disk, directory + "/MANIFEST", kMostOfText);
  if (!text) return tl::unexpected(text.error());
  auto manifest = read_manifest(*text);
  if (!manifest) return tl::unexpected(manifest.error());
  if (release_name(manifest->envelope.release, sha256(*text)) != name ||
      manifest->envelope.product != premises.product) {
    return refuse(Code::damaged, directory + "/MANIFEST is of another release");
  }
  if (auto fault = fault_of_form(*manifest, premises.form)) return tl::unexpected(*fault);
  const auto place = site_needs_of(premises.form);
  const auto site = read_file(disk, below(directory + "/tree", place), kMostOfText);
  if (!site) return refuse(Code::wrong_form, "the release has no " + place);
  auto needs = read_site_needs(*site);
  if (!needs) return tl::unexpected(needs.error());
  if (needs->product != premises.product || needs->prefix != premises.prefix() ||
      needs->data != premises.data()) {
    return refuse(Code::other_place, "it is made for " + needs->prefix + " and " + needs->data +
                                         ", and this program installs below " + premises.prefix() +
                                         " and " + premises.data());
  }
  if (!needs->programs.empty()) {
    return refuse(Code::with_programs, "one of them is " + printable(needs->programs.front()));
  }
  return StagedRelease{.name = std::string(name),
                       .form = premises.form,
                       .manifest = *std::move(manifest),
                       .needs = *std::move(needs)};
}

}  // namespace caisson::installer
