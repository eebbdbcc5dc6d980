#include "installer/site/claims.h"

#include <algorithm>
#include <chrono>

#include "base/printable.h"
#include "installer/site/store.h"
#include "installer/site/tree.h"
#include "installer/site/units.h"

namespace caisson::installer {
namespace {

/// Where systemd looks for what it is told, the strongest first. A file of a stronger place hides
/// one of the same name in a weaker one.
constexpr std::string_view kPlaces[] = {"etc", "run", "usr/local/lib", "usr/lib", "lib"};

constexpr std::size_t kMostOfAccounts = std::size_t{1} << 20;
constexpr std::size_t kMostOfPasswd = std::size_t{16} << 20;
constexpr std::string_view kPasswd = "etc/passwd";
constexpr std::string_view kGroup = "etc/group";
constexpr const char* kMetricsGroup = "_metrics";

// Of what getent(1) is asked for: so many at a time, for so long.
constexpr std::size_t kMostAsked = 500;
constexpr std::size_t kMostOfAsked = std::size_t{64} << 20;
constexpr std::chrono::seconds kPatience{60};

/// Whether a name is there. Systems that have one /usr reach "/lib" through a link: it is looked at
/// where it is.
Checked<bool> stands(const Disk& system, const std::string& path) {
  const auto status = system.status(path);
  if (status) return status->has_value();
  if (status.error().code == Code::host_in_the_way) return false;
  return tl::unexpected(status.error());
}

/// The first name in a directory that a file system itself has not put there; empty for none.
Checked<std::string> first_name(const Disk& system, const std::string& path) {
  const auto status = system.status(path);
  if (!status) return tl::unexpected(status.error());
  if (!*status) return std::string();
  if ((*status)->kind != Status::Kind::directory) return path;
  const auto names = system.list(path);
  if (!names) return tl::unexpected(names.error());
  for (const auto& name : *names) {
    if (name != kLostAndFound) return below(path, name);
  }
  return std::string();
}

struct Account {
  bool user = false;  ///< else a group
  std::string name;
  std::string home;     ///< may be empty
  std::string shell;    ///< of an account of the host
  std::string id;       ///< its number; empty where a text leaves that to the host
  std::string about;    ///< of an account: its description
  std::string group;    ///< of an account: the number of its group
  std::string members;  ///< of a group
};

/// The words of a line, which may stand in quotes.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  char quote = 0;
  bool open = false;
  for (const char c : line) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        words.back() += c;
      }
      continue;
    }
    if (c == ' ' || c == '\t') {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    if (c == '"' || c == '\'') {
      quote = c;
    } else {
      words.back() += c;
    }
  }
  return words;
}

template <class Each>
void for_lines(std::string_view text, const Each& each) {
  while (!text.empty()) {
    const auto length = std::min(text.find('\n'), text.size());
    each(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
}

/// What a text of sysusers.d(5) declares: "u NAME ID GECOS HOME" and "g NAME ID".
std::vector<Account> accounts_of(std::string_view text) {
  std::vector<Account> accounts;
  for_lines(text, [&](std::string_view line) {
    const auto words = words_of(line);
    if (words.size() < 2 || (words[0][0] != 'u' && words[0][0] != 'g')) return;
    if (words[0].size() > 1 && words[0] != "u!") return;
    accounts.push_back({.user = words[0][0] == 'u',
                        .name = words[1],
                        .home = words.size() > 4 && words[4] != "-" ? words[4] : "",
                        .about = words.size() > 3 && words[3] != "-" ? words[3] : ""});
  });
  return accounts;
}

/// Adds the accounts of passwd(5), or the groups of group(5).
void add_lines(std::string_view text, bool users, std::vector<Account>& accounts) {
  for_lines(text, [&](std::string_view line) {
    std::vector<std::string_view> fields;
    while (true) {
      const auto colon = std::min(line.find(':'), line.size());
      fields.push_back(line.substr(0, colon));
      if (colon == line.size()) break;
      line.remove_prefix(colon + 1);
    }
    if (fields.size() != (users ? 7U : 4U)) return;
    accounts.push_back({.user = users,
                        .name = std::string(fields[0]),
                        .home = users ? std::string(fields[5]) : std::string(),
                        .shell = users ? std::string(fields[6]) : std::string(),
                        .id = std::string(fields[2]),
                        .about = users ? std::string(fields[4]) : std::string(),
                        .group = users ? std::string(fields[3]) : std::string(),
                        .members = users ? std::string() : std::string(fields[3])});
  });
}

/// The accounts and groups in this host's files.
Checked<std::vector<Account>> known_accounts(const Disk& system) {
  std::vector<Account> accounts;
  for (const auto path : {kPasswd, kGroup}) {
    const auto there = stands(system, std::string(path));
    if (!there) return tl::unexpected(there.error());
    if (!*there) continue;
    const auto text = read_file(system, path, kMostOfPasswd);
    if (!text) return tl::unexpected(text.error());
    add_lines(*text, path == kPasswd, accounts);
  }
  return accounts;
}

/// The same, and those of these names and numbers that this host knows from elsewhere, as from a
/// directory of its site: getent(1) asks for them. A host without it knows none.
Checked<std::vector<Account>> known_accounts(const HostFiles& files,
                                             const std::vector<std::string>& asked) {
  auto accounts = known_accounts(files.system);
  const auto program = files.host.find_program("getent");
  if (!accounts || program.empty()) return accounts;
  const auto ask = [&](std::vector<std::string> words) -> Checked<void> {
    const auto table = words.front();
    const auto ended = files.host.run({.program = program,
                                       .arguments = std::move(words),
                                       .account = {},
                                       .deadline = kPatience,
                                       .most_output = kMostOfAsked});
    if (!ended) return tl::unexpected(ended.error());
    constexpr int kUnknown = 2;  // one of them is not there
    if (ended->status != 0 && ended->status != kUnknown) {
      return refuse(Code::host_command, "getent " + table + " ended with " +
                                            std::to_string(ended->status) + ": " + ended->output);
    }
    add_lines(ended->output, table == "passwd", *accounts);
    return {};
  };
  for (std::size_t i = 0; i < asked.size(); i += kMostAsked) {
    const auto begin = asked.begin() + static_cast<std::ptrdiff_t>(i);
    const auto count = std::min(kMostAsked, asked.size() - i);
    for (const std::string table : {"passwd", "group"}) {
      std::vector<std::string> words{table};
      words.insert(words.end(), begin, begin + static_cast<std::ptrdiff_t>(count));
      if (auto done = ask(std::move(words)); !done) return tl::unexpected(done.error());
    }
  }
  // Whose first group one is, accounts alone say: all that a directory lists are asked for.
  const bool empty = std::ranges::any_of(*accounts, [&](const Account& group) {
    return !group.user && group.members.empty() &&
           std::ranges::find(asked, group.name) != asked.end();
  });
  if (empty) {
    if (auto done = ask({"passwd"}); !done) return tl::unexpected(done.error());
  }
  return accounts;
}

std::vector<std::string> names_of(const std::vector<Account>& accounts) {
  // sysusers.d(5) makes a group for each account, too.
  std::vector<std::string> names;
  names.reserve(accounts.size());
  for (const auto& account : accounts) names.push_back(account.name);
  return names;
}

std::string told(const Account& account) {
  return (account.user ? "the account " : "the group ") + printable(account.name);
}

bool is_locked(const Account& account) {
  return account.shell.ends_with("/nologin") || account.shell.ends_with("/false");
}

/// Whether no shell lets anybody in as an account, which lives in the product's directory.
bool lives_in(const Account& account, std::string_view product) {
  return account.user && is_locked(account) &&
         account.home.starts_with("/var/lib/" + std::string(product) + "/");
}

/// Whether an earlier install has made an account, as far as anybody can tell: it lives in the
/// product's directory, or nowhere and is named and described as a release declares it. The
/// description alone says nothing, for people may choose their own (chfn(1)).
bool is_own(const Account& account, std::string_view product,
            const std::vector<Account>& declared) {
  if (lives_in(account, product)) return true;
  return account.user && is_locked(account) && account.home == "/" && !account.about.empty() &&
         std::ranges::any_of(declared, [&](const Account& own) {
           return own.user && own.name == account.name && own.about == account.about;
         });
}

/// Whether nobody but own accounts of the product is in a group.
bool is_unused(const Account& group, const std::vector<Account>& known, std::string_view product,
               const std::vector<Account>& declared) {
  return !group.user && group.members.empty() &&
         std::ranges::none_of(known, [&](const Account& account) {
           return account.user && account.group == group.id && !is_own(account, product, declared);
         });
}

/// Whether a group is the product's as far as anybody can tell, or may be: it goes with accounts of
/// the product, whoever was put into it, and to take one that nobody is in gives nobody anything.
bool is_own_group(const Account& group, const std::vector<Account>& known, std::string_view product,
                  const std::vector<Account>& declared) {
  return !group.user &&
         (is_unused(group, known, product, declared) ||
          std::ranges::any_of(known, [&](const Account& account) {
            return is_own(account, product, declared) &&
                   std::ranges::find(declared, account.name, &Account::name) != declared.end();
          }));
}

/// One of the declared names that is there and is somebody else's, as far as anybody can tell.
std::string foreign_name_of(const std::vector<Account>& known, std::string_view product,
                            const std::vector<Account>& declared) {
  const auto is = std::ranges::find_if(known, [&](const Account& account) {
    return std::ranges::find(declared, account.name, &Account::name) != declared.end() &&
           !is_own(account, product, declared) && !is_own_group(account, known, product, declared);
  });
  return is == known.end() ? std::string() : told(*is) + " is there";
}

/// The account of an instance.
Account account_of(std::string_view product, std::string name, std::string_view instance) {
  return {.user = true,
          .name = std::move(name),
          .about = std::string(product).append(" ").append(instance)};
}

/// What releases on the site's disk declare, as a journal names it.
Checked<std::vector<MadeAccount>> declared_accounts(const Premises& premises,
                                                    const std::vector<std::string>& releases) {
  std::vector<MadeAccount> declared;
  const auto& site = premises.disks.site;
  for (const auto& release : releases) {
    const auto path = declaration_of(premises, release);
    // One that was not staged to its end, or is being removed, may have none.
    const auto there = site.status(path);
    if (!there) return tl::unexpected(there.error());
    if (!*there) continue;
    const auto text = read_file(site, path, kMostOfAccounts);
    if (!text) return tl::unexpected(text.error());
    for (const auto& account : accounts_of(*text)) {
      MadeAccount made{.name = account.name, .instance = {}};
      const auto begin = premises.product + " ";
      if (account.user && account.about.starts_with(begin)) {
        made.instance = account.about.substr(begin.size());
      }
      const bool fits = is_account(made.name) && (!account.user || is_account(made.instance));
      if (fits && std::ranges::find(declared, made) == declared.end()) {
        declared.push_back(std::move(made));
      }
    }
  }
  return declared;
}

}  // namespace

Checked<std::string> claimed(const Disk& system, std::string_view product,
                             const std::vector<std::string>& units, Standing standing) {
  const std::string name(product);
  if (standing == Standing::fresh) {
    auto kept = first_name(system, "var/lib/" + name);
    if (!kept || !kept->empty()) return kept ? Checked<std::string>("/" + *kept) : kept;
  }
  std::vector<std::string> files;
  files.reserve(units.size() + 4);
  for (const auto& unit : units) files.push_back("systemd/system/" + unit);
  if (standing != Standing::installed) {
    files.push_back("systemd/system/" + recover_unit(product));
    for (const auto* directory : {"sysusers.d/", "tmpfiles.d/", "systemd/journald@"}) {
      files.push_back(directory + name + ".conf");
    }
    const auto there = stands(system, "etc/" + name);
    if (!there) return tl::unexpected(there.error());
    if (*there) return "/etc/" + name;
  }
  for (const auto place : kPlaces) {
    for (const auto& file : files) {
      const auto path = below(place, file);
      const auto there = stands(system, path);
      if (!there) return tl::unexpected(there.error());
      if (*there) return "/" + path;
    }
  }
  return std::string();
}

Checked<std::string> claimed_account(const HostFiles& files, std::string_view product,
                                     std::string_view accounts, std::string_view installed) {
  const auto& system = files.system;
  auto own = accounts_of(accounts);
  const auto shared = [&](const Account& other) {
    return std::ranges::find(own, other.name, &Account::name) != own.end();
  };
  for (const auto place : kPlaces) {
    const auto directory = below(place, "sysusers.d");
    const auto there = stands(system, directory);
    if (!there) return tl::unexpected(there.error());
    if (!*there) continue;
    const auto names = system.list(directory);
    if (!names) return tl::unexpected(names.error());
    for (const auto& name : *names) {
      const auto path = below(directory, name);
      if (!name.ends_with(".conf") || path == "etc/sysusers.d/" + std::string(product) + ".conf") {
        continue;
      }
      // A link to /dev/null hides a file of a weaker place.
      const auto status = system.status(path);
      if (!status) return tl::unexpected(status.error());
      if (!*status || (*status)->kind != Status::Kind::file) continue;
      const auto text = read_file(system, path, kMostOfAccounts);
      if (!text) return tl::unexpected(text.error());
      const auto theirs = accounts_of(*text);
      const auto found = std::ranges::find_if(theirs, shared);
      if (found != theirs.end()) return "/" + path + " declares " + printable(found->name);
    }
  }
  // What runs has these already, whatever somebody has made of them since.
  for (const auto& each : accounts_of(installed)) {
    std::erase_if(own, [&](const Account& account) {
      return account.user == each.user && account.name == each.name;
    });
  }
  const auto known = known_accounts(files, names_of(own));
  if (!known) return tl::unexpected(known.error());
  for (const auto& account : own) {
    if (!account.user || account.home.empty()) continue;
    const auto is = std::ranges::find_if(
        *known, [&](const Account& other) { return other.user && other.name == account.name; });
    if (is != known->end() && is->home != account.home) {
      return told(account) + " lives in " + printable(is->home);
    }
  }
  return foreign_name_of(*known, product, own);
}

Checked<std::string> numbered_account(const HostFiles& files,
                                      const std::set<std::uint32_t>& numbers) {
  std::vector<std::string> ids;
  ids.reserve(numbers.size());
  for (const auto number : numbers) ids.push_back(std::to_string(number));
  const auto known = known_accounts(files, ids);
  if (!known) return tl::unexpected(known.error());
  const auto is = std::ranges::find_if(*known, [&](const Account& account) {
    return std::ranges::find(ids, account.id) != ids.end();
  });
  return is == known->end() ? std::string() : told(*is) + " (" + is->id + ")";
}

std::string declaration_of(const Premises& premises, std::string_view release) {
  return tree_path(release, premises.form) + "/sysusers.d/" + premises.product + ".conf";
}

Checked<bool> note_accounts(const Premises& premises, Journal& journal,
                            const std::vector<std::string>& going,
                            const std::vector<std::string>& staying) {
  const auto gone = declared_accounts(premises, going);
  if (!gone) return tl::unexpected(gone.error());
  const auto here = declared_accounts(premises, staying);
  if (!here) return tl::unexpected(here.error());
  const auto before = journal.made;
  auto& made = journal.made;
  for (const auto& each : *gone) {
    if (std::ranges::find(made, each) == made.end()) made.push_back(each);
  }
  std::erase_if(
      made, [&](const MadeAccount& each) { return std::ranges::find(*here, each) != here->end(); });
  if (made.size() > kMostMade) made.erase(made.begin(), made.end() - kMostMade);
  return made != before;
}

Checked<std::vector<std::string>> own_accounts(const Disk& system, std::string_view product,
                                               const std::vector<MadeAccount>& made) {
  const auto known = known_accounts(system);
  if (!known) return tl::unexpected(known.error());
  std::vector<Account> declared;
  declared.reserve(made.size());
  for (const auto& each : made) {
    declared.push_back(each.instance.empty() ? Account{.name = each.name}
                                             : account_of(product, each.name, each.instance));
  }
  const std::string name(product);
  // Older programs have noted nothing: then it is what has the names that most products have.
  if (made.empty()) declared = {{.name = name}, {.name = name + kMetricsGroup}};
  for (const auto& account : *known) {
    if (!account.about.starts_with(name + " ")) continue;
    const auto instance = account.about.substr(name.size() + 1);
    auto called = name;
    called.append(instance == "doors" ? "_" : "-").append(instance);
    declared.push_back(account_of(product, std::move(called), instance));
  }
  std::vector<std::string> own;
  for (const auto& account : *known) {
    // Groups of accounts have their names, and go with them.
    const bool group = std::ranges::any_of(
        declared, [&](const Account& each) { return !each.user && each.name == account.name; });
    if (is_own(account, product, declared) ||
        (group && is_own_group(account, *known, product, declared))) {
      own.push_back(told(account));
    }
  }
  return own;
}

Checked<std::string> claimed(const HostFiles& files, const Manifest& manifest,
                             const Manifest* installed, Standing standing, Form form) {
  auto units = units_in(manifest, form);
  if (installed != nullptr) {
    const auto own = units_in(*installed, form);
    std::erase_if(
        units, [&](const std::string& unit) { return std::ranges::find(own, unit) != own.end(); });
  }
  const auto& product = manifest.envelope.product;
  auto way = claimed(files.system, product, units, standing);
  if (!way || !way->empty() || form != Form::systemd || standing != Standing::fresh) return way;
  // Its accounts are called after its units; which they are is said in the release alone.
  std::vector<Account> declared{{.name = product}, {.name = product + kMetricsGroup}};
  for (const auto& unit : units) {
    if (!unit.ends_with(".service")) continue;
    auto name = unit.substr(0, unit.rfind('.'));
    const auto instance = name.substr(std::min(product.size() + 1, name.size()));
    declared.push_back(account_of(product, std::move(name), instance));
  }
  const auto known = known_accounts(files, names_of(declared));
  if (!known) return tl::unexpected(known.error());
  return foreign_name_of(*known, product, declared);
}

}  // namespace caisson::installer
