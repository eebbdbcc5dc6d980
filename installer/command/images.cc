#include "installer/command/images.h"

#include <csignal>

#include "base/files.h"
#include "base/json_text.h"
#include "installer/registry/engine.h"
#include "installer/registry/push.h"
#include "installer/registry/server.h"

namespace caisson::installer {
namespace {

constexpr std::size_t kMostOfPassword = 4096;

/// Lets SIGINT and SIGTERM wait until somebody asks for them, in every thread that is begun later.
sigset_t hold_endings() {
  sigset_t endings;
  sigemptyset(&endings);
  sigaddset(&endings, SIGINT);
  sigaddset(&endings, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &endings, nullptr);
  return endings;
}

Checked<std::string> password_in(const std::string& file) {
  // The file may be a pipe of the shell, and the link that leads to it.
  auto text = read_file(file, kMostOfPassword, Links::follow);
  if (!text) return refuse(Code::host_read, text.error().what);
  return text->substr(0, text->find_first_of("\r\n"));
}

std::string list_of(const Catalogue& catalogue, std::uint16_t port) {
  std::string text;
  for (const auto& served : catalogue.images()) {
    const auto& image = *served.image;
    text += "  127.0.0.1:" + std::to_string(port) + "/" + served.reference.repository + "@" +
            to_text(image.index ? image.index->digest : image.manifest.digest) + "  is " +
            image.reference + "\n";
  }
  return text;
}

std::string count_of(std::uint64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

/// What a command did to each image: where it is found now.
std::string images_json(const auto& images, std::string_view key, auto place) {
  std::string json = R"({"result":"ok","images":[)";
  for (const auto& image : images) {
    json += (json.ends_with('[') ? "" : ",") + std::string(R"({"reference":)") +
            json_string(image.reference) + "," + json_string(key) + ":" +
            json_string(image.*place) + "}";
  }
  return json + "]";
}

std::string report_json(const PushReport& report) {
  return images_json(report.images, "target", &Pushed::target) + R"(,"sent":)" +
         std::to_string(report.sent) + R"(,"there":)" + std::to_string(report.there) +
         R"(,"bytes":)" + std::to_string(report.bytes) + "}\n";
}

std::string report_text(const PushReport& report) {
  std::string text;
  for (const auto& image : report.images) text += image.target + "  is " + image.reference + "\n";
  return text + "pushed " + count_of(report.images.size(), "image") + ": sent " +
         bytes_text(report.bytes) + ", the registry had " + std::to_string(report.there) +
         " blobs and manifests\n";
}

}  // namespace

Checked<Destination> destination_in(const PushRequest& push) {
  auto destination = destination_of(push.to, !push.plain_http);
  if (!destination) {
    return refuse(Code::registry_unreachable, "'" + push.to + "' is no HOST[:PORT][/PREFIX]");
  }
  if (!push.plain_http) {
    auto authorities =
        push.ca_file.empty() ? Authorities::of_system() : Authorities::of_file(push.ca_file);
    if (!authorities) return tl::unexpected(authorities.error());
    destination->authorities = *std::move(authorities);
  }
  if (push.user.empty()) return *std::move(destination);
  auto password = password_in(push.password_file);
  if (!password) return tl::unexpected(password.error());
  destination->user = push.user;
  destination->password = *std::move(password);
  return *std::move(destination);
}

Said serve_images(const Request& request, std::uint16_t port,
                  const std::function<void(std::string_view)>& announce) {
  return guarded(request.json, [&]() -> Checked<Said> {
    const auto bundle = open_bundle(request);
    if (!bundle) return tl::unexpected(bundle.error());
    const auto catalogue = Catalogue::of(*bundle);
    if (!catalogue) return tl::unexpected(catalogue.error());
    const auto endings = hold_endings();
    auto server = Server::listen(*catalogue, port);
    if (!server) return tl::unexpected(server.error());
    announce("serving " + count_of(catalogue->images().size(), "image") +
             " on 127.0.0.1 until this is interrupted:\n" + list_of(*catalogue, (*server)->port()));
    int ending = 0;
    sigwait(&endings, &ending);
    return Said{};
  });
}

Said import_images(const Request& request, std::uint16_t port, const ImportRequest& import) {
  return guarded(request.json, [&]() -> Checked<Said> {
    const auto kind = engine_of(import.engine);
    if (!kind) {
      return refuse(Code::engine_refused,
                    "'" + import.engine + "' is neither docker, nor podman, nor containerd");
    }
    const auto program = import.program.empty() ? program_of(*kind) : import.program;
    if (!program) return refuse(Code::engine_refused, "no program here talks to " + import.engine);
    const auto bundle = open_bundle(request);
    if (!bundle) return tl::unexpected(bundle.error());
    const auto catalogue = Catalogue::of(*bundle);
    if (!catalogue) return tl::unexpected(catalogue.error());
    const auto server = Server::listen(*catalogue, port);
    if (!server) return tl::unexpected(server.error());
    const auto imported =
        import_images(*catalogue, (*server)->port(),
                      {.kind = *kind, .program = *program, .address = import.address});
    if (!imported) return tl::unexpected(imported.error());
    if (request.json) {
      return Said{.out = images_json(*imported, "name", &Imported::name) + "}\n"};
    }
    std::string text;
    for (const auto& image : *imported) text += image.name + "  is " + image.reference + "\n";
    return Said{.out = text + import.engine + " has " + count_of(imported->size(), "image") + "\n"};
  });
}

Said push_images(const Request& request, const PushRequest& push_request) {
  return guarded(request.json, [&]() -> Checked<Said> {
    const auto destination = destination_in(push_request);
    if (!destination) return tl::unexpected(destination.error());
    const auto bundle = open_bundle(request);
    if (!bundle) return tl::unexpected(bundle.error());
    const auto catalogue = Catalogue::of(*bundle);
    if (!catalogue) return tl::unexpected(catalogue.error());
    // OpenSSL writes to sockets without MSG_NOSIGNAL.
    std::signal(SIGPIPE, SIG_IGN);
    const auto report = push(*catalogue, *destination, {});
    if (!report) return tl::unexpected(report.error());
    return Said{.out = request.json ? report_json(*report) : report_text(*report)};
  });
}

}  // namespace caisson::installer
