#include "gateway/request_sessions.hpp"

#include <algorithm>

namespace boathouse::gateway {

using engine::Outcome;

RequestSession::RequestSession(std::shared_ptr<const Caller> caller)
    : caller_(std::move(caller)), settings_(caller_->user), sql_settings_(settings_) {
    settings_.make_defaults(caller_->settings);
}

Outcome<void> RequestSession::open(SessionServices& services) {
    engine::Session::Uses uses;
    uses.settings = &sql_settings_;
    if (services.exchange != nullptr) {
        gate_.emplace(services.exchange->checker, caller_->user);
        uses.gate = &*gate_;
    }
    uses.newest = [this, answers = services.answers] {
        return cache::newest_moment(settings_.switches().cache ? answers : nullptr);
    };
    auto opened = engine::Session::open(services.lake, uses);
    if (!opened) return opened.error();
    engine_ = std::move(*opened);
    engine_->set_read_only(settings_.switches().default_read_only);
    return start_engine(*engine_, settings_);
}

Outcome<std::unique_ptr<RequestSession>> RequestSessions::borrow(const std::shared_ptr<const Caller>& caller) {
    {
        const std::lock_guard lock(mutex_);
        const auto found =
            std::find_if(idle_.begin(), idle_.end(), [&](const auto& session) { return session->serves(*caller); });
        if (found != idle_.end()) {
            auto session = std::move(*found);
            idle_.erase(found);
            return session;
        }
    }
    auto session = std::make_unique<RequestSession>(caller);
    if (auto opened = session->open(services_); !opened) return opened.error();
    return session;
}

void RequestSessions::give_back(std::unique_ptr<RequestSession> session) {
    if (!session->is_fresh()) return;
    session->engine().clear_interrupt();
    std::unique_ptr<RequestSession> dropped;  // closed after the lock
    const std::lock_guard lock(mutex_);
    idle_.push_front(std::move(session));
    if (idle_.size() <= kIdleSessionsMax) return;
    dropped = std::move(idle_.back());
    idle_.pop_back();
}

}  // namespace boathouse::gateway
