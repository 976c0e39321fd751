// What SET, SHOW and RESET know: PostgreSQL's settings that clients use, each with what it may be here.
//
// A SessionSettings belongs to one session and one thread at a time, but for value(). It checks and remembers values;
// what a value does (time zone, search path) the session does. Names are matched without regard to case, as in
// PostgreSQL. Only what differs from its default costs memory.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
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
    engine,  // DuckDB's own, of the same name
};

struct SettingChange {
    SettingEffect effect = SettingEffect::none;
    std::string name;       // as PostgreSQL writes it
    std::string value;      // normalised
    bool reported = false;  // clients are told by ParameterStatus
};

// Values by lower-case name; what is not there has its default.
using SettingValues = std::map<std::string, std::string>;

// The settings that end something after a time; zero: never.
struct TimeLimits {
    std::chrono::milliseconds statement{0};
    std::chrono::milliseconds idle_in_transaction{0};
    std::chrono::milliseconds idle{0};
};

// What every statement asks for.
struct Switches {
    bool group_commit = true;
    bool cache = true;
    bool read_only = false;
    bool default_read_only = false;
};

class SessionSettings {
  public:
    // The values that a session starts with; `user` as it logged in.
    explicit SessionSettings(const std::string& user);

    // What SET name TO values would do; nothing is changed yet. Errors: 42704 unknown, 22023 not among what it may be.
    engine::Outcome<SettingChange> check(const std::string& name, const std::vector<std::string>& values) const;
    void apply(const SettingChange& change, bool local);

    // The value that RESET would give.
    engine::Outcome<SettingChange> check_reset(const std::string& name) const;
    std::vector<SettingChange> check_reset_all() const;

    // The end of a transaction: SET LOCAL is undone always, SET if the transaction failed. Tells what changed back.
    std::vector<SettingChange> end_transaction(bool committed);

    // For savepoints: all values as they are, and back to them. Tells what changed back.
    std::shared_ptr<const SettingValues> values() const { return values_; }
    std::vector<SettingChange> restore(std::shared_ptr<const SettingValues> values);

    // Any thread: DuckDB's threads ask for current_setting().
    std::optional<std::string> value(const std::string& name) const;
    const TimeLimits& limits() const { return limits_; }
    const Switches& switches() const { return switches_; }
    const std::string& role() const { return role_; }  // session_authorization

    // What SHOW prints for a name that SHOW knows in several spellings.
    engine::Outcome<std::pair<std::string, std::string>> show(const std::string& name) const;
    std::vector<std::pair<std::string, std::string>> all() const;

    // DuckDB's own that are not what DuckDB begins with.
    std::vector<std::pair<std::string, std::string>> of_engine() const;

    // Those of which the client is told at log-in and on change.
    std::vector<std::pair<std::string, std::string>> reported() const;

    // What an answer may depend on: those of the zone, the search path, the dialect and DuckDB's own that are not what
    // they are in a fresh session.
    const std::string& shaping_answers() const { return shaping_answers_; }

    // Start-up values become the ones that RESET gives.
    void make_default(const SettingChange& change);
    // The same of "name=value", but for those in `except`. What the door does not know of what the catalog's
    // administrator has set is the catalog's own business.
    void make_defaults(const std::vector<std::string>& assignments, const std::set<std::string>& except = {});

  private:
    SettingChange change_to(const std::string& key, const std::string& value) const;
    std::optional<std::string> default_of(const std::string& key) const;
    bool is_on(const std::string& name) const { return value(name) == "on"; }
    std::chrono::milliseconds duration(const std::string& name) const;
    void replace(std::shared_ptr<const SettingValues> values);
    void derive();

    SettingValues defaults_;  // where RESET gives something else than the table's initial value
    // Never changed, but replaced: savepoints and the transaction's beginning share it.
    std::shared_ptr<const SettingValues> values_;
    mutable std::mutex mutex_;  // guards the pointer values_ for value(), not what the session's own thread does
    TimeLimits limits_;
    Switches switches_;
    std::string role_;
    std::string shaping_answers_;
    std::shared_ptr<const SettingValues> at_begin_;                   // null: nothing was SET in the transaction
    std::map<std::string, std::optional<std::string>> before_local_;  // values from before SET LOCAL
};

}  // namespace boathouse::gateway
