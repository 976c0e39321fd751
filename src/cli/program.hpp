// Another program's answer: run to its end, its standard output read.
//
// The command goes to the program as it stands, no shell reads it. Its input is empty, its environment is this
// process's; its standard error is shown, or dropped where the program is quiet. Blocks until the program has ended.
// Errors: not_found, permission (it cannot be run), limit (more output than is taken).
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

namespace boathouse::cli {

struct Program {
    std::vector<std::string> command;  // the program, looked up in PATH, and its arguments
    bool is_quiet = false;
};

struct ProgramEnd {
    int exit_code = 0;  // 128 + the signal where one ended it, as a shell says it
    std::string output{};
};

Result<ProgramEnd> run_program(const Program& program);

}  // namespace boathouse::cli
