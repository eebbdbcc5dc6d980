#include "installer/site/answers.h"

#include <algorithm>

#include "installer/site/tree.h"

namespace caisson::installer {
namespace {

std::string names_of(const std::vector<Question>& questions) {
  std::string names;
  for (const auto& question : questions) names += (names.empty() ? "" : ", ") + question.name;
  return names.empty() ? "nothing" : names;
}

/// What is kept of a secret, if anything is: an empty file says that it was not needed so far.
Checked<std::optional<std::string>> kept_secret(const Disk* site, const std::string& name) {
  if (site == nullptr) return std::nullopt;
  const auto path = std::string(kSecrets) + "/" + name;
  const auto there = site->status(path);
  if (!there) return tl::unexpected(there.error());
  if (!*there || (*there)->size == 0) return std::nullopt;
  auto text = read_file(*site, path, kMostOfAnswers);
  if (!text) return tl::unexpected(text.error());
  return *std::move(text);
}

Checked<Reply> reply_to(const Question& question, const Disk* site, const Answers& kept,
                        const Answers& given) {
  Reply reply{.question = &question, .answer = {}, .fault = {}};
  const auto now = given.find(question.name);
  if (now != given.end()) {
    if (const auto fault = fault_of_answer(question, now->second); !fault.empty()) {
      return refuse(Code::wrong_answer, "the answer '" + question.name + "' " + fault);
    }
    reply.kind = Reply::Kind::given;
    reply.answer = now->second;
  }
  if (question.type == AnswerType::secret) {
    const auto secret = kept_secret(site, question.name);
    if (!secret) return tl::unexpected(secret.error());
    if (!*secret) return reply;
    if (reply.kind == Reply::Kind::given && reply.answer != **secret) {
      return refuse(Code::wrong_answer,
                    "the answer '" + question.name +
                        "' is another secret than the one that is kept here: a secret is "
                        "replaced as RUNBOOK.md says, not by an update");
    }
    reply.kind = Reply::Kind::kept;
    reply.answer.clear();
    return reply;
  }
  if (reply.kind == Reply::Kind::given) return reply;
  if (const auto before = kept.find(question.name); before != kept.end()) {
    reply.fault = fault_of_answer(question, before->second);
    if (!reply.fault.empty()) return reply;
    reply.kind = Reply::Kind::kept;
    reply.answer = before->second;
  } else if (question.preset) {
    reply.kind = Reply::Kind::preset;
    reply.answer = *question.preset;
  }
  return reply;
}

}  // namespace

Checked<Answers> kept_answers(const Disk& site, const StagedRelease* release) {
  if (release != nullptr && release->manifest.questions.empty()) return Answers{};
  const auto directory = release == nullptr ? std::string() : release_path(release->name) + "/etc";
  const auto path = below(directory, kAnswersFile);
  const auto there = site.status(path);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return Answers{};
  const auto text = read_file(site, path, kMostOfAnswers);
  if (!text) return tl::unexpected(text.error());
  return read_answers(path, *text);
}

Checked<void> keep_answers(Disk& site, std::string_view release) {
  const auto path = below(release_path(release) + "/etc", kAnswersFile);
  const auto there = site.status(path);
  if (!there) return tl::unexpected(there.error());
  if (!*there) return {};
  const auto text = read_file(site, path, kMostOfAnswers);
  if (!text) return tl::unexpected(text.error());
  return replace_file(site, kAnswersFile, *text, 0644);
}

Checked<std::vector<Reply>> replies_to(const Manifest& manifest, const Disk* site,
                                       const Answers& kept, const Answers& given) {
  for (const auto& [name, answer] : given) {
    if (std::ranges::find(manifest.questions, name, &Question::name) == manifest.questions.end()) {
      return refuse(Code::wrong_answer, "the release does not ask for '" + name +
                                            "'; it asks for " + names_of(manifest.questions));
    }
  }
  std::vector<Reply> replies;
  for (const auto& question : manifest.questions) {
    auto reply = reply_to(question, site, kept, given);
    if (!reply) return tl::unexpected(reply.error());
    replies.push_back(*std::move(reply));
  }
  return replies;
}

Checked<void> check_complete(const std::vector<Reply>& replies) {
  std::string missing;
  for (const auto& reply : replies) {
    if (reply.kind != Reply::Kind::missing) continue;
    const auto& question = *reply.question;
    missing += (missing.empty() ? "" : "; ") + question.name + ": " + question.text +
               (reply.fault.empty() ? "" : " (the answer that is kept " + reply.fault + ")");
  }
  if (missing.empty()) return {};
  return refuse(Code::missing_answer, missing);
}

Answers answers_of(const std::vector<Reply>& replies, bool secret) {
  Answers answers;
  for (const auto& reply : replies) {
    const bool is_secret = reply.question->type == AnswerType::secret;
    if (is_secret != secret || reply.kind == Reply::Kind::missing) continue;
    if (secret && reply.kind != Reply::Kind::given) continue;
    answers[reply.question->name] = reply.answer;
  }
  return answers;
}

Checked<std::vector<std::uint16_t>> ports_of(const SiteNeeds& needs, const Answers& answers) {
  auto ports = needs.ports;
  for (const auto& name : needs.answered_ports) {
    const auto answer = answers.find(name);
    const auto number = answer == answers.end() ? std::nullopt : number_of(answer->second);
    if (!number || *number == 0 || *number > 65'535) {
      return refuse(Code::text_key, std::string(kSiteNeeds) + " wants the port '" + name +
                                        "', and the release asks for none");
    }
    const auto port = static_cast<std::uint16_t>(*number);
    if (std::ranges::find(ports, port) != ports.end()) {
      return refuse(Code::wrong_answer, "the answer '" + name + "' is the port " + answer->second +
                                            ", which the release uses for something else too");
    }
    ports.push_back(port);
  }
  return ports;
}

}  // namespace caisson::installer
