// Engine sessions for requests that stand alone: the HTTP door's. Opening one costs a millisecond and more, so a few
// are kept, each for the role and the settings that it was made for.
//
// One RequestSessions a box; any thread may enter. A RequestSession is borrowed by one request and used by one thread
// at a time, but for its engine's interrupt(). It is as fresh as a new one: what a request can leave behind (temporary
// relations, an open transaction) makes it be thrown away. At most kIdleSessionsMax lie idle.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "access/checker.hpp"
#include "engine/session.hpp"
#include "gateway/callers.hpp"
#include "gateway/session.hpp"
#include "gateway/sql_settings.hpp"

namespace boathouse::gateway {

inline constexpr std::size_t kIdleSessionsMax = 32;

class RequestSession {
  public:
    explicit RequestSession(std::shared_ptr<const Caller> caller);

    engine::Outcome<void> open(SessionServices& services);
    engine::Session& engine() { return *engine_; }
    const SessionSettings& settings() const { return settings_; }
    const Caller& caller() const { return *caller_; }
    bool serves(const Caller& caller) const {
        return caller.user == caller_->user && caller.settings == caller_->settings;
    }
    bool is_fresh() const { return !engine_->has_temporary_relations() && !engine_->transaction_usable(); }

  private:
    const std::shared_ptr<const Caller> caller_;
    SessionSettings settings_;
    SqlSettings sql_settings_;
    std::optional<access::RoleGate> gate_;
    std::unique_ptr<engine::Session> engine_;  // uses those above
};

class RequestSessions {
  public:
    explicit RequestSessions(SessionServices& services) : services_(services) {}

    engine::Outcome<std::unique_ptr<RequestSession>> borrow(const std::shared_ptr<const Caller>& caller);
    void give_back(std::unique_ptr<RequestSession> session);

  private:
    SessionServices& services_;
    std::mutex mutex_;
    std::list<std::unique_ptr<RequestSession>> idle_;  // under mutex_, the latest used in front
};

}  // namespace boathouse::gateway
