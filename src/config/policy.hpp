// What the keeper is to do with the lake, a schema or a table, as the settings can say it: the policies there are, the
// form of their values, and those that a configuration gives.
//
// A policy for the whole lake is an option of the table (options.hpp) by the policy's own name, but for
// target_file_size, which is the lake's from its creation on (lake_target_file_size_mb). Those for schemas and tables
// are one option, `policy`: sections of boathouse.toml, or a list in one text. src/keeper joins them with what is set
// by command and SQL. Plain data and pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace boathouse::config {

struct Loaded;

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
std::vector<std::string> policy_names();

inline constexpr std::string_view kPolicyOff = "off";

// The number that a value stands for: seconds, bytes, a count, or a fraction; 0 for a window of hours (day_window.hpp).
// Errors: configuration.
Result<double> parse_policy(const PolicyRow& row, std::string_view text);

// "a duration such as '7 days' or '12 hours'"
const char* policy_example(PolicyKind kind);

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

// "sales", "sales.orders", "\"my.schema\".orders": names as the lake has them, those with a dot in double quotes, which
// stand doubled within. Nothing where it is neither a schema nor a table.
std::optional<Scope> parse_scope(std::string_view text);

struct PolicySetting {
    std::string key{};
    Scope scope{};
    std::string value{};
    std::string origin = "set";  // "set", by a command or SQL; else where it stands: "/etc/boathouse.toml:12"
};

// What is wrong with a policy for a scope, or success: no such policy, no value of its kind, the whole lake's alone.
// Errors: configuration.
Status check_policy(const PolicySetting& setting);

// "sales.orders.merge_files = off; sales.flush_age = 2 hours", the value of the option `policy`, and back. Errors:
// configuration.
Result<std::vector<PolicySetting>> parse_policy_list(std::string_view text);
std::string to_policy_list(const std::vector<PolicySetting>& settings);

// The key of Loaded::origins for an entry of `policy`: where it stands.
std::string policy_origin_key(const PolicySetting& setting);

// Every policy that flags, environment and file give, with where. Defaults are none.
std::vector<PolicySetting> given_policies(const Loaded& loaded);

}  // namespace boathouse::config
