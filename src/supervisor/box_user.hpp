// Whose box it is: the unprivileged user that everything runs as.
//
// A box started as root becomes `run_as` (else "boathouse", else "postgres"), for PostgreSQL refuses to run as root and
// DuckDB should. A box started by anyone else stays that user. become() is called once, by the only thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/error.hpp"

namespace boathouse::supervisor {

struct BoxUser {
    std::string name;
    std::string home;
    uid_t uid = 0;
    gid_t gid = 0;
};

// Errors (configuration): no such user, run_as without being root, root as run_as.
Result<BoxUser> choose_box_user(const std::string& run_as);

// The name of a user id, or the number where it has none.
std::string user_name(uid_t uid);

// Gives up root for good, with the user's groups. Does nothing when the process is that user already.
Status become(const BoxUser& user);

// The same, but for CAP_FOWNER, which this process keeps and no program that it runs inherits. Whether it was to be
// had: a container may have taken it from root.
Result<bool> become_keeping_fowner(const BoxUser& user);

// Runs `question` in a child process that is `user`, and returns its answer: what the user will be able to reach is
// asked of the kernel rather than worked out from modes and access lists.
Result<bool> ask_as(const BoxUser& user, const std::function<bool()>& question);

}  // namespace boathouse::supervisor
