// What PostgreSQL's snapshots see, by the text of pg_current_snapshot(), "xmin:xmax:xip,…"
// (https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT): all transactions before xmax but
// those of the list, in whatever database of the server. Two snapshots of the same text see the same rows.
#pragma once

#include <cstdint>
#include <string>

namespace boathouse::catalog {

// The snapshot that sees what `snapshot` does, the committed `transaction`, which got its number later, and nothing
// else. Empty: it cannot be told.
std::string snapshot_with(const std::string& snapshot, std::uint64_t transaction);

}  // namespace boathouse::catalog
