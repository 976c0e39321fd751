#include "service/serve.hpp"

#include <unistd.h>

#include <chrono>
#include <memory>
#include <thread>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/notify.hpp"
#include "cache/answers.hpp"
#include "catalog/bootstrap.hpp"
#include "catalog/box_database.hpp"
#include "catalog/start_turn.hpp"
#include "catalog/tokens.hpp"
#include "config/policy.hpp"
#include "config/version.hpp"
#include "engine/lake.hpp"
#include "feed/consumers.hpp"
#include "feed/feed.hpp"
#include "gateway/callers.hpp"
#include "gateway/sql_door.hpp"
#include "gateway/tls.hpp"
#include "http/api.hpp"
#include "http/extension_mirror.hpp"
#include "http/gatekeeper.hpp"
#include "http/health.hpp"
#include "http/metrics.hpp"
#include "http/server.hpp"
#include "ingest/gatherer.hpp"
#include "ingest/request_keys.hpp"
#include "keeper/connections.hpp"
#include "mirror/mirror.hpp"
#include "relay/vocabulary.hpp"
#include "service/box_functions.hpp"
#include "service/engine_settings.hpp"
#include "service/keeper_worker.hpp"
#include "service/stop_signals.hpp"

namespace boathouse::service {
namespace {

// How often DuckDB is asked whether it still works.
constexpr std::chrono::milliseconds kFailureCheckInterval{500};

constexpr int kExitStopped = 0;
constexpr int kExitFailed = 1;
constexpr int kExitConfiguration = 78;  // EX_CONFIG of sysexits.h

// Which failures a restart cannot mend: somebody has to change something first.
int exit_code(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::configuration:
        case ErrorKind::permission:
        case ErrorKind::not_found:
        case ErrorKind::conflict:
        case ErrorKind::corrupt:
            return kExitConfiguration;
        case ErrorKind::unavailable:
        case ErrorKind::limit:
        case ErrorKind::internal:
            return kExitFailed;
    }
    return kExitFailed;
}

int fail(const Error& error) {
    log_error("engine", error);
    std::string reason = error.text();
    for (char& character : reason) {
        if (character == '\n') character = ' ';  // the protocol separates its values by newlines
    }
    notify_supervisor("BOATHOUSE_FAILED=" + reason);
    return exit_code(error.kind);
}

std::unique_ptr<cache::Answers> open_answers(const config::Settings& settings, const catalog::Endpoint& endpoint) {
    constexpr std::size_t kAnswersAtLeast = 16;
    if (settings.cache_mb == 0) return nullptr;
    const std::size_t bytes_max = static_cast<std::size_t>(settings.cache_mb) << 20;
    return std::make_unique<cache::Answers>(
        endpoint, cache::Results::Limits{.bytes_max = bytes_max, .answer_bytes_max = bytes_max / kAnswersAtLeast});
}

// What the engine holds while it serves, in the order in which the parts need each other.
struct Engine {
    Engine(std::unique_ptr<engine::Lake> opened, std::unique_ptr<gateway::Tls> certificate,
           const config::Settings& settings, const catalog::Endpoint& endpoint)
        : lake(std::move(opened)),
          tls(std::move(certificate)),
          metrics(settings, endpoint, clock),
          answers(open_answers(settings, endpoint)),
          mirror(settings.extension_dir, config::spill_dir(settings) + "/extension-mirror"),
          server({.address = settings.listen,
                  .port = static_cast<std::uint16_t>(settings.http_port),
                  .private_socket = catalog::socket_dir(settings) + "/http.sock",
                  .tls = tls.get()},
                 router) {
        health.add_routes(router);
        metrics.add_routes(router);
        mirror.add_routes(router);
        metrics.watch(server);
        if (answers) metrics.watch(*answers);
        metrics.watch(*lake);
    }

    std::unique_ptr<engine::Lake> lake;
    const std::unique_ptr<gateway::Tls> tls;  // the HTTP door's; null: off
    SystemClock clock;
    http::Router router;
    http::Health health{
        {config::version(), config::duckdb_version()}, [this] { return lake->newest_loaded_snapshot(); }, clock};
    http::Metrics metrics;
    std::unique_ptr<cache::Answers> answers;  // null: none is kept
    http::ExtensionMirror mirror;
    http::Server server;
};

// What is configured counts for every box on the catalog, and for commands, from this start on.
Status record_policies(const config::Settings& settings, const std::vector<config::PolicySetting>& given) {
    auto databases = keeper::open_connections(settings);
    if (!databases) return databases.error();
    return keeper::record_given_policies(databases->box, given);
}

// Somebody else's PostgreSQL may have no room for the box's own database: the lake is served without it.
Status prepare_box_database(const config::Settings& settings, const std::vector<config::PolicySetting>& given) {
    auto prepared = catalog::prepare_box_database(settings);
    if (prepared) prepared = record_policies(settings, given);
    if (prepared || settings.catalog.empty()) return prepared;
    if (prepared.error().kind != ErrorKind::permission && prepared.error().kind != ErrorKind::conflict) return prepared;
    log_info("engine", "the lake is not maintained: {}. {}", prepared.error().message, prepared.error().hint);
    return {};
}

// A PostgreSQL that is starting again lets nobody in for as long as it takes: this waits for it, where an end would be
// one death more for the supervisor to count. It is the supervisor, too, that ends an engine that has waited too long.
Status wait_for_catalog(const config::Settings& settings) {
    constexpr std::chrono::milliseconds kPause{100};
    const auto endpoint = catalog::box_endpoint(settings);
    if (!endpoint) return endpoint.error();
    for (std::string last_said;; std::this_thread::sleep_for(kPause)) {
        const auto connection = catalog::Connection::open(*endpoint);
        if (connection) return {};
        if (connection.error().kind != ErrorKind::unavailable) return connection.error();
        if (const auto& message = connection.error().message; message != last_said) {
            log_info("engine", "waiting for the catalog: {}", message);
            last_said = message;
        }
    }
}

Result<std::unique_ptr<Engine>> open(const config::Loaded& loaded) {
    const config::Settings& settings = loaded.settings;
    const auto endpoint = catalog::lake_endpoint(settings);
    if (!endpoint) return endpoint.error();
    notify_supervisor("STATUS=waiting for the catalog");
    if (auto there = wait_for_catalog(settings); !there) return there.error();
    notify_supervisor("STATUS=opening the lake");
    const auto turn = catalog::take_start_turn(settings);
    if (!turn) return turn.error();
    auto lake = engine::Lake::open(settings, *endpoint);
    if (!lake) return lake.error();
    notify_supervisor("STATUS=preparing the catalog");
    if (auto tuned = catalog::tune_catalog(settings); !tuned) return tuned.error();
    if (auto prepared = prepare_box_database(settings, config::given_policies(loaded)); !prepared)
        return prepared.error();
    if (auto added = add_box_functions(**lake, settings); !added) return added.error();
    auto tls = gateway::Tls::load(settings, gateway::kHttpProtocol);
    if (!tls) return tls.error();
    return std::make_unique<Engine>(std::move(*lake), std::move(*tls), settings, *endpoint);
}

Result<std::unique_ptr<gateway::SqlDoor>> open_sql_door(const config::Settings& settings,
                                                        const gateway::SqlDoorParts& parts) {
    auto endpoint = catalog::box_endpoint(settings);
    if (!endpoint) return endpoint.error();
    gateway::SqlDoorOptions options;
    options.address = settings.listen;
    options.port = static_cast<std::uint16_t>(settings.sql_port);
    options.database_names = {"lake", settings.postgres_db};
    if (parts.exchange != nullptr) options.mirror_database = catalog::mirror_database(settings);
    options.connections_max = settings.sql_connections_max;
    options.running_max = settings.sql_running_max;
    options.waiting_max = settings.sql_waiting_max;
    return gateway::SqlDoor::start(std::move(options), settings, std::move(*endpoint), parts);
}

// `checker`: judges what roles may do; null: whoever is in may do everything.
Result<std::unique_ptr<ingest::Gatherer>> open_gatherer(Engine& engine, const config::Settings& settings,
                                                        access::Checker* checker) {
    const auto catalog = catalog::lake_endpoint(settings);
    if (!catalog) return catalog.error();
    auto writer = engine::LakeWriter::open(*engine.lake, *catalog);
    if (!writer) return Error{ErrorKind::internal, "rows cannot be gathered: " + writer.error().message};
    std::shared_ptr<engine::LakeWriter> shared = std::move(*writer);  // a std::function is copied
    auto write = [shared](const std::vector<const engine::NewRows*>& rows, const engine::LakeWriter::Extras& extras) {
        return shared->write(rows, extras);
    };
    auto may = [checker](const std::string& role, const engine::NewRows& rows) -> ingest::Gatherer::Judgement {
        if (checker == nullptr) return {true};
        const access::Judgement judgement = checker->check_anew(role, rows.needs());
        return {!judgement.refusal, judgement.snapshot};
    };
    return std::make_unique<ingest::Gatherer>(std::move(write), std::move(may), engine.clock,
                                              ingest::Gatherer::Options());
}

// PostgreSQL, as far as it answers SQL clients.
struct SecondBrain {
    SecondBrain(const config::Settings& settings, engine::Lake& lake, relay::Vocabulary vocabulary)
        : mirror(settings, lake), exchange(mirror, std::move(vocabulary)) {}

    mirror::Mirror mirror;
    relay::Exchange exchange;
};

Result<std::unique_ptr<SecondBrain>> open_second_brain(const config::Settings& settings, engine::Lake& lake) {
    const auto endpoint = catalog::lake_endpoint(settings);
    if (!endpoint) return endpoint.error();
    auto connection = catalog::Connection::open(*endpoint);
    if (!connection) return connection.error();
    auto vocabulary = relay::read_vocabulary(*connection);
    if (!vocabulary) return vocabulary.error();
    return std::make_unique<SecondBrain>(settings, lake, std::move(*vocabulary));
}

// Null where the box has no database of its own.
Result<std::unique_ptr<ingest::RequestKeys>> open_request_keys(const config::Settings& settings) {
    auto box = catalog::box_database_endpoint(settings);
    if (!box) return box.error();
    auto lake = catalog::lake_endpoint(settings);
    if (!lake) return lake.error();
    auto keys = ingest::RequestKeys::open({std::move(*box), std::move(*lake)});
    if (keys || settings.catalog.empty()) return keys;
    log_info("engine", "no Idempotency-Keys are kept: {}", keys.error().message);
    return std::unique_ptr<ingest::RequestKeys>();
}

// Of what has changed, for both doors. The newest snapshot is asked for together with whoever gives kept answers.
struct ChangeFeed {
    ChangeFeed(catalog::Endpoint lake, std::unique_ptr<feed::SharedConnection> box, cache::Answers* answers)
        : own_newest(answers == nullptr ? std::make_unique<cache::NewestSnapshot>(lake) : nullptr),
          newest(answers == nullptr ? *own_newest : answers->newest),
          feed(std::move(lake), std::move(box), [this]() -> Result<long long> {
              const auto version = newest.ask();
              if (!version) return version.error();
              return version->snapshot;
          }) {}

    const std::unique_ptr<cache::NewestSnapshot> own_newest;
    cache::NewestSnapshot& newest;
    feed::Feed feed;
};

Result<std::unique_ptr<ChangeFeed>> open_change_feed(const config::Settings& settings, cache::Answers* answers) {
    auto lake = catalog::lake_endpoint(settings);
    if (!lake) return lake.error();
    auto box = catalog::box_database_endpoint(settings);
    if (!box) return box.error();
    auto connection = std::make_unique<feed::SharedConnection>(std::move(*box));
    if (auto made = connection->ask([](catalog::Connection& opened) { return feed::prepare_consumers(opened); });
        !made) {
        if (settings.catalog.empty()) return made.error();
        log_info("engine", "no consumers of changes are kept: {}", made.error().message);
        connection.reset();
    }
    return std::make_unique<ChangeFeed>(std::move(*lake), std::move(connection), answers);
}

// Null where the box has no database of its own.
Result<std::unique_ptr<feed::SharedConnection>> open_tokens(const config::Settings& settings) {
    auto box = catalog::box_database_endpoint(settings);
    if (!box) return box.error();
    auto connection = std::make_unique<feed::SharedConnection>(std::move(*box));
    auto made = connection->ask([](catalog::Connection& opened) { return catalog::prepare_tokens(opened); });
    if (made) return connection;
    if (settings.catalog.empty()) return made.error();
    log_info("engine", "no tokens are kept: {}", made.error().message);
    return std::unique_ptr<feed::SharedConnection>();
}

// /v1/… of the HTTP door, which lets in whom the SQL door lets in.
struct HttpApi {
    HttpApi(const config::Settings& settings, gateway::SqlDoor& door, feed::Feed& feed, ingest::RequestKeys* keys,
            feed::SharedConnection* tokens, const Clock& clock)
        : callers(door.services().log_in, clock, tokens),
          gatekeeper({.plain_passwords = settings.http_plain_passwords,
                      .has_tls = settings.tls != "off",
                      .requires_tls = settings.tls == "require",
                      .body_bytes_max = static_cast<std::uint64_t>(settings.http_body_mb) << 20,
                      .bodies_bytes_max = static_cast<std::uint64_t>(settings.http_bodies_mb) << 20,
                      .requests_per_second = settings.http_requests_per_second},
                     callers, clock),
          api(door, feed, keys, gatekeeper.body_bytes_max()) {}

    gateway::Callers callers;
    http::Gatekeeper gatekeeper;
    http::Api api;
};

// What looks after the lake, in the background.
struct Housekeeping {
    Housekeeping(const config::Settings& settings, const Clock& clock)
        : worker(settings), keeper(settings, worker, clock) {}

    KeeperWorker worker;
    keeper::Keeper keeper;
};

// DuckDB would refuse everything from now on: the supervisor starts the engine again. Nothing of a broken DuckDB is
// taken down in order.
[[noreturn]] void end_broken(const std::string& failure, gateway::SqlDoor& sql_door) {
    const Error error{ErrorKind::internal, "DuckDB has given up after an internal error: " + failure,
                      "The engine ends and is started again. What had been committed is safe.", ""};
    log_error("engine", error);
    notify_supervisor("BOATHOUSE_FAILED=" + error.message);
    sql_door.stop(0);
    ::_exit(exit_code(error.kind));
}

}  // namespace

int serve() {
    StopSignals signals;
    const auto loaded = engine_configuration();
    if (!loaded) return fail(loaded.error());
    const config::Settings* settings = &loaded->settings;
    auto engine = open(*loaded);
    if (!engine) return fail(engine.error());
    http::Server& server = (*engine)->server;
    // Only the box's own PostgreSQL lets the engine in as its clients.
    std::unique_ptr<SecondBrain> second;
    if (settings->catalog.empty()) {
        auto opened = open_second_brain(*settings, *(*engine)->lake);
        if (!opened) return fail(opened.error());
        second = std::move(*opened);
        (*engine)->metrics.watch(second->exchange.checker);
    }
    auto gatherer = open_gatherer(**engine, *settings, second ? &second->exchange.checker : nullptr);
    if (!gatherer) return fail(gatherer.error());
    (*engine)->metrics.watch(**gatherer);
    auto keys = open_request_keys(*settings);
    if (!keys) return fail(keys.error());
    auto changes = open_change_feed(*settings, (*engine)->answers.get());
    if (!changes) return fail(changes.error());
    feed::Feed& feed = (*changes)->feed;
    auto sql_door = open_sql_door(*settings, {*(*engine)->lake, **gatherer, feed.watch,
                                              second ? &second->exchange : nullptr, (*engine)->answers.get()});
    if (!sql_door) return fail(sql_door.error());
    auto tokens = open_tokens(*settings);
    if (!tokens) return fail(tokens.error());
    HttpApi api(*settings, **sql_door, feed, keys->get(), tokens->get(), (*engine)->clock);
    api.api.add_routes((*engine)->router);
    server.set_gatekeeper(api.gatekeeper);
    // Last, so that /readyz is not answered before the SQL door listens.
    if (auto started = server.start(); !started) return fail(started.error());
    if (const auto snapshot = (*engine)->lake->newest_snapshot(); !snapshot) return fail(snapshot.error());
    if (second) second->mirror.start();
    Housekeeping housekeeping(*settings, (*engine)->clock);
    housekeeping.keeper.start();
    signals.start_serving();
    log_info("engine", "serving SQL on {}:{}, HTTP on {}:{}", settings->listen, (*sql_door)->port(), settings->listen,
             server.port());
    notify_supervisor("READY=1\nSTATUS=serving");

    while (!signals.wait_for(kFailureCheckInterval)) {
        if (const auto failure = (*engine)->lake->failure()) end_broken(*failure, **sql_door);
    }
    notify_supervisor("STOPPING=1");
    log_info("engine", "stopping: {} s for requests and statements that are being answered",
             settings->shutdown_grace_seconds);
    (*engine)->health.set_stopping();
    housekeeping.keeper.stop();
    feed.watch.stop();
    const int grace_ms = static_cast<int>(settings->shutdown_grace_seconds) * 1000;
    (*sql_door)->stop(grace_ms);
    server.stop(grace_ms);
    api.api.stop();
    log_info("engine", "stopped");
    return kExitStopped;
}

}  // namespace boathouse::service
