#include "feed/consumers.hpp"

#include "base/log.hpp"

namespace boathouse::feed {
namespace {

constexpr const char* kContents = R"sql(
SELECT pg_catalog.pg_advisory_xact_lock(7305804386);
CREATE SCHEMA IF NOT EXISTS feed;
CREATE TABLE IF NOT EXISTS feed.consumer (
    name text PRIMARY KEY, owner text NOT NULL, table_id bigint NOT NULL, schema_name text NOT NULL,
    table_name text NOT NULL, next_snapshot bigint NOT NULL, told bigint NOT NULL,
    acknowledged_at timestamptz NOT NULL DEFAULT now());
)sql";

constexpr const char* kRead =
    "SELECT name, owner, table_id, schema_name, table_name, next_snapshot, told, "
    "pg_catalog.date_trunc('second', acknowledged_at AT TIME ZONE 'UTC') FROM feed.consumer ";

Consumer consumer_of(const catalog::Row& row) {
    const auto number = [&](std::size_t column) { return std::stoll(row[column].value_or("0")); };
    return {row[0].value_or(""), row[1].value_or(""),    number(2),          row[3].value_or(""),
            row[4].value_or(""), {number(5), number(6)}, row[7].value_or("")};
}

Error no_such(const std::string& name) {
    return {ErrorKind::not_found, fmt::format("there is no consumer \"{}\"", name), "", ""};
}

}  // namespace

Status prepare_consumers(catalog::Connection& box) {
    return box.execute(kContents);
}

Result<std::optional<Consumer>> find_consumer(catalog::Connection& box, const std::string& name) {
    auto rows = box.query(std::string(kRead) + "WHERE name = $1", {name});
    if (!rows) return rows.error();
    if (rows->empty()) return std::optional<Consumer>();
    return std::optional(consumer_of(rows->front()));
}

Status make_consumer(catalog::Connection& box, const Consumer& consumer) {
    auto made = box.query(
        "INSERT INTO feed.consumer (name, owner, table_id, schema_name, table_name, next_snapshot, told) "
        "SELECT $1, $2, $3::bigint, $4, $5, $6::bigint, $7::bigint "
        "WHERE (SELECT count(*) FROM feed.consumer) < $8::bigint ON CONFLICT DO NOTHING RETURNING name",
        {consumer.name, consumer.owner, std::to_string(consumer.table_number), consumer.schema, consumer.table,
         std::to_string(consumer.position.snapshot), std::to_string(consumer.position.told),
         std::to_string(kConsumersMax)});
    if (!made) return made.error();
    if (!made->empty()) return {};
    auto found = find_consumer(box, consumer.name);
    if (!found) return found.error();
    if (*found) return {};
    return Error{ErrorKind::limit, fmt::format("there are {} consumers already", kConsumersMax),
                 "Drop those that nobody reads with any more: boathouse consumer list.", ""};
}

Status acknowledge(catalog::Connection& box, const std::string& name, const Position& position) {
    auto done = box.query(
        "UPDATE feed.consumer SET acknowledged_at = pg_catalog.now(), "
        "next_snapshot = CASE WHEN ahead THEN $2::bigint ELSE next_snapshot END, "
        "told = CASE WHEN ahead THEN $3::bigint ELSE told END "
        "FROM (SELECT name AS named, (next_snapshot, told) < ($2::bigint, $3::bigint) AS ahead FROM feed.consumer "
        "WHERE name = $1 FOR UPDATE) AS seen WHERE name = named RETURNING name",
        {name, std::to_string(position.snapshot), std::to_string(position.told)});
    if (!done) return done.error();
    return done->empty() ? Status(no_such(name)) : Status();
}

Status drop_consumer(catalog::Connection& box, const std::string& name) {
    auto done = box.query("DELETE FROM feed.consumer WHERE name = $1 RETURNING name", {name});
    if (!done) return done.error();
    return done->empty() ? Status(no_such(name)) : Status();
}

Result<std::vector<Consumer>> read_consumers(catalog::Connection& box, const std::string& owner) {
    auto rows = box.query(std::string(kRead) + "WHERE $1 IN ('', owner) ORDER BY name", {owner});
    if (!rows) return rows.error();
    std::vector<Consumer> consumers;
    for (const catalog::Row& row : *rows) consumers.push_back(consumer_of(row));
    return consumers;
}

Result<std::optional<long long>> first_unread(catalog::Connection& box) {
    auto rows = box.query("SELECT min(next_snapshot) FROM feed.consumer");
    if (!rows) return rows.error();
    const auto& number = rows->at(0)[0];
    return number ? std::optional(std::stoll(*number)) : std::nullopt;
}

}  // namespace boathouse::feed
