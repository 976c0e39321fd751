// From the start-up packet to AuthenticationOk: who is there, and is it true
// (https://www.postgresql.org/docs/15/protocol-flow.html, …/sasl-authentication.html).
//
// A LogIn belongs to one session until the client is in, and is gone afterwards: what it costs is not paid by idle
// clients. handle() may block on the catalog. The way is SCRAM against PostgreSQL's verifiers; where an external
// catalog does not show them, the password itself over TLS, tried at that catalog (roles.hpp). A failed log-in is
// logged here, and slows those that follow (log_in_throttle.hpp).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/log_in_throttle.hpp"
#include "gateway/roles.hpp"
#include "gateway/session_settings.hpp"
#include "pgwire/buffer.hpp"
#include "pgwire/frontend.hpp"
#include "pgwire/scram.hpp"

namespace boathouse::gateway {

// What all log-ins share.
struct LogInServices {
    Roles& roles;
    LogInThrottle& throttle;
    std::vector<std::string> database_names;  // that a client may name
    std::string invented_salt_secret;
    // Where who may enter is told by the mirror: makes it if it is gone. Null without one.
    std::function<void()> look_again = nullptr;
};

// Who is at the other end.
struct Peer {
    std::string address;
    bool encrypted = false;
    std::string certificate_hash;  // of ours, for channel binding; empty without TLS
};

class LogIn {
  public:
    enum class Step { more, done, refused };

    LogIn(LogInServices& services, const Peer& peer) : services_(services), peer_(peer) {}

    Step handle(const pgwire::Frame& frame, pgwire::Buffer& out);

    // How long the answer that handle() has just given is to be held back.
    std::chrono::milliseconds answer_delay() const { return answer_delay_; }
    const std::string& user() const { return user_; }
    // With what the start-up packet asked for; once.
    std::unique_ptr<SessionSettings> take_settings() { return std::move(settings_); }

  private:
    enum class Phase { start, scram_first, scram_final, password };

    Step start(const pgwire::Frame& frame, pgwire::Buffer& out);
    Step accept_startup(const pgwire::Startup& startup, pgwire::Buffer& out);
    Step accept_settings(const pgwire::Startup& startup, pgwire::Buffer& out);
    Step challenge(pgwire::Buffer& out);
    Step scram_first(const pgwire::Frame& frame, pgwire::Buffer& out);
    Step scram_final(const pgwire::Frame& frame, pgwire::Buffer& out);
    Step password(const pgwire::Frame& frame, pgwire::Buffer& out);
    Step admit(const Role& role, pgwire::Buffer& out);
    bool may_enter_now();
    Step wrong_password(const std::string& reason_for_log, pgwire::Buffer& out);
    Step no_catalog(const Error& error, pgwire::Buffer& out);
    Step refuse(pgwire::Buffer& out, const std::string& sqlstate, const std::string& message, const std::string& hint,
                const std::string& reason_for_log);

    LogInServices& services_;
    const Peer& peer_;
    Phase phase_ = Phase::start;
    std::chrono::milliseconds answer_delay_{0};
    std::string user_;
    Role role_;
    std::optional<pgwire::ScramServer> scram_;
    std::unique_ptr<SessionSettings> settings_;
    std::set<std::string> named_settings_;  // by the start-up packet: stronger than the role's
};

}  // namespace boathouse::gateway
