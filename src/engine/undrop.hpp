// A dropped table or schema, brought back as it was: columns with types, NOT NULL and defaults, keys of partitions and
// sorting, comments, options, and the rows; a schema's views and macros too.
//
// One transaction, a new snapshot; the options, which belong to no snapshot, follow in another. The rows are read as of
// the last snapshot that has them and written anew, so the change feed of what comes back begins anew. Privileges are
// not the lake's to keep. Any thread. Errors: conflict (somebody took the name meanwhile), internal, in DuckDB's words.
#pragma once

#include <vector>

#include "base/error.hpp"
#include "catalog/dropped.hpp"

namespace boathouse::engine {

class Lake;

// The number of rows of each object; of a view or macro 0.
Result<std::vector<long long>> undrop(Lake& lake, const catalog::Dropped& dropped);

}  // namespace boathouse::engine
