#include "gateway/session_settings.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "config/version.hpp"

namespace boathouse::gateway {

using engine::Outcome;
using engine::QueryError;

namespace {

enum class Kind { text, boolean, integer, duration_ms, choice, fixed, list };

struct Setting {
    const char* name;  // as PostgreSQL writes it
    Kind kind;
    const char* initial;
    const char* choices = "";  // of a choice, separated by '|'
    SettingEffect effect = SettingEffect::none;
    bool reported = false;
};

// Fixed settings may be set to what they are, as drivers do, and to nothing else. DuckDB's own are those that change
// how this session's statements run and nothing for anybody else.
constexpr Setting kSettings[] = {
    {"application_name", Kind::text, "", "", SettingEffect::none, true},
    {"boathouse.cache", Kind::boolean, "on"},
    {"boathouse.dialect", Kind::choice, "postgres", "postgres|duckdb", SettingEffect::dialect},
    {"boathouse.group_commit", Kind::boolean, "on"},
    {"asof_loop_join_threshold", Kind::integer, "64", "", SettingEffect::engine},
    {"bytea_output", Kind::fixed, "hex"},
    {"check_function_bodies", Kind::boolean, "on"},
    {"client_encoding", Kind::fixed, "UTF8", "", SettingEffect::none, true},
    {"client_min_messages", Kind::choice, "notice", "debug5|debug4|debug3|debug2|debug1|log|notice|warning|error"},
    {"cursor_tuple_fraction", Kind::text, "0.1"},
    {"DateStyle", Kind::fixed, "ISO, MDY", "", SettingEffect::none, true},
    {"default_collation", Kind::text, "", "", SettingEffect::engine},
    {"default_order", Kind::choice, "asc", "asc|desc", SettingEffect::engine},
    {"default_tablespace", Kind::text, ""},
    {"default_transaction_deferrable", Kind::boolean, "off"},
    {"default_transaction_isolation", Kind::choice, "repeatable read",
     "read committed|read uncommitted|repeatable read|serializable"},
    {"default_transaction_read_only", Kind::boolean, "off", "", SettingEffect::none, true},
    {"dynamic_or_filter_threshold", Kind::integer, "50", "", SettingEffect::engine},
    {"escape_string_warning", Kind::boolean, "on"},
    {"explain_output", Kind::choice, "physical_only", "all|optimized_only|physical_only", SettingEffect::engine},
    {"extra_float_digits", Kind::integer, "1"},
    {"idle_in_transaction_session_timeout", Kind::duration_ms, "0"},
    {"idle_session_timeout", Kind::duration_ms, "0"},
    {"ieee_floating_point_ops", Kind::boolean, "on", "", SettingEffect::engine},
    {"in_hot_standby", Kind::fixed, "off", "", SettingEffect::none, true},
    {"integer_datetimes", Kind::fixed, "on", "", SettingEffect::none, true},
    {"IntervalStyle", Kind::fixed, "postgres", "", SettingEffect::none, true},
    {"is_superuser", Kind::fixed, "off", "", SettingEffect::none, true},
    {"jit", Kind::boolean, "off"},
    {"lambda_syntax", Kind::choice, "default", "default|enable_single_arrow|disable_single_arrow",
     SettingEffect::engine},
    {"late_materialization_max_rows", Kind::integer, "50", "", SettingEffect::engine},
    {"lc_collate", Kind::fixed, "C.UTF-8"},
    {"lc_ctype", Kind::fixed, "C.UTF-8"},
    {"lc_messages", Kind::text, "C"},
    {"lc_monetary", Kind::text, "C"},
    {"lc_numeric", Kind::text, "C"},
    {"lc_time", Kind::text, "C"},
    {"lock_timeout", Kind::duration_ms, "0"},
    {"max_identifier_length", Kind::fixed, "63"},
    {"merge_join_threshold", Kind::integer, "1000", "", SettingEffect::engine},
    {"nested_loop_join_threshold", Kind::integer, "5", "", SettingEffect::engine},
    {"order_by_non_integer_literal", Kind::boolean, "off", "", SettingEffect::engine},
    {"ordered_aggregate_threshold", Kind::integer, "262144", "", SettingEffect::engine},
    {"partitioned_write_flush_threshold", Kind::integer, "524288", "", SettingEffect::engine},
    {"partitioned_write_max_open_files", Kind::integer, "100", "", SettingEffect::engine},
    {"password_encryption", Kind::fixed, "scram-sha-256"},
    {"perfect_ht_threshold", Kind::integer, "12", "", SettingEffect::engine},
    {"pivot_filter_threshold", Kind::integer, "20", "", SettingEffect::engine},
    {"pivot_limit", Kind::integer, "100000", "", SettingEffect::engine},
    {"prefer_range_joins", Kind::boolean, "off", "", SettingEffect::engine},
    {"role", Kind::fixed, "none"},
    {"row_security", Kind::boolean, "on"},
    {"scalar_subquery_error_on_multiple_rows", Kind::boolean, "on", "", SettingEffect::engine},
    {"search_path", Kind::list, "public", "", SettingEffect::search_path},
    {"server_encoding", Kind::fixed, "UTF8", "", SettingEffect::none, true},
    {"server_version", Kind::fixed, "", "", SettingEffect::none, true},
    {"server_version_num", Kind::fixed, "150000"},
    {"session_authorization", Kind::fixed, "", "", SettingEffect::none, true},
    {"standard_conforming_strings", Kind::fixed, "on", "", SettingEffect::none, true},
    {"statement_timeout", Kind::duration_ms, "0"},
    {"synchronous_commit", Kind::choice, "on", "on|off|local|remote_write|remote_apply"},
    {"tcp_keepalives_count", Kind::integer, "0"},
    {"tcp_keepalives_idle", Kind::integer, "0"},
    {"tcp_keepalives_interval", Kind::integer, "0"},
    {"tcp_user_timeout", Kind::duration_ms, "0"},
    {"TimeZone", Kind::text, "UTC", "", SettingEffect::time_zone, true},
    {"transaction_deferrable", Kind::boolean, "off"},
    {"transaction_isolation", Kind::choice, "repeatable read",
     "read committed|read uncommitted|repeatable read|serializable"},
    {"transaction_read_only", Kind::boolean, "off"},
    {"work_mem", Kind::text, "4MB"},
    {"xmloption", Kind::text, "content"},
};

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& byte : result) byte = static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
    return result;
}

const Setting* find_setting(std::string_view name) {
    static const std::map<std::string, const Setting*> kByName = [] {
        std::map<std::string, const Setting*> by_name;
        for (const Setting& setting : kSettings) by_name[lower(setting.name)] = &setting;
        return by_name;
    }();
    const auto entry = kByName.find(lower(name));
    return entry == kByName.end() ? nullptr : entry->second;
}

QueryError unknown(const std::string& name) {
    return {"42704", "unrecognized configuration parameter \"" + name + "\""};
}

QueryError invalid(const Setting& setting, const std::string& value, std::string hint) {
    QueryError error{"22023", std::string("invalid value for parameter \"") + setting.name + "\": \"" + value + "\""};
    error.hint = std::move(hint);
    return error;
}

std::optional<std::string> boolean_value(const std::string& value) {
    const std::string text = lower(value);
    if (text == "on" || text == "true" || text == "yes" || text == "1" || text == "t" || text == "y") return "on";
    if (text == "off" || text == "false" || text == "no" || text == "0" || text == "f" || text == "n") return "off";
    return std::nullopt;
}

// "5s", "250", "2 min" to milliseconds, as PostgreSQL's time settings take them.
std::optional<std::int64_t> milliseconds(const std::string& value) {
    std::int64_t number = 0;
    const char* const end = value.data() + value.size();
    const auto parsed = std::from_chars(value.data(), end, number);
    if (parsed.ec != std::errc() || number < 0 || number > INT32_MAX) return std::nullopt;
    const std::string unit =
        lower(std::string(std::find_if(parsed.ptr, end, [](char byte) { return byte != ' '; }), end));
    if (unit.empty() || unit == "ms") return number;
    if (unit == "s") return number * 1000;
    if (unit == "min") return number * 60'000;
    if (unit == "h") return number * 3'600'000;
    if (unit == "d") return number * 86'400'000;
    return std::nullopt;
}

// In the largest unit that leaves nothing over, as PostgreSQL prints it.
std::string printed_duration(std::int64_t duration_ms) {
    struct Unit {
        std::int64_t length_ms;
        const char* name;
    };
    static constexpr Unit kUnits[] = {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "min"}, {1000, "s"}};
    if (duration_ms == 0) return "0";
    for (const Unit& unit : kUnits) {
        if (duration_ms % unit.length_ms == 0) return std::to_string(duration_ms / unit.length_ms) + unit.name;
    }
    return std::to_string(duration_ms) + "ms";
}

bool is_choice(const std::string& choices, const std::string& value) {
    return ("|" + choices + "|").find("|" + value + "|") != std::string::npos && !value.empty();
}

// What drivers send for a fixed setting in other words.
bool means_fixed(const Setting& setting, const std::string& value) {
    const std::string text = lower(value);
    if (text == lower(setting.initial)) return true;
    if (std::string_view(setting.name) == "client_encoding") {
        // As clean_encoding_name: letters and digits count, so that asyncpg's "'utf-8'" is UTF8 too.
        std::string letters;
        for (const char byte : text) {
            if (std::isalnum(static_cast<unsigned char>(byte)) != 0) letters += byte;
        }
        return letters == "utf8" || letters == "unicode";
    }
    if (std::string_view(setting.name) == "DateStyle") return text == "iso" || text == "iso, mdy" || text == "iso,mdy";
    const std::optional<std::string> flag = boolean_value(text);
    return flag && *flag == setting.initial;
}

std::string joined(const std::vector<std::string>& values) {
    std::string text;
    for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
    return text;
}

Outcome<std::string> normalised(const Setting& setting, const std::vector<std::string>& values) {
    const std::string value = joined(values);
    switch (setting.kind) {
        case Kind::text:
        case Kind::list:
            return value;
        case Kind::boolean: {
            const auto flag = boolean_value(value);
            return flag ? Outcome<std::string>(*flag) : invalid(setting, value, "It may be on or off.");
        }
        case Kind::integer: {
            std::int64_t number = 0;
            const char* const end = value.data() + value.size();
            if (std::from_chars(value.data(), end, number).ptr != end)
                return invalid(setting, value, "It is a whole number.");
            return std::to_string(number);
        }
        case Kind::duration_ms: {
            const auto duration_ms = milliseconds(value);
            if (!duration_ms) return invalid(setting, value, "It is a time: 500, 500ms, 5s, 2min.");
            return printed_duration(*duration_ms);
        }
        case Kind::choice: {
            const std::string text = lower(value);
            if (is_choice(setting.choices, text)) return text;
            std::string available = setting.choices;
            std::replace(available.begin(), available.end(), '|', ',');
            return invalid(setting, value, "Available values: " + available + ".");
        }
        case Kind::fixed:
            if (means_fixed(setting, value)) return std::string(setting.initial);
            return invalid(setting, value, std::string("Here it is always ") + setting.initial + ".");
    }
    return value;
}

}  // namespace

SessionSettings::SessionSettings(const std::string& user) : values_(std::make_shared<const SettingValues>()) {
    defaults_["session_authorization"] = user;
    defaults_["server_version"] = std::string("15.0 (Boathouse ") + config::version() + ")";
    derive();
}

SettingChange SessionSettings::change_to(const std::string& key, const std::string& value) const {
    const Setting* setting = find_setting(key);
    if (!setting) return {SettingEffect::none, key, value, false};
    return {setting->effect, setting->name, value, setting->reported};
}

std::optional<std::string> SessionSettings::default_of(const std::string& key) const {
    if (const auto entry = defaults_.find(key); entry != defaults_.end()) return entry->second;
    const Setting* setting = find_setting(key);
    return setting ? std::optional<std::string>(setting->initial) : std::nullopt;
}

Outcome<SettingChange> SessionSettings::check(const std::string& name, const std::vector<std::string>& values) const {
    if (values.empty()) return check_reset(name);
    const Setting* setting = find_setting(name);
    if (!setting) {
        // PostgreSQL takes any name with a dot: applications keep their own values there.
        if (name.find('.') == std::string::npos) return unknown(name);
        return SettingChange{SettingEffect::none, lower(name), joined(values), false};
    }
    const std::string key = lower(setting->name);
    const auto wanted = normalised(*setting, values);
    if (!wanted) {
        if (setting->kind == Kind::fixed && value(key) == joined(values)) return change_to(key, joined(values));
        return wanted.error();
    }
    return change_to(key, *wanted);
}

void SessionSettings::replace(std::shared_ptr<const SettingValues> values) {
    {
        const std::lock_guard lock(mutex_);
        values_ = std::move(values);
    }
    derive();
}

void SessionSettings::derive() {
    limits_.statement = duration("statement_timeout");
    limits_.idle_in_transaction = duration("idle_in_transaction_session_timeout");
    limits_.idle = duration("idle_session_timeout");
    switches_ = {is_on("boathouse.group_commit"), is_on("boathouse.cache"), is_on("transaction_read_only"),
                 is_on("default_transaction_read_only")};
    role_ = value("session_authorization").value_or("");
    shaping_answers_.clear();
    for (const Setting& setting : kSettings) {
        if (setting.effect == SettingEffect::none) continue;
        const std::string present = value(setting.name).value_or("");
        if (present != setting.initial) shaping_answers_ += setting.name + ('=' + present + '\0');
    }
}

void SessionSettings::apply(const SettingChange& change, bool local) {
    const std::string key = lower(change.name);
    if (!at_begin_) at_begin_ = values_;
    if (local) {
        before_local_.try_emplace(key, value(key));
    } else {
        before_local_.erase(key);
    }
    auto changed = std::make_shared<SettingValues>(*values_);
    if (default_of(key) == change.value) {
        changed->erase(key);
    } else {
        (*changed)[key] = change.value;
    }
    replace(std::move(changed));
}

void SessionSettings::make_default(const SettingChange& change) {
    defaults_[lower(change.name)] = change.value;
    derive();
}

Outcome<SettingChange> SessionSettings::check_reset(const std::string& name) const {
    const std::string key = lower(name);
    if (const auto initial = default_of(key)) return change_to(key, *initial);
    if (key.find('.') == std::string::npos) return unknown(name);
    return SettingChange{SettingEffect::none, key, "", false};
}

std::vector<SettingChange> SessionSettings::check_reset_all() const {
    std::vector<SettingChange> changes;
    for (const auto& [key, value] : *values_) {
        const std::string target = default_of(key).value_or("");
        if (target != value) changes.push_back(change_to(key, target));
    }
    return changes;
}

std::vector<SettingChange> SessionSettings::restore(std::shared_ptr<const SettingValues> values) {
    SettingValues touched = *values_;
    touched.insert(values->begin(), values->end());
    std::vector<SettingChange> changes;
    for (const auto& [key, unused] : touched) {
        const std::string before = value(key).value_or("");
        const auto entry = values->find(key);
        const std::string target = entry != values->end() ? entry->second : default_of(key).value_or("");
        if (before != target) changes.push_back(change_to(key, target));
    }
    replace(std::move(values));
    return changes;
}

std::vector<SettingChange> SessionSettings::end_transaction(bool committed) {
    if (!at_begin_) return {};
    std::shared_ptr<const SettingValues> target = std::move(at_begin_);
    if (committed) {
        auto kept = std::make_shared<SettingValues>(*values_);
        for (const auto& [key, value] : before_local_) {
            if (!value || value == default_of(key)) {
                kept->erase(key);
            } else {
                (*kept)[key] = *value;
            }
        }
        target = std::move(kept);
    }
    at_begin_.reset();
    before_local_.clear();
    return restore(std::move(target));
}

std::optional<std::string> SessionSettings::value(const std::string& name) const {
    const std::string key = lower(name);
    {
        const std::lock_guard lock(mutex_);
        if (const auto entry = values_->find(key); entry != values_->end()) return entry->second;
    }
    return default_of(key);
}

std::chrono::milliseconds SessionSettings::duration(const std::string& name) const {
    return std::chrono::milliseconds(milliseconds(value(name).value_or("0")).value_or(0));
}

Outcome<std::pair<std::string, std::string>> SessionSettings::show(const std::string& name) const {
    const auto present = value(name);
    if (!present) return unknown(name);
    const Setting* setting = find_setting(name);
    return std::pair<std::string, std::string>(setting ? setting->name : lower(name), *present);
}

std::vector<std::pair<std::string, std::string>> SessionSettings::all() const {
    std::map<std::string, std::string> sorted;
    for (const Setting& setting : kSettings) sorted[setting.name] = value(setting.name).value_or("");
    for (const auto& [key, value] : *values_) {
        if (!find_setting(key)) sorted[key] = value;
    }
    return {sorted.begin(), sorted.end()};
}

std::vector<std::pair<std::string, std::string>> SessionSettings::of_engine() const {
    std::vector<std::pair<std::string, std::string>> changed;
    for (const Setting& setting : kSettings) {
        const std::string present = value(setting.name).value_or("");
        if (setting.effect == SettingEffect::engine && present != setting.initial)
            changed.emplace_back(setting.name, present);
    }
    return changed;
}

std::vector<std::pair<std::string, std::string>> SessionSettings::reported() const {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const Setting& setting : kSettings) {
        if (setting.reported) pairs.emplace_back(setting.name, value(setting.name).value_or(""));
    }
    return pairs;
}

void SessionSettings::make_defaults(const std::vector<std::string>& assignments, const std::set<std::string>& except) {
    for (const std::string& assignment : assignments) {
        const std::size_t equals = assignment.find('=');
        if (equals == std::string::npos) continue;
        const auto change = check(assignment.substr(0, equals), {assignment.substr(equals + 1)});
        if (change && !except.contains(change->name)) make_default(*change);
    }
}

}  // namespace boathouse::gateway
