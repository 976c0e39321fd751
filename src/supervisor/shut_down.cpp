// Box, last part: the engine drains, then PostgreSQL stops.

#include <signal.h>
#include <unistd.h>

#include "base/log.hpp"
#include "base/notify.hpp"
#include "supervisor/box.hpp"

namespace boathouse::supervisor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kPostgresFastGrace(60);   // a checkpoint on a slow disk
constexpr seconds kImmediateGrace(10);      // after which only SIGKILL is left
constexpr milliseconds kDrainMargin(2000);  // on top of the grace that the engine gives its statements

}  // namespace

void Box::shut_down() {
    notify_service_manager("STOPPING=1");
    set_phase(Phase::stopping, "stopping");
    if (initdb_pid_ != 0) ::kill(initdb_pid_, SIGKILL);
    const auto drain = seconds(settings().shutdown_grace_seconds) + kDrainMargin;
    stop_child(engine_, SIGTERM, drain, SIGKILL);
    stop_child(postgres_, SIGINT, kPostgresFastGrace, SIGQUIT);  // fast, then immediate (postgres(1))
    while (initdb_pid_ != 0) step(seconds(1));
    if (failure_) {
        set_phase(Phase::failed, failure_->message);
    } else {
        log_info("supervisor", "stopped");
        set_phase(Phase::stopped, "stopped");
    }
}

void Box::stop_child(Watched& child, int first_signal, milliseconds grace, int second_signal) {
    child.start_at.reset();
    if (child.pid == 0) return;
    const bool was_asked_once = stop_requests_ < 2;
    ::kill(child.pid, was_asked_once ? first_signal : second_signal);
    const auto give_up_at = clock_.steady_now() + grace;
    if (was_asked_once) {
        while (child.pid != 0 && stop_requests_ < 2 && clock_.steady_now() < give_up_at) step(milliseconds(200));
        if (child.pid == 0) return;
        if (stop_requests_ < 2) log_warning("supervisor", "{} is still there after its grace period", child.name);
        ::kill(child.pid, second_signal);
    }
    const auto kill_at = clock_.steady_now() + kImmediateGrace;
    while (child.pid != 0 && clock_.steady_now() < kill_at) step(milliseconds(200));
    if (child.pid != 0) ::kill(child.pid, SIGKILL);
    while (child.pid != 0) step(milliseconds(200));
}

}  // namespace boathouse::supervisor
