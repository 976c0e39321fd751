#include "catalog/dump.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/log.hpp"

extern char** environ;

namespace boathouse::catalog {
namespace {

// Exists, empty and private, before anything is written into it.
Status create_private_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return Error{errno == EEXIST ? ErrorKind::conflict : ErrorKind::permission,
                     fmt::format("Cannot create {}: {}", path, std::strerror(errno)), "Name another file.", ""};
    }
    ::close(fd);
    return {};
}

// The environment of this process, with the password where libpq looks for it: a command line is public.
std::vector<std::string> child_environment(const Secret& password) {
    std::vector<std::string> variables;
    if (!password.empty()) variables.push_back("PGPASSWORD=" + password.reveal());  // the first of a name counts
    for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
    return variables;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> out;
    out.reserve(strings.size() + 1);
    for (std::string& text : strings) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

Status run(std::vector<std::string> arguments, std::vector<std::string> environment) {
    const std::string program = arguments.front();
    pid_t child = -1;
    const int error = ::posix_spawn(&child, program.c_str(), nullptr, nullptr, pointers(arguments).data(),
                                    pointers(environment).data());
    if (error != 0) {
        return Error{ErrorKind::not_found, fmt::format("Cannot run {}: {}", program, std::strerror(error)),
                     "Install PostgreSQL's client programs, or name their directory with --pg-bin.", ""};
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return Error{ErrorKind::unavailable, fmt::format("{} failed; what it said is above", program), "", ""};
}

}  // namespace

Status dump_database(const Endpoint& endpoint, const DumpTarget& target) {
    if (auto created = create_private_file(target.file); !created) return created;
    auto dumped = run({target.pg_dump, "--format=custom", "--no-password", "--file=" + target.file,
                       "--dbname=" + endpoint.conninfo()},
                      child_environment(endpoint.password));
    if (!dumped) ::unlink(target.file.c_str());
    return dumped;
}

}  // namespace boathouse::catalog
