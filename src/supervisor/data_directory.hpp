// The data directory: made, checked and owned before anything is started in it.
//
// A directory is only ever taken that is empty, or that a Boathouse of the same format has marked with
// boathouse.version; so a mistyped --data-dir never has its files given to another user. Called once, at start, as
// whoever started the box (root, or the box's user).
#pragma once

#include <string>

#include "base/error.hpp"
#include "config/settings.hpp"
#include "supervisor/box_user.hpp"

namespace boathouse::supervisor {

// The layout that this version reads and writes. A change that an older version could not read raises it.
inline constexpr int kDataFormat = 1;

// Creates the directory if it is missing, and refuses one that is not ours to use: another format, foreign files,
// another user's, not writable, not reachable for the box's user, hardly any space left. Leaves run/ in it, for the
// lock.
Status check_data_directory(const config::Settings& settings, const BoxUser& user);

// Creates the parts with their modes, gives them to the user and marks the directory. REQUIRES: the lock.
Status lay_out_data_directory(const config::Settings& settings, const BoxUser& user);

}  // namespace boathouse::supervisor
