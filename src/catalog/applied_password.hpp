// Remembers which configured password was applied to POSTGRES_USER last, so that a restart does not undo a password
// that someone has changed since (`boathouse user password`, ALTER ROLE), while an edited configuration still counts.
//
// One file, secrets/applied-password, mode 0600: a salted PBKDF2-HMAC-SHA-256 digest (RFC 8018), never the password.
// Stateless; called by the supervisor's one thread. Errors: permission, limit (a full disk).
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace boathouse::catalog {

// True when `password` is the one that was remembered. An absent or unreadable file remembers nothing.
bool is_applied_password(const std::string& secrets_dir, const Secret& password);

// Replaces the file, atomically.
Status remember_applied_password(const std::string& secrets_dir, const Secret& password);

}  // namespace boathouse::catalog
