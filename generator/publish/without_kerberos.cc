// Debian's libgit2.a is built with Kerberos for HTTP "Negotiate" authentication, and Kerberos has
// no static libraries. A static program links this file instead: every GSSAPI function that libgit2
// asks for answers "unavailable" (RFC 2744, section 3.9.1), so that a server which insists on
// Negotiate is refused, and nothing else changes. A dynamic program must not link it.
//
// When a newer libgit2 asks for more functions, linking fails: the list cannot go stale unnoticed.

#include <cstdint>

namespace {

// The arguments behind `minor` are outputs. libgit2 initialises them to "none" and a call that
// fails leaves them alone, so the functions need not name them.
std::uint32_t unavailable(std::uint32_t* minor) {
  if (minor != nullptr) *minor = 0;
  return 16U << 16U;
}

}  // namespace

extern "C" {

// The object id of host-based service names; only ever handed to the functions below.
void* GSS_C_NT_HOSTBASED_SERVICE = nullptr;

std::uint32_t gss_delete_sec_context(std::uint32_t* minor) { return unavailable(minor); }
std::uint32_t gss_display_status(std::uint32_t* minor) { return unavailable(minor); }
std::uint32_t gss_import_name(std::uint32_t* minor) { return unavailable(minor); }
std::uint32_t gss_indicate_mechs(std::uint32_t* minor) { return unavailable(minor); }
std::uint32_t gss_init_sec_context(std::uint32_t* minor) { return unavailable(minor); }
std::uint32_t gss_release_buffer(std::uint32_t* minor) { return unavailable(minor); }
std::uint32_t gss_release_name(std::uint32_t* minor) { return unavailable(minor); }
std::uint32_t gss_release_oid_set(std::uint32_t* minor) { return unavailable(minor); }

}  // extern "C"
