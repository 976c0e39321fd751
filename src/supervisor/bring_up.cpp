// Box, first part: from nothing to ready.

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>

#include "base/log.hpp"
#include "base/notify.hpp"
#include "catalog/bootstrap.hpp"
#include "supervisor/box.hpp"
#include "supervisor/cluster.hpp"
#include "supervisor/ports.hpp"
#include "supervisor/ready_text.hpp"

namespace boathouse::supervisor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kEnginePatience(300);  // from its start to READY=1
constexpr seconds kCatalogPatience(60);  // for a catalog that does not answer yet
constexpr int kEngineOomScore = 300;     // memory is short: the engine goes before the catalog

// The engine inherits the environment (credential chains and proxies are configured there), with our settings on top.
Environment engine_environment(const config::Loaded& loaded, const EngineProgram& engine, const BoxUser& user,
                               int notify_fd) {
    auto variables = config::process_environment();
    variables.erase("NOTIFY_SOCKET");  // systemd hears from the supervisor alone
    variables.erase("WATCHDOG_USEC");
    for (const auto& [name, value] : config::to_environment(loaded.settings, loaded.origins)) variables[name] = value;
    variables["BOATHOUSE_NOTIFY_FD"] = std::to_string(notify_fd);
    variables["HOME"] = user.home;
    variables["USER"] = variables["LOGNAME"] = user.name;
    if (!engine.library_dir.empty()) variables["LD_LIBRARY_PATH"] = engine.library_dir;
    return {variables.begin(), variables.end()};
}

}  // namespace

Status Box::bring_up() {
    set_phase(Phase::starting, "starting");
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) != 0) return os_error("cannot make a socket", errno);
    notify_reader_ = FileDescriptor(ends[0]);
    notify_writer_ = FileDescriptor(ends[1]);
    events_.watch(notify_reader_.get(), [this] { on_engine_message(); });
    if (plan_.lake_access) events_.watch(plan_.lake_access->fd(), [this] { plan_.lake_access->lift_new_masks(); });

    if (has_postgres()) {
        if (auto made = make_cluster(); !made || is_ending()) return made;
        set_phase(Phase::starting, "starting PostgreSQL");
        if (auto started = start_postgres(); !started) return started;
        wait_until([this] { return postgres_ready_; });
        if (is_ending()) return {};
    }
    if (auto prepared = prepare_catalog(); !prepared || is_ending()) return prepared;
    set_phase(Phase::starting, "starting the engine");
    if (auto started = start_engine(); !started) return started;
    wait_until([this] { return engine_ready_; });
    if (!is_ending()) announce();
    return {};
}

Status Box::make_cluster() {
    const std::string pgdata = config::postgres_dir(settings());
    if (auto cleared = clear_remains(pgdata, plan_.postgres_config.socket_dir); !cleared) return cleared;
    if (std::filesystem::exists(pgdata)) return {};
    set_phase(Phase::starting, "creating the catalog's cluster");
    auto options = initdb_options(*plan_.postgres, pgdata);
    auto pipe = make_pipe();
    if (!pipe) return pipe.error();
    options.stderr_fd = pipe->second.get();
    const auto started = start_child(options);
    if (!started) return started.error();
    pipe->second.close();
    initdb_pid_ = *started;
    LineReader output(std::move(pipe->first));
    std::string last_line;
    events_.watch(output.fd(), [&] {
        const int fd = output.fd();
        for (auto& line : output.read_lines()) {
            if (line.empty()) continue;
            log_line(LogLevel::debug, "initdb", line);
            if (line.starts_with("initdb: error: ") || last_line.find("rror: ") == std::string::npos) last_line = line;
        }
        if (output.fd() < 0) events_.forget(fd);
    });
    wait_until([this] { return initdb_end_.has_value(); });
    if (output.fd() >= 0) events_.forget(output.fd());
    if (!initdb_end_) {
        ::kill(initdb_pid_, SIGKILL);  // asked to stop; the next start begins anew
        return {};
    }
    if (initdb_end_->exit_code() != 0) {
        return Error{.kind = ErrorKind::unavailable,
                     .message = "initdb could not create the catalog's cluster in " + pgdata + ": it " +
                                initdb_end_->text() + (last_line.empty() ? "" : ": " + last_line),
                     .hint = "start again with --log-level debug to see all that it says"};
    }
    log_info("supervisor", "created the catalog's cluster in {} with PostgreSQL {}", pgdata, plan_.postgres->version);
    return adopt_new_cluster(pgdata);
}

Status Box::start_postgres() {
    const std::string pgdata = config::postgres_dir(settings());
    if (auto ended = end_processes_in_cluster(pgdata); !ended) return ended;
    if (auto cleared = clear_remains(pgdata, plan_.postgres_config.socket_dir); !cleared) return cleared;
    if (auto written = write_postgres_config(pgdata, plan_.postgres_config); !written) return written;
    auto pipe = make_pipe();
    if (!pipe) return pipe.error();
    const auto started = start_child(
        {.program = plan_.postgres->bin_dir + "/postgres",
         .arguments = {"-D", pgdata},
         .environment = {{"PATH", plan_.postgres->bin_dir + ":/usr/bin:/bin"}, {"LC_ALL", "C.UTF-8"}, {"TZ", "UTC"}},
         .working_directory = settings().data_dir,
         .death_signal = SIGQUIT,  // immediate shutdown; recovery makes up for it
         .stderr_fd = pipe->second.get()});
    if (!started) return started.error();
    postgres_.pid = *started;
    postgres_.output.emplace(std::move(pipe->first));
    events_.watch(postgres_.output->fd(), [this, fd = postgres_.output->fd()] {
        on_postgres_output();
        if (!postgres_.output) events_.forget(fd);
    });
    save_state();
    return {};
}

Status Box::prepare_catalog() {
    set_phase(Phase::starting, "preparing the catalog");
    const auto give_up_at = clock_.steady_now() + kCatalogPatience;
    std::string last_said;
    for (;;) {
        auto prepared = catalog::prepare_server(settings());
        if (prepared || prepared.error().kind != ErrorKind::unavailable || clock_.steady_now() >= give_up_at) {
            return prepared;
        }
        if (const auto& message = prepared.error().message; message != last_said) {
            log_info("supervisor", "the catalog does not answer yet, and is asked for {} s: {}",
                     kCatalogPatience.count(), message);
            last_said = message;
        }
        const auto again_at = clock_.steady_now() + seconds(1);
        while (!is_ending() && clock_.steady_now() < again_at) step(milliseconds(100));
        if (is_ending()) return {};
    }
}

Status Box::start_engine() {
    const auto& engine = plan_.engine;
    const int notify_fd = notify_writer_.get();
    const auto started = start_child({.program = engine.executable,
                                      .arguments = {"serve"},
                                      .environment = engine_environment(plan_.loaded, engine, plan_.user, notify_fd),
                                      .working_directory = settings().data_dir,
                                      .death_signal = SIGKILL,
                                      .notify_fd = notify_fd,
                                      .oom_score_adj = kEngineOomScore});
    if (!started) return started.error();
    engine_.pid = *started;
    engine_ready_by_ = clock_.steady_now() + kEnginePatience;
    save_state();
    return {};
}

void Box::announce() {
    state_.ready_at_unix_seconds = std::time(nullptr);
    set_phase(Phase::ready, "ready");
    notify_service_manager("READY=1");
    log_info("supervisor", "the box is ready: catalog on port {}, SQL on {}, HTTP on {}", settings().catalog_port,
             settings().sql_port, settings().http_port);
    std::cout << ready_text({.loaded = plan_.loaded,
                             .password_is_generated = plan_.password_is_generated,
                             .password_is_new = plan_.password_is_new})
              << std::flush;
}

}  // namespace boathouse::supervisor
