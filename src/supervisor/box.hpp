// The process tree: PostgreSQL and the engine, from the first start to the last goodbye.
//
// One thread turns one loop: step() waits for the next event (a signal, a child's end, a line, a datagram, a deadline)
// and deals with it; bringing up and shutting down are straight lines that turn the loop until what they wait for has
// happened. Every child that ends is counted by a RestartPolicy and started again; whatever ends the box sets failure_
// or stop_requests_, which every wait looks at.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "config/load.hpp"
#include "supervisor/box_user.hpp"
#include "supervisor/child.hpp"
#include "supervisor/engine_program.hpp"
#include "supervisor/events.hpp"
#include "supervisor/lake_access.hpp"
#include "supervisor/postgres_config.hpp"
#include "supervisor/postgres_installation.hpp"
#include "supervisor/postgres_log.hpp"
#include "supervisor/restart_policy.hpp"
#include "supervisor/state.hpp"

namespace boathouse::supervisor {

// All that was found out and decided before anything is started.
struct BoxPlan {
    config::Loaded loaded;  // with the password that is in force
    bool password_is_generated = false;
    bool password_is_new = false;
    BoxUser user;
    EngineProgram engine;
    std::optional<PostgresInstallation> postgres;  // nothing: an external catalog
    PostgresConfig postgres_config;
    std::optional<LakeAccess> lake_access;  // nothing: not started as root, or a lake on S3
    // Fetches the certificate again, on SIGHUP.
    std::function<Status()> renew_certificate;
};

class Box {
  public:
    Box(BoxPlan plan, Events events, const Clock& clock);

    // Runs until asked to stop or until something cannot be mended. An exit code of supervisor.hpp.
    int run();

  private:
    using TimePoint = std::chrono::steady_clock::time_point;

    struct Watched {
        const char* name;
        RestartPolicy policy;
        ChildState* state;                    // its part of state_
        pid_t pid = 0;                        // 0: not running
        std::optional<TimePoint> start_at{};  // when it is to be started again
        std::optional<LineReader> output{};   // PostgreSQL's log
    };

    // Bringing up.
    Status bring_up();
    Status make_cluster();
    Status start_postgres();
    Status prepare_catalog();
    Status start_engine();
    void announce();

    // The loop.
    void step(std::chrono::milliseconds wait_max);
    void wait_until(const std::function<bool()>& happened);  // or until the box is to stop
    bool is_ending() const { return stop_requests_ > 0 || failure_.has_value(); }
    void on_signal(int signal);
    void on_child_end(const ChildEnd& end);
    void on_engine_message();
    void on_postgres_output();
    void restart_when_due(Watched& child, const std::function<Status()>& start);
    void died(Watched& child, const ChildEnd& end);
    void reload();
    void notice_postgres_readiness();
    void end_engine_that_does_not_start();
    void feed_watchdog();

    // Shutting down.
    void shut_down();
    void stop_child(Watched& child, int first_signal, std::chrono::milliseconds grace, int second_signal);

    void fail(Error error);
    void set_phase(Phase phase, const std::string& status);
    void save_state();
    int exit_code() const;
    const config::Settings& settings() const { return plan_.loaded.settings; }
    bool has_postgres() const { return plan_.postgres.has_value(); }

    BoxPlan plan_;
    Events events_;
    const Clock& clock_;
    State state_;
    Watched postgres_;
    Watched engine_;
    bool postgres_ready_ = false;
    bool engine_ready_ = false;
    PostgresLog postgres_log_;
    std::string postgres_complaint_;  // its last FATAL or PANIC line, for the message if it keeps dying
    std::string engine_complaint_;    // BOATHOUSE_FAILED
    TimePoint engine_ready_by_{};     // an engine that is not ready by then is killed, and that counts as a death
    FileDescriptor notify_reader_;
    FileDescriptor notify_writer_;  // the engine's end; kept, so that a restarted engine gets the same
    int stop_requests_ = 0;         // SIGTERM and SIGINT so far; the second one is immediate
    std::optional<Error> failure_;
    pid_t initdb_pid_ = 0;  // 0: not running
    std::optional<ChildEnd> initdb_end_;
    TimePoint watchdog_due_{};
    std::chrono::milliseconds watchdog_every_{0};  // 0: not asked for
};

}  // namespace boathouse::supervisor
