#include "catalog/scratch_postgres.hpp"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>
#include <vector>

namespace boathouse::catalog {
namespace {

namespace fs = std::filesystem;

std::string find_pg_bin() {
    for (int version = 18; version >= 14; --version) {
        const std::string dir = "/usr/lib/postgresql/" + std::to_string(version) + "/bin";
        if (fs::exists(dir + "/postgres")) return dir;
    }
    throw std::runtime_error("these tests need a PostgreSQL server in /usr/lib/postgresql");
}

// The user that the server runs as; null when that is us.
const passwd* server_user() {
    return ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr;
}

// Runs in the child: never returns.
[[noreturn]] void exec(const std::vector<std::string>& arguments, const std::string& log) {
    if (const passwd* user = server_user()) {
        if (::initgroups(user->pw_name, user->pw_gid) != 0 || ::setgid(user->pw_gid) != 0 ||
            ::setuid(user->pw_uid) != 0) {
            ::_exit(126);
        }
    }
    if (::freopen(log.c_str(), "a", stdout) == nullptr || ::dup2(1, 2) < 0) ::_exit(126);
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    ::_exit(127);
}

pid_t spawn(const std::vector<std::string>& arguments, const std::string& log) {
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork failed");
    if (child == 0) exec(arguments, log);
    return child;
}

std::string read_file(const fs::path& path) {
    std::ifstream in(path);
    if (!in) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

ScratchPostgres::ScratchPostgres() : pg_bin_(find_pg_bin()) {
    std::string pattern = "/tmp/boathouse-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    dir_ = pattern;
    fs::create_directory(dir_ + "/run");
    if (const passwd* user = server_user()) {
        if (::chown(dir_.c_str(), user->pw_uid, user->pw_gid) != 0 ||
            ::chown((dir_ + "/run").c_str(), user->pw_uid, user->pw_gid) != 0) {
            throw std::runtime_error("chown failed");
        }
    }
    settings_.data_dir = dir_;
    settings_.catalog_port = 5432;  // names the socket; nothing listens on TCP
    settings_.postgres_user = "admin";
    settings_.postgres_password = Secret("the first password");
    settings_.postgres_db = "lakehouse";
    initialise();
    start();
}

ScratchPostgres::~ScratchPostgres() {
    crash();
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
}

void ScratchPostgres::crash() {
    if (server_ <= 0) return;
    ::kill(server_, SIGQUIT);
    ::waitpid(server_, nullptr, 0);
    server_ = -1;
}

void ScratchPostgres::initialise() {
    int status = 0;
    const pid_t initdb = spawn({pg_bin_ + "/initdb", "-D", dir_ + "/postgres", "-U", "boathouse", "-E", "UTF8",
                                "--locale=C.UTF-8", "--no-sync", "--auth=trust"},
                               dir_ + "/log");
    if (::waitpid(initdb, &status, 0) != initdb || status != 0) {
        throw std::runtime_error("initdb failed: " + read_file(dir_ + "/log"));
    }
    std::ofstream(dir_ + "/postgres/pg_hba.conf") << "local all boathouse,boathouse_engine,boathouse_mirror "
                                                     "trust\nlocal lake all trust\nlocal all all scram-sha-256\n";
}

void ScratchPostgres::start() {
    server_ = spawn({pg_bin_ + "/postgres", "-D", dir_ + "/postgres", "-k", dir_ + "/run", "-p", "5432", "-c",
                     "listen_addresses=", "-c", "fsync=off", "-c", "lc_messages=C"},
                    dir_ + "/log");
    for (int attempt = 0; attempt < 300; ++attempt) {
        if (connect("boathouse", "postgres")) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    throw std::runtime_error("postgres did not start: " + read_file(dir_ + "/log"));
}

Result<Connection> ScratchPostgres::connect(const std::string& user, const std::string& database,
                                            const Secret& password) const {
    Endpoint endpoint;
    endpoint.host = dir_ + "/run";
    endpoint.port = "5432";
    endpoint.user = user;
    endpoint.database = database;
    endpoint.password = password;
    return Connection::open(endpoint);
}

void create_lake_tables(Connection& connection) {
    const std::string sql = read_file(BOATHOUSE_TESTDATA "/ducklake-1.0.sql");
    connection.execute(sql).value();
}

}  // namespace boathouse::catalog
