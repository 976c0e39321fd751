// Doctor's look at the machine it runs on: the box's files and the clients' surroundings.
#include <spdlog/fmt/fmt.h>
#include <sys/statvfs.h>

#include <cstdlib>
#include <filesystem>

#include "cli/doctor_finding.hpp"
#include "cli/program.hpp"
#include "config/version.hpp"
#include "supervisor/data_lock.hpp"
#include "supervisor/state.hpp"

namespace boathouse::cli {
namespace {

constexpr std::uint64_t kSpaceWarningBytes = std::uint64_t{2} << 30;
constexpr std::uint64_t kSpaceFailureBytes = std::uint64_t{100} << 20;

Finding check_space(const std::string& what, const std::string& path) {
    struct statvfs disk {};
    if (::statvfs(path.c_str(), &disk) != 0)
        return {"disk", Level::skipped, fmt::format("{} {} cannot be looked at from here", what, path)};
    const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    const std::string message = fmt::format("{} MiB free for {} {}", free >> 20, what, path);
    const std::string hint =
        "Free space on that disk before it is full: PostgreSQL stops at the first write that fails.";
    if (free < kSpaceFailureBytes) return {"disk", Level::failure, message, hint};
    if (free < kSpaceWarningBytes) return {"disk", Level::warning, message, hint};
    return {"disk", Level::ok, message};
}

Finding check_state(const config::Settings& settings) {
    const auto state = supervisor::read_state(settings);
    if (!state) {
        const Level level = state.error().kind == ErrorKind::not_found ? Level::note : Level::skipped;
        return {"box", level, state.error().message, state.error().hint};
    }
    const std::string what = fmt::format("{}, process {}", supervisor::phase_name(state->phase), state->pid);
    if (state->phase == supervisor::Phase::failed) {
        return {"box", Level::failure, "the box gave up: " + state->last_error,
                "Mend what it says, then start the box again."};
    }
    const auto held = supervisor::DataLock::is_held(config::run_dir(settings));
    if (held && !*held) {
        return {"box", Level::note, "no box runs on " + settings.data_dir + "; its lock is free",
                "Start it: boathouse serve"};
    }
    if (state->phase != supervisor::Phase::ready) {
        return {"box", Level::warning, what + ": " + state->status, "`boathouse status` says more, and its log."};
    }
    return {
        "box", Level::ok,
        fmt::format("{}; restarts: PostgreSQL {}, engine {}", what, state->postgres.restarts, state->engine.restarts)};
}

// Empty when there is no Python, or it has none of the packages.
std::string python_packages() {
    const auto end = run_program(
        {.command = {"python3", "-c",
                     "import importlib.util as u; print(' '.join(p for p in ('duckdb', 'pytz') if u.find_spec(p)))"},
         .is_quiet = true});
    return end ? end->output : "";
}

}  // namespace

void check_box(const config::Settings& settings, Findings& findings) {
    findings.push_back(check_state(settings));
    findings.push_back(check_space("the data directory", settings.data_dir));
    const std::string data_path = config::effective_data_path(settings);
    if (data_path.find("://") == std::string::npos) findings.push_back(check_space("the data path", data_path));
}

void check_client(const config::Settings& settings, Findings& findings) {
    const char* home = std::getenv("HOME");
    std::error_code ignored;
    const std::string directory =
        fmt::format("{}/.duckdb/extensions/v{}", home == nullptr ? "" : home, config::duckdb_version());
    bool found = false;
    for (std::filesystem::recursive_directory_iterator entry(directory, ignored), end; !ignored && entry != end;
         entry.increment(ignored)) {
        found = found || entry->path().filename() == "ducklake.duckdb_extension";
    }
    if (!found) {
        findings.push_back(
            {"client", Level::note,
             fmt::format("DuckDB clients of this user have no ducklake extension for version {}",
                         config::duckdb_version()),
             fmt::format("In the client: INSTALL ducklake; without internet: INSTALL ducklake FROM "
                         "'http://<box>:{}/extensions'; (before LOAD httpfs, which would make it https).",
                         settings.http_port)});
    }
    const std::string packages = python_packages();
    if (packages.find("duckdb") != std::string::npos && packages.find("pytz") == std::string::npos) {
        findings.push_back({"client", Level::note,
                            "Python here has duckdb but not pytz: reading ducklake_snapshots() or any "
                            "timestamp with time zone will fail",
                            "pip install pytz"});
    }
}

}  // namespace boathouse::cli
