// The password of POSTGRES_USER where the operator gave none: generated once, kept in <data_dir>/secrets/ (mode 0600).
//
// That only happens on loopback: config::load() refuses to listen further without a password. Shown once, by the start
// that generated it.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "config/settings.hpp"

namespace boathouse::supervisor {

// 130 bits, in characters that no shell, URL or connection string needs to quote.
Result<Secret> random_password();

struct GeneratedPassword {
    Secret password;
    bool is_new = false;
};

// The kept password, or a new one. Errors: permission, limit (disk full), corrupt (the file is empty).
Result<GeneratedPassword> generated_password(const std::string& path);

}  // namespace boathouse::supervisor
