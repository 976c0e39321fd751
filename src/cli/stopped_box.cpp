#include "cli/stopped_box.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

#include "catalog/connection.hpp"
#include "supervisor/cluster.hpp"
#include "supervisor/postgres_installation.hpp"
#include "upgrade/swap.hpp"

namespace boathouse::cli {
namespace {

Result<supervisor::BoxUser> owner_of(const std::string& pgdata) {
    struct stat status {};
    if (::stat(pgdata.c_str(), &status) != 0) return os_error("cannot look at " + pgdata, errno);
    return supervisor::choose_box_user(::geteuid() == 0 ? supervisor::user_name(status.st_uid) : "");
}

}  // namespace

Result<int> cluster_major(const config::Settings& settings) {
    const auto major = supervisor::cluster_major(config::postgres_dir(settings));
    if (!major) return major.error();
    if (*major) return **major;
    return Error{ErrorKind::not_found, "there is no cluster of a box in " + settings.data_dir,
                 "Name the box's data directory with --data-dir.", ""};
}

Result<StoppedBox> take_stopped_box(const Invocation& invocation) {
    auto settings = read_settings(invocation);
    if (!settings) return settings.error();
    if (!settings->catalog.empty()) {
        return Error{ErrorKind::configuration,
                     "the catalog is external: its PostgreSQL is not this box's to stop and change",
                     "Its provider's own means take the lake along.", ""};
    }
    if (auto there = cluster_major(*settings); !there) return there.error();
    const std::string pgdata = config::postgres_dir(*settings);
    auto user = owner_of(pgdata);
    if (!user) return user.error();
    auto lock = supervisor::DataLock::acquire(config::run_dir(*settings), *user);
    if (!lock) return lock.error();
    StoppedBox box{*settings, *user, std::move(*lock)};
    if (auto became = supervisor::become(box.user); !became) return became.error();
    if (auto ended = supervisor::end_processes_in_cluster(pgdata); !ended) return ended.error();
    if (auto cleared = supervisor::clear_remains(pgdata, catalog::socket_dir(*settings)); !cleared)
        return cleared.error();
    const auto settled = upgrade::settle(pgdata);
    if (!settled) return settled.error();
    if (!settled->empty()) std::cerr << *settled << "\n";
    return box;
}

std::string search_path(const Invocation& invocation) {
    const auto path = invocation.environment.find("PATH");
    return path == invocation.environment.end() ? "" : path->second;
}

}  // namespace boathouse::cli
