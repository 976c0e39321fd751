#include "keeper/journal.hpp"

#include "base/log.hpp"
#include "feed/consumers.hpp"

namespace boathouse::keeper {
namespace {

constexpr const char* kContents = R"sql(
SELECT pg_catalog.pg_advisory_xact_lock(7305804385);
CREATE SCHEMA IF NOT EXISTS keeper;
CREATE TABLE IF NOT EXISTS keeper.policy (
    key text NOT NULL, schema_name text NOT NULL, table_name text NOT NULL, value text NOT NULL,
    PRIMARY KEY (key, schema_name, table_name));
CREATE TABLE IF NOT EXISTS keeper.given_policy (
    key text NOT NULL, schema_name text NOT NULL, table_name text NOT NULL, value text NOT NULL, origin text NOT NULL);
CREATE TABLE IF NOT EXISTS keeper.tag (
    name text PRIMARY KEY, snapshot_id bigint NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS keeper.state (
    paused bool NOT NULL DEFAULT false, runs_wanted bigint NOT NULL DEFAULT 0, runs_done bigint NOT NULL DEFAULT 0,
    since timestamptz NOT NULL DEFAULT now(),
    activity text NOT NULL DEFAULT '', steps_done bigint NOT NULL DEFAULT 0, steps_left bigint NOT NULL DEFAULT 0);
INSERT INTO keeper.state (paused) SELECT false WHERE NOT EXISTS (SELECT FROM keeper.state);
CREATE TABLE IF NOT EXISTS keeper.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, started_at timestamptz NOT NULL, seconds float8 NOT NULL,
    job text NOT NULL, schema_name text NOT NULL, table_name text NOT NULL, why text NOT NULL, outcome text NOT NULL,
    files_before bigint NOT NULL, files_after bigint NOT NULL, bytes_before bigint NOT NULL, bytes_after bigint NOT NULL,
    rows bigint NOT NULL, error text NOT NULL);
)sql";

constexpr const char* kRunsKept = "10000";

long long number(const std::optional<std::string>& text) {
    return std::stoll(text.value_or("0"));
}

Status done(const Result<catalog::Rows>& rows) {
    return rows ? Status() : Status(rows.error());
}

}  // namespace

Status prepare_journal(catalog::Connection& box) {
    if (auto made = box.execute(kContents); !made) return made;
    return feed::prepare_consumers(box);
}

Result<Wishes> read_wishes(catalog::Connection& box) {
    auto rows = box.query("SELECT paused, runs_wanted, runs_done FROM keeper.state");
    if (!rows) return rows.error();
    const catalog::Row& row = rows->at(0);
    return Wishes{row[0] == "t", number(row[1]), number(row[2])};
}

Status set_paused(catalog::Connection& box, bool paused) {
    return done(box.query("UPDATE keeper.state SET paused = $1::bool", {paused ? "true" : "false"}));
}

Result<long long> wish_run(catalog::Connection& box) {
    auto rows = box.query("UPDATE keeper.state SET runs_wanted = runs_wanted + 1 RETURNING runs_wanted");
    if (!rows) return rows.error();
    return number(rows->at(0)[0]);
}

Status set_runs_done(catalog::Connection& box, long long reached) {
    return done(box.query("UPDATE keeper.state SET runs_done = $1::bigint", {std::to_string(reached)}));
}

Status set_activity(catalog::Connection& box, const Activity& activity) {
    return done(box.query("UPDATE keeper.state SET activity = $1, steps_done = $2::bigint, steps_left = $3::bigint",
                          {activity.text, std::to_string(activity.done), std::to_string(activity.left)}));
}

Result<Activity> read_activity(catalog::Connection& box) {
    auto rows = box.query("SELECT activity, steps_done, steps_left FROM keeper.state");
    if (!rows) return rows.error();
    const catalog::Row& row = rows->at(0);
    return Activity{row[0].value_or(""), number(row[1]), number(row[2])};
}

Status record_run(catalog::Connection& box, const Run& run, double started_at_unix) {
    auto put = box.query(
        "INSERT INTO keeper.run (started_at, seconds, job, schema_name, table_name, why, outcome, files_before, "
        "files_after, bytes_before, bytes_after, rows, error) VALUES (pg_catalog.to_timestamp($1::float8), $2::float8, "
        "$3, $4, $5, $6, $7, $8::bigint, $9::bigint, $10::bigint, $11::bigint, $12::bigint, $13)",
        {fmt::format("{:.6f}", started_at_unix), fmt::format("{:.3f}", run.seconds), run.job, run.schema, run.table,
         run.why, run.outcome, std::to_string(run.files_before), std::to_string(run.files_after),
         std::to_string(run.bytes_before), std::to_string(run.bytes_after), std::to_string(run.rows), run.error});
    if (!put) return put.error();
    return done(
        box.query("DELETE FROM keeper.run WHERE id <= (SELECT max(id) FROM keeper.run) - $1::bigint", {kRunsKept}));
}

Result<std::vector<Run>> read_runs(catalog::Connection& box, int count_max) {
    auto rows = box.query(
        "SELECT id, started_at AT TIME ZONE 'UTC', seconds, job, schema_name, table_name, why, outcome, files_before, "
        "files_after, bytes_before, bytes_after, rows, error FROM keeper.run ORDER BY id DESC LIMIT $1::int",
        {std::to_string(count_max)});
    if (!rows) return rows.error();
    std::vector<Run> runs;
    for (const catalog::Row& row : *rows) {
        runs.push_back({number(row[0]), row[1].value_or(""), std::stod(row[2].value_or("0")), row[3].value_or(""),
                        row[4].value_or(""), row[5].value_or(""), row[6].value_or(""), row[7].value_or(""),
                        number(row[8]), number(row[9]), number(row[10]), number(row[11]), number(row[12]),
                        row[13].value_or("")});
    }
    return runs;
}

Result<std::vector<std::pair<std::string, double>>> read_last_successes(catalog::Connection& box) {
    auto rows = box.query(
        "SELECT job, extract(epoch FROM max(started_at)) FROM keeper.run WHERE outcome = 'done' GROUP BY 1 ORDER BY 1");
    if (!rows) return rows.error();
    std::vector<std::pair<std::string, double>> successes;
    for (const catalog::Row& row : *rows) successes.emplace_back(*row[0], std::stod(*row[1]));
    return successes;
}

Result<double> read_orphans_looked_for(catalog::Connection& box) {
    auto rows = box.query(
        "SELECT extract(epoch FROM GREATEST(since, (SELECT max(started_at) FROM keeper.run WHERE job = 'orphans'))) "
        "FROM keeper.state");
    if (!rows) return rows.error();
    return std::stod(rows->at(0)[0].value_or("0"));
}

Status create_tag(catalog::Connection& box, const std::string& name, long long snapshot) {
    if (name.find_first_not_of(' ') == std::string::npos)
        return Error{ErrorKind::configuration, "a tag needs a name", "Give one such as before-migration.", ""};
    auto put = box.query(
        "INSERT INTO keeper.tag (name, snapshot_id) VALUES ($1, $2::bigint) ON CONFLICT DO NOTHING RETURNING name",
        {name, std::to_string(snapshot)});
    if (!put) return put.error();
    if (!put->empty()) return {};
    return Error{ErrorKind::conflict, fmt::format("there is a tag \"{}\" already", name),
                 fmt::format("Drop it with `boathouse tag drop {}`, or take another name.", name), ""};
}

Status drop_tag(catalog::Connection& box, const std::string& name) {
    auto dropped = box.query("DELETE FROM keeper.tag WHERE name = $1 RETURNING name", {name});
    if (!dropped) return dropped.error();
    if (!dropped->empty()) return {};
    return Error{ErrorKind::not_found, fmt::format("there is no tag \"{}\"", name),
                 "`boathouse tag list` shows those that are there.", ""};
}

Result<std::vector<Tag>> read_tags(catalog::Connection& box) {
    auto rows = box.query("SELECT name, snapshot_id, created_at AT TIME ZONE 'UTC' FROM keeper.tag ORDER BY 2, 1");
    if (!rows) return rows.error();
    std::vector<Tag> tags;
    for (const catalog::Row& row : *rows) tags.push_back({*row[0], number(row[1]), row[2].value_or("")});
    return tags;
}

Result<Kept> read_kept(catalog::Connection& box) {
    auto tags = read_tags(box);
    if (!tags) return tags.error();
    const auto unread = feed::first_unread(box);
    if (!unread) return unread.error();
    return Kept{std::move(*tags), *unread};
}

}  // namespace boathouse::keeper
