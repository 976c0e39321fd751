// What the keeper is to do with the lake, a schema or a table: twelve policies, each with a default that needs no
// touch, and each may be `off`.
//
// Where DuckLake has an option of the same meaning, the policy is that option, in DuckLake's own table, so that a
// direct client's CHECKPOINT does the same. The others, and every `off`, lie in the box's own database, and beside them
// what the configuration of the box that was started last gives (config/policy.hpp), so that commands, other boxes and
// the keeper go by the same. The table's policy counts before its schema's, and that before the lake's; of two for the
// same, what was set by a command or SQL counts before what is configured. Plain data and pure functions, but for the
// reading and writing, which block on PostgreSQL and are used by one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "config/policy.hpp"

namespace boathouse::keeper {

using config::PolicySetting;
using config::Scope;
using config::to_text;

class Policies {
  public:
    Policies() = default;
    explicit Policies(std::vector<PolicySetting> settings) : settings_(std::move(settings)) {}

    const std::vector<PolicySetting>& settings() const { return settings_; }
    // What counts for `scope`: set or configured there or above; nullptr where the default does.
    const PolicySetting* find(std::string_view key, const Scope& scope = {}) const;
    // Its text, or the default's.
    std::string text(std::string_view key, const Scope& scope = {}) const;
    // Its number; nothing where it is off, or where a direct client has left something in DuckLake's option that is
    // no value.
    std::optional<double> value(std::string_view key, const Scope& scope = {}) const;

    // Where it comes from, for people: "default", "set", "/etc/boathouse.toml:12".
    std::string origin(std::string_view key, const Scope& scope = {}) const;
    // Those for schemas and tables that count: a configured one does not, where one is set for the same.
    std::vector<PolicySetting> for_parts() const;

  private:
    std::vector<PolicySetting> settings_;  // of two for the same, the one that counts is the first
};

// Two connections as the engine's role: to the lake's database and to the box's own.
struct Databases {
    catalog::Connection& lake;
    catalog::Connection& box;
};

Result<Policies> read_policies(Databases databases);
// Puts what a configuration gives in the place of what an earlier start gave.
Status record_given_policies(catalog::Connection& box, const std::vector<PolicySetting>& given);
// Errors: configuration (no such policy, no value of its kind, a scope that it does not have), not_found (no such
// schema or table).
Status set_policy(Databases databases, const PolicySetting& setting);
Status unset_policy(Databases databases, std::string_view key, const Scope& scope);

}  // namespace boathouse::keeper
