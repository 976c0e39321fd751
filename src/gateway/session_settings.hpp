// What SET, SHOW and RESET know: PostgreSQL's settings that clients use, each with what it may be here.
//
// A SessionSettings belongs to one session and one thread at a time. It checks and remembers values; what a value does
// (time zone, search path) the session does. Names are matched without regard to case, as in PostgreSQL.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/query_error.hpp"

namespace boathouse::gateway {

// What SET did, beyond remembering.
enum class SettingEffect {
    none,
    time_zone,    // the engine computes with it
    search_path,  // the engine resolves names with it
    dialect,
};

struct SettingChange {
    SettingEffect effect = SettingEffect::none;
    std::string name;       // as PostgreSQL writes it
    std::string value;      // normalised
    bool reported = false;  // clients are told by ParameterStatus
};

class SessionSettings {
  public:
    // The values that a session starts with; `user` as it logged in.
    explicit SessionSettings(const std::string& user);

    // What SET name TO values would do; nothing is changed yet. Errors: 42704 unknown, 22023 not among what it may be,
    // 55P02 not to be changed.
    engine::Outcome<SettingChange> check(const std::string& name, const std::vector<std::string>& values) const;
    void apply(const SettingChange& change, bool local);

    // The value that RESET would give.
    engine::Outcome<SettingChange> check_reset(const std::string& name) const;
    std::vector<SettingChange> check_reset_all() const;

    // The end of a transaction: SET LOCAL is undone always, SET if the transaction failed. Tells what changed back.
    std::vector<SettingChange> end_transaction(bool committed);

    std::optional<std::string> value(const std::string& name) const;
    // What SHOW prints for a name that SHOW knows in several spellings.
    engine::Outcome<std::pair<std::string, std::string>> show(const std::string& name) const;
    std::vector<std::pair<std::string, std::string>> all() const;

    // Those of which the client is told at log-in and on change.
    std::vector<std::pair<std::string, std::string>> reported() const;

    // Start-up values become the ones that RESET gives.
    void make_default(const SettingChange& change);

  private:
    SettingChange change_to(const std::string& key, const std::string& value) const;

    std::map<std::string, std::string> values_;    // by lower-case name
    std::map<std::string, std::string> defaults_;  // what RESET gives
    // Values from before SET LOCAL, and from before any SET, in the transaction.
    std::map<std::string, std::optional<std::string>> before_local_;
    std::map<std::string, std::optional<std::string>> before_transaction_;
};

}  // namespace boathouse::gateway
