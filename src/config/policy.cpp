#include "config/policy.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/log.hpp"
#include "config/day_window.hpp"
#include "config/load.hpp"
#include "config/options.hpp"
#include "config/suggestion.hpp"

namespace boathouse::config {
namespace {

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

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
    return text;
}

// A name off the front, quoted or up to one of ` .;="`; nothing where there is none.
std::optional<std::string> take_name(std::string_view& text) {
    std::string name;
    if (text.empty() || text.front() != '"') {
        const auto length = std::min(text.find_first_of(" \t\r\n.;=\""), text.size());
        name = text.substr(0, length);
        text.remove_prefix(length);
    } else {
        text.remove_prefix(1);
        while (true) {
            const auto quote = text.find('"');
            if (quote == std::string_view::npos) return std::nullopt;
            name += text.substr(0, quote);
            text.remove_prefix(quote + 1);
            if (text.empty() || text.front() != '"') break;
            name += '"';
            text.remove_prefix(1);
        }
    }
    return name.empty() ? std::nullopt : std::optional(name);
}

// Names with dots between them, and what follows them left in `text`; empty where something is no name.
std::vector<std::string> take_path(std::string_view& text) {
    std::vector<std::string> path;
    while (true) {
        auto name = take_name(text);
        if (!name) return {};
        path.push_back(std::move(*name));
        if (text.empty() || text.front() != '.') return path;
        text.remove_prefix(1);
    }
}

std::string quoted(const std::string& name) {
    if (name.find_first_of(" \t\r\n.;=\"") == std::string::npos) return name;
    std::string out = "\"";
    for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
}

std::string path_of(const PolicySetting& setting) {
    return quoted(setting.scope.schema) + "." + (setting.scope.table.empty() ? "" : quoted(setting.scope.table) + ".") +
           setting.key;
}

Error not_an_entry(std::string_view entry) {
    return {ErrorKind::configuration,
            fmt::format("'{}' is no policy of a schema or a table, as sales.orders.merge_files = off is", entry), "",
            ""};
}

Result<PolicySetting> take_entry(std::string_view& text) {
    const std::string_view entry = text.substr(0, text.find(';'));
    auto path = take_path(text);
    text = trimmed(text);
    if (path.size() < 2 || path.size() > 3 || text.empty() || text.front() != '=') return not_an_entry(entry);
    text.remove_prefix(1);
    const auto end = std::min(text.find(';'), text.size());
    PolicySetting setting{.key = path.back(),
                          .scope = {path[0], path.size() == 3 ? path[1] : ""},
                          .value = std::string(trimmed(text.substr(0, end)))};
    text.remove_prefix(std::min(end + 1, text.size()));
    if (auto checked = check_policy(setting); !checked) return checked.error();
    return setting;
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

std::vector<std::string> policy_names() {
    std::vector<std::string> names;
    for (const PolicyRow& row : policy_rows()) names.emplace_back(row.key);
    return names;
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

const char* policy_example(PolicyKind kind) {
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
                 fmt::format("Give {}, or off.", policy_example(row.kind)), ""};
}

std::string to_text(const Scope& scope) {
    if (scope.schema.empty()) return "lake";
    return scope.table.empty() ? "schema " + quoted(scope.schema)
                               : "table " + quoted(scope.schema) + "." + quoted(scope.table);
}

std::optional<Scope> parse_scope(std::string_view text) {
    auto path = take_path(text);
    if (path.empty() || path.size() > 2 || !text.empty()) return std::nullopt;
    return Scope{path[0], path.size() == 2 ? path[1] : ""};
}

Status check_policy(const PolicySetting& setting) {
    const PolicyRow* row = find_policy(setting.key);
    if (row == nullptr) {
        std::string names;
        for (const std::string& name : policy_names()) names += (names.empty() ? "" : ", ") + name;
        return Error{ErrorKind::configuration,
                     fmt::format("there is no policy \"{}\"{}", setting.key, did_you_mean(setting.key, policy_names())),
                     "Policies: " + names + ".", ""};
    }
    if (row->lake_wide && !setting.scope.schema.empty()) {
        return Error{ErrorKind::configuration,
                     fmt::format("{} is the whole lake's: a snapshot is of all tables", row->key),
                     "Set it without naming a schema or a table.", ""};
    }
    if (setting.value == kPolicyOff) return {};
    if (auto parsed = parse_policy(*row, setting.value); !parsed) return parsed.error();
    return {};
}

Result<std::vector<PolicySetting>> parse_policy_list(std::string_view text) {
    std::vector<PolicySetting> settings;
    for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
        auto setting = take_entry(text);
        if (!setting) return setting.error();
        for (const PolicySetting& other : settings) {
            if (other.key == setting->key && other.scope == setting->scope) {
                return Error{ErrorKind::configuration, path_of(other) + " is given twice", "", ""};
            }
        }
        settings.push_back(std::move(*setting));
    }
    return settings;
}

std::string to_policy_list(const std::vector<PolicySetting>& settings) {
    std::string out;
    for (const PolicySetting& setting : settings)
        out += (out.empty() ? "" : "; ") + path_of(setting) + " = " + setting.value;
    return out;
}

std::string policy_origin_key(const PolicySetting& setting) {
    return "policy." + path_of(setting);
}

std::vector<PolicySetting> given_policies(const Loaded& loaded) {
    std::vector<PolicySetting> given;
    const auto origin_of = [&](const std::string& key) {
        const auto found = loaded.origins.find(key);
        return found == loaded.origins.end() ? std::string("default") : found->second;
    };
    for (const PolicyRow& row : policy_rows()) {
        const Option* option = find_option(row.key);
        const std::string origin = origin_of(std::string(row.key));
        if (option == nullptr || origin == "default") continue;
        given.push_back({std::string(row.key), {}, get_value(*option, loaded.settings), origin});
    }
    auto list = parse_policy_list(loaded.settings.policy);
    if (!list) return given;  // load() has told
    for (PolicySetting& setting : *list) {
        const std::string place = origin_of(policy_origin_key(setting));
        setting.origin = place == "default" ? origin_of("policy") : place;
        given.push_back(std::move(setting));
    }
    return given;
}

}  // namespace boathouse::config
