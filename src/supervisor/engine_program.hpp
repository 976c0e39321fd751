// The engine's program as the box's user can run it: the executable, the libraries it needs, DuckDB's extensions.
//
// Root's home is closed to others, and a box that was built there still has to run its engine as an unprivileged user.
// Where that user cannot reach a part, a copy is kept in <data_dir>/runtime/, owned by root, refreshed when the
// original has changed. Called once, at start, before root is given up.
#pragma once

#include <string>

#include "base/error.hpp"
#include "config/settings.hpp"
#include "supervisor/box_user.hpp"

namespace boathouse::supervisor {

struct EngineProgram {
    std::string executable;
    std::string library_dir;  // for LD_LIBRARY_PATH; empty: the executable finds its libraries by itself
    std::string extension_dir;
};

// Errors: not_found (an incomplete installation), limit (no space for the copy), configuration (an --extension-dir that
// the user cannot read while the box was not started as root).
Result<EngineProgram> prepare_engine_program(const config::Settings& settings, const BoxUser& user);

// The path at which `user` can run this program itself, copied in the same way where that is needed: PostgreSQL runs it
// for each piece of its log. REQUIRES: as above.
Result<std::string> prepare_own_program(const config::Settings& settings, const BoxUser& user);

}  // namespace boathouse::supervisor
