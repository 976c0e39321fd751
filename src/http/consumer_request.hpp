// /v1/consumers: readers of changes that are known by a name, for the user that they belong to.
//
// The handlers answer on the SQL door's threads and block on the box's own database. Where the box has none (an
// external catalog whose role may not create it) there are no consumers: 501.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "feed/table_log.hpp"
#include "http/api.hpp"

namespace boathouse::http {

inline constexpr std::size_t kConsumerNameBytesMax = 63;

// Where the consumer reads on: at `since`, which acknowledges what was before, or where it was. One that is not known
// yet is made, and begins at `since`, or now. A response says why not: it is another user's, or reads another table.
std::variant<feed::Position, Response> take_up_consumer(ApiState& state, const gateway::Caller& caller,
                                                        const std::string& name, const feed::TableId& table,
                                                        const std::optional<feed::Position>& since);

}  // namespace boathouse::http
