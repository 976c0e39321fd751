// Readers of changes that are known by a name: whose they are, which table they read, and how far they have come.
//
// They lie in the schema "feed" of the box's own database, so they outlive the box's restarts, and all boxes of a
// catalog see the same. The keeper leaves the snapshots that a consumer has yet to read (policy consumer_age). A
// position only goes forward. Free functions on a connection to the box's database; blocking. Errors, beside those of
// Connection: not_found, conflict (the name is another one's), limit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "catalog/connection.hpp"
#include "feed/position.hpp"

namespace boathouse::feed {

inline constexpr int kConsumersMax = 1'000;  // of one catalog

struct Consumer {
    std::string name{};
    std::string owner{};  // a role
    long long table_number = 0;
    std::string schema{}, table{};  // as they were called when the consumer was made
    Position position{};
    std::string acknowledged_at{};  // as PostgreSQL prints it, UTC
};

// Creates what is missing; several boxes may do so at once.
Status prepare_consumers(catalog::Connection& box);

Result<std::optional<Consumer>> find_consumer(catalog::Connection& box, const std::string& name);
// Nothing happens if it is there already. Errors: limit.
Status make_consumer(catalog::Connection& box, const Consumer& consumer);
// What was read before `position` is not needed any more. A position that it has passed already changes nothing.
Status acknowledge(catalog::Connection& box, const std::string& name, const Position& position);
Status drop_consumer(catalog::Connection& box, const std::string& name);
// By name; of one owner, or all.
Result<std::vector<Consumer>> read_consumers(catalog::Connection& box, const std::string& owner = {});

// The first snapshot that a consumer has yet to read; nothing where there is no consumer.
Result<std::optional<long long>> first_unread(catalog::Connection& box);

}  // namespace boathouse::feed
