// What the keeper is to do with the lake, a schema or a table: twelve policies, each with a default that needs no
// touch, and each may be `off`.
//
// Where DuckLake has an option of the same meaning, the policy is that option, in DuckLake's own table, so that a
// direct client's CHECKPOINT does the same. The others, and every `off`, lie in the box's own database. The table's
// policy counts before its schema's, and that before the lake's. Plain data and pure functions, but for the reading and
// writing, which block on PostgreSQL and are used by one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::keeper {

enum class PolicyKind { duration, bytes, count, fraction, window };

struct PolicyRow {
    std::string_view key;
    PolicyKind kind;
    bool lake_wide;                 // not for a schema or a table
    std::string_view lake_option;   // DuckLake's, or empty
    std::string_view default_text;  // "off" for none
    std::string_view prose;
};

// All of them, in the order in which they are shown.
const std::vector<PolicyRow>& policy_rows();
const PolicyRow* find_policy(std::string_view key);

// The number that a value stands for: seconds, bytes, a count, or a fraction; 0 for a window of hours (day_window.hpp).
// Errors: configuration.
Result<double> parse_policy(const PolicyRow& row, std::string_view text);

// "7 days", "1 week 12 hours" -> seconds. A month has 30 days, a year 365.
std::optional<double> parse_duration(std::string_view text);
// "512MB", "512 MiB", "512000000" -> bytes.
std::optional<double> parse_bytes(std::string_view text);

// Whom a policy is for. Both empty: the lake; table empty: the schema.
struct Scope {
    std::string schema{};
    std::string table{};
    friend bool operator==(const Scope&, const Scope&) = default;
};
std::string to_text(const Scope& scope);  // "lake", "schema sales", "table sales.orders"

struct PolicySetting {
    std::string key;
    Scope scope;
    std::string value;
};

class Policies {
  public:
    Policies() = default;
    explicit Policies(std::vector<PolicySetting> settings) : settings_(std::move(settings)) {}

    const std::vector<PolicySetting>& settings() const { return settings_; }
    // The text that counts for `scope`: set there or above, else the default.
    std::string text(std::string_view key, const Scope& scope = {}) const;
    // Its number; nothing where it is off, or where a direct client has left something in DuckLake's option that is
    // no value.
    std::optional<double> value(std::string_view key, const Scope& scope = {}) const;

  private:
    std::vector<PolicySetting> settings_;
};

// Two connections as the engine's role: to the lake's database and to the box's own.
struct Databases {
    catalog::Connection& lake;
    catalog::Connection& box;
};

Result<Policies> read_policies(Databases databases);
// Errors: configuration (no such policy, no value of its kind, a scope that it does not have), not_found (no such
// schema or table).
Status set_policy(Databases databases, const PolicySetting& setting);
Status unset_policy(Databases databases, std::string_view key, const Scope& scope);

}  // namespace boathouse::keeper
