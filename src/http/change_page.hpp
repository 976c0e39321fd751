// One page of a table's changes: read by the engine as the caller, complete in a file before its first line is sent.
//
// Each snapshot is read by itself with DuckLake's table_changes, as the table was called and looked then: over several
// at once, table_changes tells updates wrongly once files have been rewritten. A page is made on a thread of the SQL
// door's and blocks on the catalog and the store; the file is removed with the page's last owner.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "engine/query_error.hpp"
#include "feed/table_log.hpp"
#include "http/api.hpp"

namespace boathouse::http {

struct ChangePage {
    std::string file{};  // empty: no changes. Else NDJSON; each line begins with {"cursor":"17.4",
    std::shared_ptr<void> keeps{};
    feed::Position reaches{};  // with this page read, everything before has been
};

// What to read, and who.
struct ChangeReader {
    feed::TableId table{};
    feed::Position position{};
};

// Reads on from the reader's position; `changes_max` lines at most. A response says what is wrong: 410 if changes are
// gone.
std::variant<ChangePage, Response> read_changes(ApiState& state, const Request& request, const ChangeReader& reader,
                                                long long changes_max);

// Whether the caller may read the table at all; nullopt: yes.
std::optional<Response> refuse_reader(ApiState& state, const Request& request, const feed::TableId& table);

// The cursor of a line; empty: it has none.
std::string cursor_of(std::string_view line);

// What went wrong with the catalog, as the answer to a request.
Response catalog_problem(const Error& error);

}  // namespace boathouse::http
