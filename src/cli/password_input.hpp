// Where a command gets a password from: a file, a person at a terminal, or chance. Never from the command line, which
// every user of the machine can read.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace boathouse::cli {

struct PasswordSource {
    std::string file;       // "-": standard input; empty: none
    bool generate = false;  // do not ask, even at a terminal
};

struct PasswordInput {
    Secret password;
    bool is_generated = false;  // then it has to be shown, once
};

// From the file if one is named; else asked for twice at the terminal, if there is one; else generated. Errors:
// configuration (empty, or two different answers), not_found, permission.
Result<PasswordInput> read_password(const PasswordSource& source, const std::string& user);

}  // namespace boathouse::cli
