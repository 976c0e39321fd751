#include "engine/table_changes.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace boathouse::engine {
namespace {

// Each is followed by a table's number. What else there is names tables, views and macros, and changes the schema.
constexpr std::string_view kOfRows[] = {"inserted_into_table", "deleted_from_table", "inlined_insert",
                                        "inlined_delete"};
constexpr std::string_view kOfFiles[] = {"compacted_table", "merge_adjacent", "rewrite_delete", "inline_flush",
                                         "flushed_inlined"};

bool add_change(TableChanges& changes, std::string_view change, bool is_keepers) {
    const auto colon = change.find(':');
    if (colon == std::string_view::npos) return false;
    const auto is_among = [&](const auto& kinds) { return std::ranges::count(kinds, change.substr(0, colon)) > 0; };
    const bool is_of_files = is_among(kOfFiles);
    if (!is_of_files && !is_among(kOfRows)) return false;
    const std::string_view digits = change.substr(colon + 1);
    long long number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return false;
    if (!is_of_files || !is_keepers) changes.tables.insert(number);
    return true;
}

}  // namespace

void add_changes(TableChanges& changes, std::string_view changes_made, bool is_keepers) {
    while (!changes_made.empty()) {
        const auto comma = std::min(changes_made.find(','), changes_made.size());
        if (!add_change(changes, changes_made.substr(0, comma), is_keepers)) changes.is_more = true;
        changes_made.remove_prefix(std::min(comma + 1, changes_made.size()));
    }
}

}  // namespace boathouse::engine
