#include "upgrade/upgrade.hpp"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "backup/pipe_program.hpp"
#include "base/file.hpp"
#include "catalog/connection.hpp"
#include "supervisor/child.hpp"
#include "supervisor/cluster.hpp"
#include "upgrade/contents.hpp"
#include "upgrade/private_postgres.hpp"
#include "upgrade/roles.hpp"
#include "upgrade/swap.hpp"

namespace boathouse::upgrade {
namespace {

namespace fs = std::filesystem;
using backup::PipeProgram;

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;
constexpr std::size_t kRolesBytesMax = std::size_t{64} << 20;

std::string unfinished(const config::Settings& settings) {
    return config::postgres_dir(settings) + ".new";
}

std::string log_file(const config::Settings& settings, int major) {
    return config::log_dir(settings) + "/upgrade-postgres-" + std::to_string(major) + ".log";
}

Status check_room(const config::Settings& settings) {
    std::uintmax_t bytes = 0;
    std::error_code failed;
    for (const auto& entry : fs::recursive_directory_iterator(config::postgres_dir(settings), failed)) {
        if (entry.is_regular_file(failed)) bytes += entry.file_size(failed);
    }
    const auto space = fs::space(settings.data_dir, failed);
    if (failed || space.available > bytes) return {};
    constexpr std::uintmax_t kMegabyte = 1'000'000;
    return Error{ErrorKind::limit,
                 fmt::format("a second cluster needs about {} MB in {}, and {} MB are free", bytes / kMegabyte,
                             settings.data_dir, space.available / kMegabyte),
                 "Make room. The old cluster stays beside the new one until you remove it.", ""};
}

// pg_dump must be as new as the server that it reads; the newer PostgreSQL's knows more.
Result<std::string> find_client_programs(const UpgradeOptions& options) {
    for (const std::string& directory : {options.to.bin_dir, options.from.bin_dir}) {
        bool is_complete = true;
        for (const char* program : {"/pg_dump", "/pg_dumpall", "/psql"}) {
            if (::access((directory + program).c_str(), X_OK) != 0) is_complete = false;
        }
        if (is_complete) return directory;
    }
    return Error{
        ErrorKind::not_found,
        "neither " + options.to.bin_dir + " nor " + options.from.bin_dir + " has pg_dump, pg_dumpall and psql",
        "Install PostgreSQL's client programs (Debian: postgresql-client-" + std::to_string(options.to.major) + ").",
        ""};
}

Status make_cluster(const UpgradeOptions& options) {
    const std::string log = log_file(options.settings, options.to.major);
    const FileDescriptor output(::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!output) return os_error("cannot write " + log, errno);
    auto initdb = supervisor::initdb_options(options.to, config::postgres_dir(options.settings));
    initdb.stderr_fd = output.get();
    const auto pid = supervisor::start_child(initdb);
    if (!pid) return pid.error();
    int status = 0;
    while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return Error{ErrorKind::unavailable, "initdb of PostgreSQL " + options.to.version + " failed",
                     log + " has what it said.", ""};
    }
    return supervisor::configure_new_cluster(config::postgres_dir(options.settings));
}

// An operator's own settings, by hand and by ALTER SYSTEM.
Status copy_own_settings(const config::Settings& settings) {
    for (const char* name : {"/local.conf", "/postgresql.auto.conf"}) {
        const auto text = read_file(config::postgres_dir(settings) + name);
        if (!text && text.error().kind == ErrorKind::not_found) continue;
        if (!text) return text.error();
        if (auto written = write_file(unfinished(settings) + name, *text, 0600); !written) return written;
    }
    return {};
}

// The two servers, and the programs that move what one holds to the other.
class Move {
  public:
    Move(const UpgradeOptions& options, std::string programs, const PrivatePostgres& from, const PrivatePostgres& to)
        : options_(options), programs_(std::move(programs)), from_(from), to_(to) {}

    Status move_roles();
    Status move_databases();
    Status compare();

  private:
    Result<std::unique_ptr<PipeProgram>> dump(const std::string& program, std::vector<std::string> arguments,
                                              const std::string& database) const;
    Result<std::unique_ptr<PipeProgram>> restore(const std::string& database) const;
    Status move_database(const std::string& name);
    Result<std::vector<std::string>> databases() const;
    Status compare_database(const std::string& name) const;

    const UpgradeOptions& options_;
    const std::string programs_;
    const PrivatePostgres& from_;
    const PrivatePostgres& to_;
};

Result<std::unique_ptr<PipeProgram>> Move::dump(const std::string& program, std::vector<std::string> arguments,
                                                const std::string& database) const {
    arguments.insert(arguments.begin(), programs_ + program);
    arguments.emplace_back("--no-password");
    arguments.push_back("--dbname=" + from_.endpoint(database).conninfo());
    return PipeProgram::start(std::move(arguments), PipeProgram::Direction::read_from);
}

Result<std::unique_ptr<PipeProgram>> Move::restore(const std::string& database) const {
    return PipeProgram::start({programs_ + "/psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1",
                               "--dbname=" + to_.endpoint(database).conninfo()},
                              PipeProgram::Direction::write_to);
}

Status Move::move_roles() {
    auto dumping = dump("/pg_dumpall", {"--roles-only"}, "postgres");
    if (!dumping) return dumping.error();
    std::string roles;
    std::string chunk(kChunkBytes, '\0');
    while (roles.size() < kRolesBytesMax) {
        const auto size = (*dumping)->read(chunk.data(), chunk.size());
        if (!size) return size.error();
        if (*size == 0) break;
        roles.append(chunk, 0, *size);
    }
    if (auto dumped = (*dumping)->finish(); !dumped) return dumped;
    auto restoring = restore("postgres");
    if (!restoring) return restoring.error();
    if (auto sent = (*restoring)->write(portable_roles(roles, options_.from.major)); !sent) return sent;
    if (auto restored = (*restoring)->finish(); !restored) return restored;
    if (options_.from.major >= kMajorOfStrictGrants || options_.to.major < kMajorOfStrictGrants) return {};
    auto superuser = catalog::Connection::open(to_.endpoint("postgres"));
    if (!superuser) return superuser.error();
    return keep_role_administration(*superuser);
}

// `postgres` is in every cluster; the others are made with what is said of them (owner, privileges, settings).
Status Move::move_database(const std::string& name) {
    const bool is_there = name == "postgres";
    auto dumping = dump("/pg_dump", is_there ? std::vector<std::string>{} : std::vector<std::string>{"--create"}, name);
    if (!dumping) return dumping.error();
    auto restoring = restore("postgres");
    if (!restoring) return restoring.error();
    std::string chunk(kChunkBytes, '\0');
    while (true) {
        const auto size = (*dumping)->read(chunk.data(), chunk.size());
        if (!size) return size.error();
        if (*size == 0) break;
        if (auto sent = (*restoring)->write(std::string_view(chunk).substr(0, *size)); !sent) return sent;
    }
    if (auto dumped = (*dumping)->finish(); !dumped) return dumped;
    return (*restoring)->finish();
}

Result<std::vector<std::string>> Move::databases() const {
    auto superuser = catalog::Connection::open(from_.endpoint("postgres"));
    if (!superuser) return superuser.error();
    const auto spaces = superuser->query(
        "SELECT spcname FROM pg_catalog.pg_tablespace WHERE NOT pg_catalog.starts_with(spcname, 'pg_')");
    if (!spaces) return spaces.error();
    if (!spaces->empty()) {
        return Error{ErrorKind::configuration,
                     "the cluster has a tablespace, \"" + spaces->at(0)[0].value_or("") +
                         "\", whose directory cannot serve two clusters",
                     "Move what is in it to pg_default and drop it.", ""};
    }
    // The mirror is known by its owner: what its name is depends on a setting that this process may not know.
    const auto rows = superuser->query(
        "SELECT datname FROM pg_catalog.pg_database WHERE NOT datistemplate"
        " AND pg_catalog.pg_get_userbyid(datdba) <> 'boathouse_mirror' ORDER BY datname");
    if (!rows) return rows.error();
    std::vector<std::string> names;
    for (const catalog::Row& row : *rows) names.push_back(row[0].value_or(""));
    return names;
}

Status Move::move_databases() {
    const auto names = databases();
    if (!names) return names.error();
    for (const std::string& name : *names) {
        options_.tell("moving the database " + name);
        if (auto moved = move_database(name); !moved) {
            Error error = moved.error();
            error.message = "the database " + name + " could not be moved: " + error.message;
            return error;
        }
    }
    return {};
}

Error differs(const std::string& where, const std::string& difference) {
    return {ErrorKind::conflict, "what was moved is not what was there: " + where + ": " + difference,
            "Nothing was changed: the old cluster is in use.", ""};
}

Status Move::compare_database(const std::string& name) const {
    auto before = catalog::Connection::open(from_.endpoint(name));
    if (!before) return before.error();
    auto after = catalog::Connection::open(to_.endpoint(name));
    if (!after) return after.error();
    const auto old_contents = read_database(*before);
    if (!old_contents) return old_contents.error();
    const auto new_contents = read_database(*after);
    if (!new_contents) return new_contents.error();
    const std::string difference = first_difference(*old_contents, *new_contents);
    return difference.empty() ? Status() : differs("in the database " + name, difference);
}

Status Move::compare() {
    auto before = catalog::Connection::open(from_.endpoint("postgres"));
    if (!before) return before.error();
    auto after = catalog::Connection::open(to_.endpoint("postgres"));
    if (!after) return after.error();
    const auto old_roles = read_roles(*before);
    if (!old_roles) return old_roles.error();
    const auto new_roles = read_roles(*after);
    if (!new_roles) return new_roles.error();
    if (const auto difference = first_difference(*old_roles, *new_roles); !difference.empty())
        return differs("of the roles", difference);
    const auto names = databases();
    if (!names) return names.error();
    for (const std::string& name : *names) {
        if (auto same = compare_database(name); !same) return same;
    }
    return {};
}

Result<std::unique_ptr<PrivatePostgres>> start(const UpgradeOptions& options, bool is_old) {
    const auto& postgres = is_old ? options.from : options.to;
    const std::string pgdata = config::postgres_dir(options.settings);
    return PrivatePostgres::start({.settings = options.settings,
                                   .pgdata = is_old ? pgdata : unfinished(options.settings),
                                   .bin_dir = postgres.bin_dir,
                                   .os_user = options.os_user,
                                   .port = is_old ? 1 : 2,
                                   .log_file = log_file(options.settings, postgres.major),
                                   .keeps_log = is_old});
}

}  // namespace

Status upgrade(const UpgradeOptions& options) {
    const std::string pgdata = config::postgres_dir(options.settings);
    if (auto room = check_room(options.settings); !room) return room;
    const auto programs = find_client_programs(options);
    if (!programs) return programs.error();
    options.tell("making a cluster of PostgreSQL " + options.to.version);
    if (auto made = make_cluster(options); !made) return made;
    if (auto copied = copy_own_settings(options.settings); !copied) return copied;
    auto from = start(options, true);
    if (!from) return from.error();
    auto to = start(options, false);
    if (!to) return to.error();
    Move move(options, *programs, **from, **to);
    options.tell("moving the roles");
    if (auto moved = move.move_roles(); !moved) return moved;
    if (auto moved = move.move_databases(); !moved) return moved;
    options.tell("comparing roles, tables and rows");
    if (auto same = move.compare(); !same) return same;
    if (auto stopped = (*to)->stop(); !stopped) return stopped;
    if (auto stopped = (*from)->stop(); !stopped) return stopped;
    return put_in_use(pgdata);
}

}  // namespace boathouse::upgrade
