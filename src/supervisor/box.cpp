#include "supervisor/box.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <sstream>

#include "base/log.hpp"
#include "base/notify.hpp"
#include "config/version.hpp"
#include "supervisor/cluster.hpp"
#include "supervisor/supervisor.hpp"

namespace boathouse::supervisor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A catalog that keeps dying is not a matter of load, as an engine's death may be: the box gives up sooner.
constexpr RestartLimits kPostgresLimits{.deaths_max = 8, .window = std::chrono::minutes(5)};

RestartLimits engine_limits(const config::Settings& settings) {
    return {.deaths_max = static_cast<std::size_t>(settings.engine_restart_max), .window = std::chrono::minutes(5)};
}

// How often systemd wants to hear from us: half of what it allows (sd_watchdog_enabled(3)).
milliseconds watchdog_interval() {
    const char* microseconds = std::getenv("WATCHDOG_USEC");
    return microseconds == nullptr ? milliseconds(0) : milliseconds(std::strtoll(microseconds, nullptr, 10) / 2000);
}

}  // namespace

Box::Box(BoxPlan plan, Events events, const Clock& clock)
    : plan_(std::move(plan)),
      events_(std::move(events)),
      clock_(clock),
      postgres_{.name = "PostgreSQL", .policy = RestartPolicy(clock, kPostgresLimits), .state = &state_.postgres},
      engine_{.name = "the engine",
              .policy = RestartPolicy(clock, engine_limits(plan_.loaded.settings)),
              .state = &state_.engine},
      watchdog_every_(watchdog_interval()) {
    state_.pid = ::getpid();
    state_.started_at_unix_seconds = std::time(nullptr);
    state_.version = config::version();
    state_.listen = settings().listen;
    state_.catalog_port = has_postgres() ? settings().catalog_port : 0;
    state_.sql_port = settings().sql_port;
    state_.http_port = settings().http_port;
    state_.postgres_user = settings().postgres_user;
    state_.postgres_db = settings().postgres_db;
}

int Box::run() {
    const auto up = bring_up();
    if (!up && stop_requests_ == 0) fail(up.error());
    while (!is_ending()) step(seconds(60));
    shut_down();
    return exit_code();
}

int Box::exit_code() const {
    if (!failure_) return kExitStopped;
    return failure_->kind == ErrorKind::configuration ? kExitConfiguration : kExitFailed;
}

void Box::step(milliseconds wait_max) {
    const auto now = clock_.steady_now();
    auto until = now + wait_max;
    for (const auto& deadline : {postgres_.start_at, engine_.start_at}) {
        if (deadline) until = std::min(until, *deadline);
    }
    if (engine_.pid != 0 && !engine_ready_ && !is_ending()) until = std::min(until, engine_ready_by_);
    if (watchdog_every_.count() > 0) until = std::min(until, watchdog_due_);
    // PostgreSQL says in a file that it is ready, and no event comes with it.
    if (postgres_.pid != 0 && !postgres_ready_) until = std::min(until, now + milliseconds(10));

    const auto wait = std::chrono::ceil<milliseconds>(std::max(until - now, std::chrono::steady_clock::duration(0)));
    for (const int signal : events_.wait(wait)) on_signal(signal);
    notice_postgres_readiness();
    if (!is_ending()) {
        restart_when_due(postgres_, [this] { return start_postgres(); });
        restart_when_due(engine_, [this] { return start_engine(); });
        end_engine_that_does_not_start();
    }
    feed_watchdog();
}

void Box::wait_until(const std::function<bool()>& happened) {
    while (!is_ending() && !happened()) step(seconds(60));
}

void Box::on_signal(int signal) {
    switch (signal) {
        case SIGCHLD:
            for (const auto& end : reap_children()) on_child_end(end);
            break;
        case SIGHUP:
            reload();
            break;
        case SIGTERM:
        case SIGINT:
            ++stop_requests_;
            log_info("supervisor", "{}: {}", signal == SIGTERM ? "SIGTERM" : "SIGINT",
                     stop_requests_ == 1 ? "stopping" : "stopping at once");
            break;
        default:
            break;
    }
}

void Box::on_child_end(const ChildEnd& end) {
    if (end.pid == initdb_pid_) {
        initdb_pid_ = 0;
        initdb_end_ = end;
    } else if (end.pid == postgres_.pid) {
        if (postgres_.output) on_postgres_output();  // its last words
        postgres_ready_ = false;
        died(postgres_, end);
    } else if (end.pid == engine_.pid) {
        engine_ready_ = false;
        died(engine_, end);
    } else {
        log_debug("supervisor", "reaped process {}, an orphan: {}", end.pid, end.text());
    }
}

void Box::died(Watched& child, const ChildEnd& end) {
    child.pid = child.state->pid = 0;
    child.state->last_exit = end.text();
    if (is_ending()) return;
    if (&child == &engine_ && end.exit_code() == kExitConfiguration) {
        fail({.kind = ErrorKind::configuration,
              .message = "the engine refuses its configuration: " +
                         (engine_complaint_.empty() ? "its message is in the log above" : engine_complaint_)});
        return;
    }
    const auto delay = child.policy.died();
    if (!delay) {
        const auto& limits = child.policy.limits();
        const std::string& complaint = &child == &engine_ ? engine_complaint_ : postgres_complaint_;
        fail({.kind = ErrorKind::unavailable,
              .message = fmt::format("{} died {} times within {} s, the last time it {}{}", child.name,
                                     limits.deaths_max + 1, std::chrono::duration_cast<seconds>(limits.window).count(),
                                     end.text(), complaint.empty() ? "" : ": " + complaint),
              .hint = "the log above has what it said before it died"});
        return;
    }
    child.start_at = clock_.steady_now() + *delay;
    log_warning("supervisor", "{} {}; starting it again{}", child.name, end.text(),
                delay->count() == 0 ? "" : fmt::format(" in {} ms", delay->count()));
    set_phase(state_.phase == Phase::ready ? Phase::degraded : state_.phase,
              fmt::format("{} {} and is being started again", child.name, end.text()));
}

void Box::restart_when_due(Watched& child, const std::function<Status()>& start) {
    if (!child.start_at || clock_.steady_now() < *child.start_at) return;
    child.start_at.reset();
    ++child.state->restarts;
    const auto started = start();
    if (!started) fail(started.error());
}

void Box::notice_postgres_readiness() {
    if (postgres_.pid == 0 || postgres_ready_) return;
    if (postmaster_status(config::postgres_dir(settings()), postgres_.pid) != "ready") return;
    postgres_ready_ = true;
    postgres_complaint_.clear();
    log_info("supervisor", "PostgreSQL {} is ready on port {} (process {})", plan_.postgres->version,
             settings().catalog_port, postgres_.pid);
    if (engine_ready_) set_phase(Phase::ready, "ready");
    save_state();
}

void Box::end_engine_that_does_not_start() {
    if (engine_.pid == 0 || engine_ready_ || clock_.steady_now() < engine_ready_by_) return;
    log_warning("supervisor", "the engine did not get ready in time (last word: {}); ending it", state_.status);
    ::kill(engine_.pid, SIGKILL);
    engine_ready_by_ = TimePoint::max();
}

void Box::on_postgres_output() {
    for (const auto& raw : postgres_.output->read_lines()) {
        const auto line = postgres_log_.read(raw);
        if (line.is_fatal) postgres_complaint_ = line.text;
        log_line(line.level, "postgres", line.text);
    }
    if (postgres_.output->fd() < 0) postgres_.output.reset();
}

// Datagrams of newline-separated KEY=VALUE (base/notify.hpp).
void Box::on_engine_message() {
    char buffer[4096];
    ssize_t length = 0;
    while ((length = ::recv(notify_reader_.get(), buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
        std::istringstream lines(std::string(buffer, static_cast<std::size_t>(length)));
        for (std::string line; std::getline(lines, line);) {
            const auto equals = line.find('=');
            const std::string key = line.substr(0, equals);
            const std::string value = equals == std::string::npos ? "" : line.substr(equals + 1);
            if (key == "READY" && value == "1" && engine_.pid != 0) {
                engine_ready_ = true;
                engine_complaint_.clear();
            } else if (key == "STATUS" && !engine_ready_) {
                set_phase(state_.phase, value);
            } else if (key == "BOATHOUSE_FAILED") {
                engine_complaint_ = value;
            }
        }
    }
    if (engine_ready_ && state_.phase == Phase::degraded && (postgres_ready_ || !has_postgres())) {
        log_info("supervisor", "the engine is ready again (process {})", engine_.pid);
        set_phase(Phase::ready, "ready");
    }
}

void Box::reload() {
    log_info("supervisor", "SIGHUP: reading the certificate and PostgreSQL's settings again");
    if (!has_postgres()) return;
    if (plan_.renew_certificate) {
        if (const auto renewed = plan_.renew_certificate(); !renewed) {
            Error error = renewed.error();
            error.hint =
                "the box goes on with the certificate it has; to read a key that only root may, restart the box";
            log_error("supervisor", error);
        }
    }
    const auto written = write_postgres_config(config::postgres_dir(settings()), plan_.postgres_config);
    if (!written) log_error("supervisor", written.error());
    if (postgres_.pid != 0) ::kill(postgres_.pid, SIGHUP);
}

void Box::feed_watchdog() {
    if (watchdog_every_.count() == 0 || clock_.steady_now() < watchdog_due_) return;
    notify_service_manager("WATCHDOG=1");
    watchdog_due_ = clock_.steady_now() + watchdog_every_;
}

void Box::fail(Error error) {
    if (failure_) return;
    log_error("supervisor", error);
    state_.last_error = error.text();
    failure_ = std::move(error);
}

void Box::set_phase(Phase phase, const std::string& status) {
    state_.phase = phase;
    state_.status = status;
    notify_service_manager("STATUS=" + status);
    save_state();
}

void Box::save_state() {
    state_.postgres.pid = postgres_.pid;
    state_.engine.pid = engine_.pid;
    const auto written = write_state(settings(), state_);
    // A full disk is no reason to stop: status is a courtesy.
    if (!written) log_warning("supervisor", "{}", written.error().message);
}

}  // namespace boathouse::supervisor
