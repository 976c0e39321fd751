#include "http/metrics.hpp"

#include "config/version.hpp"
#include "http/process_metrics.hpp"
#include "http/server.hpp"
#include "supervisor/state.hpp"

namespace boathouse::http {
namespace {

constexpr std::chrono::seconds kAgeMax{5};
constexpr std::chrono::seconds kPatience{5};

// An engine that runs by hand, without a supervisor, has no state to tell.
void add_restarts(Exposition& exposition, const config::Settings& settings) {
    const auto state = supervisor::read_state(settings);
    if (!state) return;
    const char* help = "Times the supervisor has started a process again since the box started.";
    exposition.counter("boathouse_restarts_total", help, static_cast<double>(state->postgres.restarts),
                       {{"process", "postgres"}});
    exposition.counter("boathouse_restarts_total", help, static_cast<double>(state->engine.restarts),
                       {{"process", "engine"}});
    exposition.gauge("boathouse_start_time_seconds", "Start of the box, in seconds since 1970.",
                     static_cast<double>(state->started_at_unix_seconds));
}

void add_server(Exposition& exposition, const Server& server) {
    exposition.gauge("boathouse_http_connections", "Open connections of the HTTP door.",
                     static_cast<double>(server.open_connections()));
    exposition.counter("boathouse_http_requests_total", "Requests that the HTTP door has taken.",
                       static_cast<double>(server.requests_total()));
    exposition.counter("boathouse_http_connections_refused_total", "Connections refused because there were too many.",
                       static_cast<double>(server.refused_connections_total()));
}

void add_group_commit(Exposition& exposition, const ingest::Counters& counters) {
    exposition.counter("boathouse_group_commit_batches_total", "Commits that wrote the rows of gathered statements.",
                       static_cast<double>(counters.batches));
    exposition.counter("boathouse_group_commit_by_extension_total",
                       "Of those commits, the ones that DuckLake's extension made, because the box does not write such "
                       "rows or tables itself.",
                       static_cast<double>(counters.by_extension));
    exposition.counter("boathouse_group_commit_statements_total",
                       "Statements, or pipelines of them, whose rows those commits wrote.",
                       static_cast<double>(counters.members));
    exposition.counter("boathouse_group_commit_rows_total", "Rows that those commits wrote.",
                       static_cast<double>(counters.rows));
    exposition.counter("boathouse_group_commit_conflicts_total",
                       "Commits that were tried again because other clients of the catalog came first.",
                       static_cast<double>(counters.conflicts));
    exposition.counter("boathouse_group_commit_wait_seconds_total",
                       "Time that statements have waited for their commit, all together.",
                       std::chrono::duration<double>(counters.waited).count());
    exposition.gauge("boathouse_group_commit_waiting", "Statements that wait for the next commit.",
                     static_cast<double>(counters.waiting));
}

void add_kept_answers(Exposition& exposition, const cache::Answers& answers) {
    const cache::Results::Counts counts = answers.results.counts();
    exposition.counter("boathouse_cache_hits_total", "Statements that were answered with a kept answer.",
                       static_cast<double>(counts.hits));
    exposition.counter("boathouse_cache_misses_total",
                       "Statements that were computed so that their answer can be kept.",
                       static_cast<double>(counts.misses));
    exposition.counter("boathouse_cache_evictions_total", "Kept answers that went for want of room.",
                       static_cast<double>(counts.evicted));
    exposition.counter("boathouse_cache_stale_total", "Kept answers that went because the lake has a newer snapshot.",
                       static_cast<double>(counts.stale));
    exposition.counter("boathouse_cache_snapshot_checks_total", "Questions for the newest snapshot, each shared.",
                       static_cast<double>(answers.newest.questions()));
    exposition.gauge("boathouse_cache_answers", "Answers that are kept.", static_cast<double>(counts.answers));
    exposition.gauge("boathouse_cache_bytes", "Memory of the kept answers.", static_cast<double>(counts.bytes));
}

void add_kept_tables(Exposition& exposition, const engine::KeptCounts& counts) {
    exposition.counter("boathouse_small_table_reads_total", "Statements that were answered from kept small tables.",
                       static_cast<double>(counts.reads));
    exposition.counter("boathouse_small_table_loads_total", "Times a small table was read from the lake to be kept.",
                       static_cast<double>(counts.loads));
    exposition.gauge("boathouse_small_tables", "Small tables that are kept.", static_cast<double>(counts.tables));
    exposition.gauge("boathouse_small_table_bytes", "Memory of the kept small tables.",
                     static_cast<double>(counts.bytes));
}

void add_privilege_checks(Exposition& exposition, const access::Counters& counters) {
    exposition.counter("boathouse_privilege_checks_total",
                       "Statements whose privileges were judged while they were planned; kept answers are not counted.",
                       static_cast<double>(counters.checks));
    exposition.counter("boathouse_privilege_check_seconds_total", "Time that this has cost those statements.",
                       std::chrono::duration<double>(counters.cost).count());
}

}  // namespace

Metrics::Metrics(const config::Settings& settings, const catalog::Endpoint& endpoint, const Clock& clock)
    : settings_(settings),
      catalog_(endpoint),
      keeper_(settings),
      catalog_text_(
          [this] {
              Exposition exposition;
              catalog_.add_to(exposition);
              keeper_.add_to(exposition);
              return exposition.text();
          },
          clock) {}

void Metrics::add_routes(Router& router) {
    router.add({.path = "/metrics", .handler = [this](const Request&) { return get(); }});
}

Response Metrics::get() {
    Exposition exposition;
    exposition.gauge("boathouse_build_info", "Versions, as labels; always 1.", 1,
                     {{"version", config::version()}, {"duckdb_version", config::duckdb_version()}});
    add_process_metrics(exposition);
    if (server_ != nullptr) add_server(exposition, *server_);
    if (gatherer_ != nullptr) add_group_commit(exposition, gatherer_->counters());
    if (answers_ != nullptr) add_kept_answers(exposition, *answers_);
    if (lake_ != nullptr) add_kept_tables(exposition, lake_->kept_counts());
    if (checker_ != nullptr) add_privilege_checks(exposition, checker_->counters());
    add_restarts(exposition, settings_);
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    if (const auto catalog = catalog_text_.ask(kAgeMax, kPatience)) {
        response.body = exposition.text() + *catalog;
    } else {
        exposition.gauge("boathouse_catalog_up", "Whether the catalog's PostgreSQL answered this scrape.", 0);
        response.body = exposition.text();
    }
    return response;
}

}  // namespace boathouse::http
