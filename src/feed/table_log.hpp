// Which snapshots changed a table, and what it was called and looked like then: read from the catalog by SQL alone.
//
// A table is followed by its number, through renames and changes of its columns. What the keeper does to its files is
// no change. Free functions on a connection to the lake's database; blocking. Errors, beside those of Connection:
// not_found (no such table, or dropped), and Gone.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "feed/position.hpp"

namespace boathouse::feed {

struct TableId {
    long long number = 0;
    std::string schema{}, table{};  // as the lake calls them now
};

// The table of that name; "public" is the lake's main schema where it has none of that name. not_found says in which
// snapshot it was dropped, if it was.
Result<TableId> find_table(catalog::Connection& lake, const std::string& schema, const std::string& table);

// One snapshot that changed the table's rows.
struct ChangedSnapshot {
    long long number = 0;
    std::string schema{}, table{};
    std::vector<std::string> columns{};
};

// The part of a table's changes to read next.
struct Span {
    std::vector<ChangedSnapshot> snapshots{};
    Position reaches{};     // with those read, everything before this has been
    std::string gone{};     // not empty: there is no reading on, and why
    long long oldest = -1;  // … but from here on (as `since`) there is
};

// Of a position beyond the lake's newest snapshot.
Error in_the_future(const Position& position, long long newest);

// At most 64 snapshots, and no more than it takes to come to `rows_wanted` changes, as far as the catalog tells.
// Errors: configuration (the position lies in the future), not_found (the table is dropped, and all of it is read).
Result<Span> next_span(catalog::Connection& lake, const TableId& table, const Position& position,
                       long long rows_wanted);

}  // namespace boathouse::feed
