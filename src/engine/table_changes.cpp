#include "engine/table_changes.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace boathouse::engine {
namespace {

// Each is followed by a table's number. What else there is names tables, views and macros, and changes the schema.
constexpr std::string_view kOfRows[] = {"inserted_into_table", "deleted_from_table", "compacted_table",
                                        "merge_adjacent",      "rewrite_delete",     "inlined_insert",
                                        "inlined_delete",      "inline_flush",       "flushed_inlined"};

bool add_change(TableChanges& changes, std::string_view change) {
    const auto colon = change.find(':');
    if (colon == std::string_view::npos) return false;
    if (std::find(std::begin(kOfRows), std::end(kOfRows), change.substr(0, colon)) == std::end(kOfRows)) return false;
    const std::string_view digits = change.substr(colon + 1);
    long long number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size()) return false;
    changes.tables.insert(number);
    return true;
}

}  // namespace

void add_changes(TableChanges& changes, std::string_view changes_made) {
    while (!changes_made.empty()) {
        const auto comma = std::min(changes_made.find(','), changes_made.size());
        if (!add_change(changes, changes_made.substr(0, comma))) changes.is_more = true;
        changes_made.remove_prefix(std::min(comma + 1, changes_made.size()));
    }
}

}  // namespace boathouse::engine
