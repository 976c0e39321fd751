// GET /metrics, for Prometheus.
//
// A scrape is shared by all who ask within five seconds, so however many scrapers there are, the catalog is read once.
// A catalog that hangs delays a scrape by `patience` at most; the process's own metrics come nevertheless.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "access/checker.hpp"
#include "base/clock.hpp"
#include "cache/answers.hpp"
#include "catalog/connection.hpp"
#include "config/settings.hpp"
#include "engine/lake.hpp"
#include "http/catalog_metrics.hpp"
#include "http/keeper_metrics.hpp"
#include "http/router.hpp"
#include "http/shared_answer.hpp"
#include "ingest/gatherer.hpp"

namespace boathouse::http {

class Server;

class Metrics {
  public:
    Metrics(const config::Settings& settings, const catalog::Endpoint& endpoint, const Clock& clock);

    void add_routes(Router& router);

    // What is counted; set before it starts, they must outlive the last request.
    void watch(const Server& server) { server_ = &server; }
    void watch(const ingest::Gatherer& gatherer) { gatherer_ = &gatherer; }
    void watch(const cache::Answers& answers) { answers_ = &answers; }
    void watch(const access::Checker& checker) { checker_ = &checker; }
    void watch(const engine::Lake& lake) { lake_ = &lake; }

  private:
    Response get();

    config::Settings settings_;
    const Server* server_ = nullptr;
    const ingest::Gatherer* gatherer_ = nullptr;
    const cache::Answers* answers_ = nullptr;
    const engine::Lake* lake_ = nullptr;
    const access::Checker* checker_ = nullptr;
    CatalogMetrics catalog_;                  // used by the thread of catalog_text_ alone
    KeeperMetrics keeper_;                    // likewise
    SharedAnswer<std::string> catalog_text_;  //
};

}  // namespace boathouse::http
