#include "supervisor/box_user.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <vector>

#include "base/file.hpp"

namespace boathouse::supervisor {
namespace {

BoxUser from_entry(const passwd& entry) {
    return BoxUser{.name = entry.pw_name, .home = entry.pw_dir, .uid = entry.pw_uid, .gid = entry.pw_gid};
}

// The process is single-threaded, so the static buffers of getpwnam and getpwuid are ours.
std::optional<BoxUser> find_user(const std::string& name) {
    const passwd* entry = ::getpwnam(name.c_str());
    if (entry == nullptr) return std::nullopt;
    return from_entry(*entry);
}

Error configuration(std::string message, std::string hint) {
    return Error{.kind = ErrorKind::configuration, .message = std::move(message), .hint = std::move(hint)};
}

Result<BoxUser> current_user(const std::string& run_as) {
    const passwd* entry = ::getpwuid(::geteuid());
    if (entry == nullptr) {
        // A container started with --user 1234: initdb and PostgreSQL need a name for it.
        return configuration("user id " + std::to_string(::geteuid()) + " has no entry in /etc/passwd",
                             "start the box as a user with a name; PostgreSQL's peer authentication needs one");
    }
    const BoxUser user = from_entry(*entry);
    if (!run_as.empty() && run_as != user.name) {
        return configuration(
            "run_as is '" + run_as + "', but the box was started by '" + user.name + "'",
            "only root can become another user: start the box as root or as '" + run_as + "', or leave run_as out");
    }
    return user;
}

}  // namespace

Result<BoxUser> choose_box_user(const std::string& run_as) {
    if (::geteuid() != 0) return current_user(run_as);
    if (!run_as.empty()) {
        const auto user = find_user(run_as);
        if (!user) {
            return configuration("run_as names the user '" + run_as + "', who does not exist on this machine",
                                 "create it (useradd --system " + run_as + ") or name another with --run-as");
        }
        if (user->uid == 0) {
            return configuration("run_as is '" + run_as + "', which is root, and PostgreSQL refuses to run as root",
                                 "name an unprivileged user with --run-as");
        }
        return *user;
    }
    for (const char* name : {"boathouse", "postgres"}) {
        const auto user = find_user(name);
        if (user && user->uid != 0) return *user;
    }
    return configuration("started as root, and there is no user 'boathouse' or 'postgres' to become",
                         "create one (useradd --system boathouse) or name an unprivileged user with --run-as");
}

std::string user_name(uid_t uid) {
    const passwd* entry = ::getpwuid(uid);
    return entry == nullptr ? std::to_string(uid) : entry->pw_name;
}

Status become(const BoxUser& user) {
    if (::geteuid() == user.uid) return {};
    if (::initgroups(user.name.c_str(), user.gid) != 0 || ::setresgid(user.gid, user.gid, user.gid) != 0 ||
        ::setresuid(user.uid, user.uid, user.uid) != 0) {
        return os_error("cannot become user '" + user.name + "'", errno);
    }
    if (::setuid(0) == 0) {
        return Error{.kind = ErrorKind::internal, .message = "root came back after becoming user '" + user.name + "'"};
    }
    return {};
}

Result<bool> become_keeping_fowner(const BoxUser& user) {
    if (::geteuid() != 0) return false;
    // capabilities(7): a change of user keeps the permitted set with PR_SET_KEEPCAPS, which an exec resets, and clears
    // the effective one. Then all but one are dropped from both.
    ::prctl(PR_SET_KEEPCAPS, 1);
    if (const auto became = become(user); !became) return became.error();
    __user_cap_header_struct header{};
    header.version = _LINUX_CAPABILITY_VERSION_3;
    __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
    sets[0].permitted = sets[0].effective = 1U << CAP_FOWNER;
    if (::syscall(SYS_capset, &header, sets) == 0) return true;
    sets[0] = {};
    if (::syscall(SYS_capset, &header, sets) != 0) return os_error("cannot give up root's capabilities", errno);
    return false;
}

Result<bool> ask_as(const BoxUser& user, const std::function<bool()>& question) {
    const pid_t child = ::fork();
    if (child < 0) return os_error("cannot fork", errno);
    if (child == 0) ::_exit(become(user) && question() ? 0 : 1);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return os_error("cannot wait for a child", errno);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace boathouse::supervisor
