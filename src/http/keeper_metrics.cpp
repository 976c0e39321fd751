#include "http/keeper_metrics.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "catalog/box_database.hpp"
#include "feed/consumers.hpp"
#include "keeper/journal.hpp"
#include "keeper/survey.hpp"

namespace boathouse::http {
namespace {

// Small: what a merge of the first two size classes of a megabyte's order takes in.
constexpr const char* kLake =
    "SELECT (SELECT count(*) FROM public.ducklake_data_file WHERE end_snapshot IS NULL AND file_size_bytes < 1048576),"
    " (SELECT count(DISTINCT data_file_id) FROM public.ducklake_delete_file WHERE end_snapshot IS NULL),"
    " (SELECT count(*) FROM public.ducklake_data_file WHERE end_snapshot IS NOT NULL),"
    " (SELECT coalesce(sum(file_size_bytes), 0) FROM public.ducklake_data_file WHERE end_snapshot IS NOT NULL),"
    " (SELECT extract(epoch FROM now() - min(snapshot_time::timestamptz)) FROM public.ducklake_snapshot)";

double value(const catalog::Row& row, std::size_t column) {
    return std::stod(row.at(column).value_or("0"));
}

Result<catalog::Connection> open(const Result<catalog::Endpoint>& endpoint) {
    if (!endpoint) return endpoint.error();
    auto opened = catalog::Connection::open(*endpoint, std::chrono::seconds(3));
    if (!opened) return opened.error();
    if (auto limited = opened->execute("SET statement_timeout = '5s'"); !limited) return limited.error();
    return opened;
}

}  // namespace

Status KeeperMetrics::connect() {
    if (lake_ && box_) return {};
    auto lake = open(catalog::lake_endpoint(settings_));
    if (!lake) return lake.error();
    auto box = open(catalog::box_database_endpoint(settings_));
    if (!box) return box.error();
    if (auto prepared = keeper::prepare_journal(*box); !prepared) return prepared;
    lake_ = std::move(*lake);
    box_ = std::move(*box);
    return {};
}

void KeeperMetrics::add_to(Exposition& exposition) {
    Exposition read;  // joins the scrape whole or not at all
    auto status = connect();
    if (status) status = add_lake(read);
    if (status) status = add_successes(read);
    if (status) status = add_consumers(read);
    if (status) return exposition.append(read);
    lake_.reset();
    box_.reset();
    log_debug("http", "the keeper's metrics cannot be read: {}", status.error().message);
}

Status KeeperMetrics::add_lake(Exposition& exposition) {
    const auto rows = lake_->query(kLake);
    if (!rows) return rows.error();
    const auto& row = rows->at(0);
    exposition.gauge("boathouse_lake_small_files", "Data files of the newest snapshot that are smaller than 1 MiB.",
                     value(row, 0));
    exposition.gauge("boathouse_lake_files_with_deletes",
                     "Data files of the newest snapshot of which rows are deleted.", value(row, 1));
    exposition.gauge("boathouse_lake_superseded_files", "Data files that only older snapshots refer to.",
                     value(row, 2));
    exposition.gauge("boathouse_lake_superseded_bytes", "Size of the files that only older snapshots refer to.",
                     value(row, 3));
    exposition.gauge("boathouse_lake_oldest_snapshot_age_seconds", "Age of the oldest snapshot that is kept.",
                     value(row, 4));
    return {};
}

Status KeeperMetrics::add_successes(Exposition& exposition) {
    const auto successes = keeper::read_last_successes(*box_);
    if (!successes) return successes.error();
    for (const auto& [job, at] : *successes) {
        exposition.gauge("boathouse_keeper_last_success_seconds",
                         "When the keeper last took a step of a kind, in seconds since 1970.", at, {{"job", job}});
    }
    return {};
}

Status KeeperMetrics::add_consumers(Exposition& exposition) {
    const auto newest = keeper::newest_snapshot(*lake_);
    if (!newest) return newest.error();
    const auto consumers = feed::read_consumers(*box_);
    if (!consumers) return consumers.error();
    for (const feed::Consumer& one : *consumers) {
        exposition.gauge(
            "boathouse_consumer_lag_snapshots", "Snapshots of the lake that a consumer of changes has yet to read.",
            static_cast<double>(std::max(0LL, *newest + 1 - one.position.snapshot)), {{"consumer", one.name}});
    }
    return {};
}

}  // namespace boathouse::http
