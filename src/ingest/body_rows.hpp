// Reads rows from the body of an upload: newline-delimited JSON, an array of JSON objects, CSV with a header.
//
// The readers know no table: they find texts by the names of columns (engine/text_rows.hpp). A row that cannot be read
// is a fault of its own where the next one can be found without it (a line of NDJSON, a CSV row with too many fields);
// otherwise the body fails as a whole, with the line in the message. Pure functions, any thread; memory is a few times
// the body's.
#pragma once

#include <string_view>
#include <vector>

#include "engine/query_error.hpp"
#include "engine/session.hpp"
#include "engine/text_rows.hpp"

namespace boathouse::ingest {

struct BodyRows {
    engine::TextRows rows;
    std::vector<engine::RowFault> faults{};  // at most engine::kFaultsMax of those there are
    std::uint64_t faulty = 0;

    void fault(std::uint64_t place, engine::QueryError error);
};

// One object a line; empty lines are passed over. A place is a line, from 1.
BodyRows read_ndjson(std::string_view body);

// Objects in an array. A place is an object's number, from 1. 22032: this is no JSON, and where.
engine::Outcome<BodyRows> read_json(std::string_view body);

// The first line names the columns; an empty field without quotes is NULL. A place is a row's last line, from 1.
engine::Outcome<BodyRows> read_csv(std::string_view body);

}  // namespace boathouse::ingest
