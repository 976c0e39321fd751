#include "keeper/policy.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/log.hpp"
#include "keeper/day_window.hpp"

namespace boathouse::keeper {
namespace {

constexpr std::string_view kOff = "off";

struct Unit {
    std::string_view name;
    double factor;
};
constexpr std::array<Unit, 7> kDurations{{{"second", 1},
                                          {"minute", 60},
                                          {"hour", 3600},
                                          {"day", 86400},
                                          {"week", 7 * 86400},
                                          {"month", 30 * 86400},
                                          {"year", 365 * 86400.0}}};
constexpr std::array<Unit, 9> kSizes{{{"", 1},
                                      {"b", 1},
                                      {"kb", 1e3},
                                      {"mb", 1e6},
                                      {"gb", 1e9},
                                      {"kib", 1024.0},
                                      {"mib", 1048576.0},
                                      {"gib", 1073741824.0},
                                      {"bytes", 1}}};

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

void skip_spaces(std::string_view& text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

// Takes a number off the front.
std::optional<double> take_number(std::string_view& text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    skip_spaces(text);
    return number;
}

std::string take_word(std::string_view& text) {
    std::size_t length = 0;
    while (length < text.size() && std::isalpha(static_cast<unsigned char>(text[length])) != 0) ++length;
    std::string word = lower(text.substr(0, length));
    text.remove_prefix(length);
    skip_spaces(text);
    return word;
}

std::optional<double> parse_plain(std::string_view text) {
    const auto number = take_number(text);
    return text.empty() ? number : std::nullopt;
}

const char* kind_example(PolicyKind kind) {
    switch (kind) {
        case PolicyKind::duration:
            return "a duration such as '7 days' or '12 hours'";
        case PolicyKind::bytes:
            return "a size such as 128MB";
        case PolicyKind::count:
            return "a whole number above 0";
        case PolicyKind::fraction:
            return "a fraction between 0 and 1, such as 0.25";
        case PolicyKind::window:
            return "hours of the day in UTC, such as 22:00-06:00";
    }
    return "";
}

Error unknown_policy(std::string_view key) {
    std::string names;
    for (const PolicyRow& row : policy_rows()) names += (names.empty() ? "" : ", ") + std::string(row.key);
    return {ErrorKind::configuration, fmt::format("there is no policy \"{}\"", key), "Policies: " + names + ".", ""};
}

// Where DuckLake keeps an option: its scope's name and the schema's or table's number; nullopt for the lake.
struct LakeScope {
    std::optional<std::string> name;
    std::optional<std::string> id;
};

Result<LakeScope> find_scope(catalog::Connection& lake, const Scope& scope) {
    if (scope.schema.empty()) return LakeScope{};
    auto rows = scope.table.empty()
                    ? lake.query(
                          "SELECT schema_id FROM public.ducklake_schema WHERE end_snapshot IS NULL AND "
                          "schema_name = $1",
                          {scope.schema})
                    : lake.query(
                          "SELECT t.table_id FROM public.ducklake_table t JOIN public.ducklake_schema s "
                          "ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL "
                          "WHERE t.end_snapshot IS NULL AND s.schema_name = $1 AND t.table_name = $2",
                          {scope.schema, scope.table});
    if (!rows) return rows.error();
    if (rows->empty()) return Error{ErrorKind::not_found, "the lake has no " + to_text(scope), "", ""};
    return LakeScope{scope.table.empty() ? "schema" : "table", rows->front().front()};
}

Status remove_lake_option(catalog::Connection& lake, const PolicyRow& row, const LakeScope& scope) {
    if (row.lake_option.empty()) return {};
    auto removed = lake.query(
        "DELETE FROM public.ducklake_metadata WHERE key = $1 AND scope IS NOT DISTINCT FROM $2 "
        "AND scope_id IS NOT DISTINCT FROM $3::bigint",
        {std::string(row.lake_option), scope.name, scope.id});
    return removed ? Status() : Status(removed.error());
}

Status remove_box_row(catalog::Connection& box, std::string_view key, const Scope& scope) {
    auto removed = box.query("DELETE FROM keeper.policy WHERE key = $1 AND schema_name = $2 AND table_name = $3",
                             {std::string(key), scope.schema, scope.table});
    return removed ? Status() : Status(removed.error());
}

// As DuckLake stores it: sizes in bytes.
std::string stored_text(const PolicyRow& row, const std::string& value) {
    if (row.kind != PolicyKind::bytes) return value;
    return fmt::format("{:.0f}", *parse_bytes(value));
}

Status put_lake_option(catalog::Connection& lake, const PolicyRow& row, const LakeScope& scope,
                       const std::string& value) {
    if (auto removed = remove_lake_option(lake, row, scope); !removed) return removed;
    auto put = lake.query("INSERT INTO public.ducklake_metadata (key, value, scope, scope_id) VALUES ($1, $2, $3, $4)",
                          {std::string(row.lake_option), stored_text(row, value), scope.name, scope.id});
    return put ? Status() : Status(put.error());
}

Status check(const PolicySetting& setting) {
    const PolicyRow* row = find_policy(setting.key);
    if (row == nullptr) return unknown_policy(setting.key);
    if (row->lake_wide && !setting.scope.schema.empty()) {
        return Error{ErrorKind::configuration,
                     fmt::format("{} is the whole lake's: a snapshot is of all tables", row->key),
                     "Set it without naming a schema or a table.", ""};
    }
    if (setting.value == kOff) return {};
    if (auto parsed = parse_policy(*row, setting.value); !parsed) return parsed.error();
    return {};
}

}  // namespace

const std::vector<PolicyRow>& policy_rows() {
    static const std::vector<PolicyRow> kRows{
        {"snapshot_age", PolicyKind::duration, true, "expire_older_than", "30 days",
         "Snapshots older than this end; the newest and those with a tag stay."},
        {"snapshots_max", PolicyKind::count, true, "", "100000", "Of more snapshots than this the oldest end."},
        {"target_file_size", PolicyKind::bytes, false, "target_file_size", "512MB", "Size that merging aims at."},
        {"merge_files", PolicyKind::count, false, "", "16",
         "So many files of one size class (a factor of 16) are merged into one."},
        {"flush_rows", PolicyKind::count, false, "", "10000",
         "So many rows that are kept in the catalog are written into a data file."},
        {"flush_age", PolicyKind::duration, false, "", "1 hour", "Rows are kept in the catalog so long at most."},
        {"rewrite_deleted", PolicyKind::fraction, false, "rewrite_delete_threshold", "0.25",
         "A file of which this part is deleted is written anew."},
        {"cleanup_age", PolicyKind::duration, true, "delete_older_than", "2 days",
         "Files that no snapshot refers to are deleted after so long."},
        {"orphan_age", PolicyKind::duration, true, "", "7 days",
         "Files that the catalog has never known are deleted when they are older than this; longer than the longest "
         "transaction."},
        {"backup_retention", PolicyKind::duration, true, "", "off",
         "No file is deleted that has been referred to within this time, whatever the other policies say."},
        {"consumer_age", PolicyKind::duration, true, "", "60 days",
         "Snapshots that a consumer of changes has yet to read stay until they are older than this; off: they end as "
         "others do."},
        {"window", PolicyKind::window, true, "", "off",
         "Hours of the day, in UTC, in which the keeper works by itself: 22:00-06:00; off: at all."},
    };
    return kRows;
}

const PolicyRow* find_policy(std::string_view key) {
    for (const PolicyRow& row : policy_rows()) {
        if (row.key == key) return &row;
    }
    return nullptr;
}

std::optional<double> parse_duration(std::string_view text) {
    double seconds = 0;
    skip_spaces(text);
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        const auto number = take_number(text);
        std::string word = take_word(text);
        if (word.size() > 1 && word.back() == 's') word.pop_back();
        const auto* unit =
            std::find_if(kDurations.begin(), kDurations.end(), [&](const Unit& u) { return u.name == word; });
        if (!number || unit == kDurations.end()) return std::nullopt;
        seconds += *number * unit->factor;
    }
    return seconds;
}

std::optional<double> parse_bytes(std::string_view text) {
    skip_spaces(text);
    const auto number = take_number(text);
    const std::string word = take_word(text);
    const auto* unit = std::find_if(kSizes.begin(), kSizes.end(), [&](const Unit& u) { return u.name == word; });
    if (!number || !text.empty() || unit == kSizes.end()) return std::nullopt;
    return *number * unit->factor;
}

Result<double> parse_policy(const PolicyRow& row, std::string_view text) {
    std::optional<double> number;
    switch (row.kind) {
        case PolicyKind::duration:
            number = parse_duration(text);
            break;
        case PolicyKind::bytes:
            number = parse_bytes(text);
            if (number && *number < 1) number.reset();
            break;
        case PolicyKind::count:
            number = parse_plain(text);
            if (number && (*number < 1 || *number != std::floor(*number))) number.reset();
            break;
        case PolicyKind::fraction:
            number = parse_plain(text);
            if (number && *number > 1) number.reset();
            break;
        case PolicyKind::window:
            if (parse_day_window(text)) number = 0;
            break;
    }
    if (number) return *number;
    return Error{ErrorKind::configuration, fmt::format("{} cannot be \"{}\"", row.key, text),
                 fmt::format("Give {}, or off.", kind_example(row.kind)), ""};
}

std::string to_text(const Scope& scope) {
    if (scope.schema.empty()) return "lake";
    return scope.table.empty() ? "schema " + scope.schema : "table " + scope.schema + "." + scope.table;
}

std::string Policies::text(std::string_view key, const Scope& scope) const {
    for (const Scope& level : {scope, Scope{scope.schema}, Scope{}}) {
        for (const PolicySetting& setting : settings_) {
            if (setting.key == key && setting.scope == level) return setting.value;
        }
    }
    const PolicyRow* row = find_policy(key);
    return std::string(row == nullptr ? kOff : row->default_text);
}

std::optional<double> Policies::value(std::string_view key, const Scope& scope) const {
    const std::string found = text(key, scope);
    const PolicyRow* row = find_policy(key);
    if (row == nullptr || found == kOff) return std::nullopt;
    const auto parsed = parse_policy(*row, found);
    return parsed ? std::optional(*parsed) : std::nullopt;
}

Result<Policies> read_policies(Databases databases) {
    auto own = databases.box.query("SELECT key, schema_name, table_name, value FROM keeper.policy");
    if (!own) return own.error();
    std::vector<PolicySetting> settings;
    for (const catalog::Row& row : *own) settings.push_back({*row[0], {*row[1], *row[2]}, *row[3]});
    auto options = databases.lake.query(
        "SELECT m.key, coalesce(s.schema_name, ts.schema_name, ''), coalesce(t.table_name, ''), m.value "
        "FROM public.ducklake_metadata m "
        "LEFT JOIN public.ducklake_schema s ON m.scope = 'schema' AND s.schema_id = m.scope_id AND s.end_snapshot IS "
        "NULL "
        "LEFT JOIN public.ducklake_table t ON m.scope = 'table' AND t.table_id = m.scope_id AND t.end_snapshot IS NULL "
        "LEFT JOIN public.ducklake_schema ts ON ts.schema_id = t.schema_id AND ts.end_snapshot IS NULL "
        "WHERE m.scope IS NULL OR s.schema_id IS NOT NULL OR t.table_id IS NOT NULL");
    if (!options) return options.error();
    for (const PolicyRow& policy : policy_rows()) {
        for (const catalog::Row& row : *options) {
            // After the box's own rows: an `off` there counts.
            if (!policy.lake_option.empty() && *row[0] == policy.lake_option)
                settings.push_back({std::string(policy.key), {*row[1], *row[2]}, row[3].value_or("")});
        }
    }
    return Policies(std::move(settings));
}

Status set_policy(Databases databases, const PolicySetting& setting) {
    if (auto checked = check(setting); !checked) return checked;
    const PolicyRow& row = *find_policy(setting.key);
    auto scope = find_scope(databases.lake, setting.scope);
    if (!scope) return scope.error();
    if (setting.value != kOff && !row.lake_option.empty()) {
        if (auto put = put_lake_option(databases.lake, row, *scope, setting.value); !put) return put;
        return remove_box_row(databases.box, row.key, setting.scope);
    }
    auto put = databases.box.query(
        "INSERT INTO keeper.policy (key, schema_name, table_name, value) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (key, schema_name, table_name) DO UPDATE SET value = excluded.value",
        {setting.key, setting.scope.schema, setting.scope.table, setting.value});
    if (!put) return put.error();
    return remove_lake_option(databases.lake, row, *scope);
}

Status unset_policy(Databases databases, std::string_view key, const Scope& scope) {
    const PolicyRow* row = find_policy(key);
    if (row == nullptr) return unknown_policy(key);
    if (auto removed = remove_box_row(databases.box, key, scope); !removed) return removed;
    auto lake_scope = find_scope(databases.lake, scope);
    if (!lake_scope) return lake_scope.error();
    return remove_lake_option(databases.lake, *row, *lake_scope);
}

}  // namespace boathouse::keeper
