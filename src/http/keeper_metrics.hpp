// What the keeper has to do, and when it last did what.
//
// Holds two connections, opened at the first scrape and again after a failure. Used by one thread. A box's database
// that does not answer, or that an external catalog does not have, leaves these metrics out.
#pragma once

#include <optional>

#include "catalog/connection.hpp"
#include "config/settings.hpp"
#include "http/exposition.hpp"

namespace boathouse::http {

class KeeperMetrics {
  public:
    explicit KeeperMetrics(config::Settings settings) : settings_(std::move(settings)) {}

    void add_to(Exposition& exposition);

  private:
    Status connect();
    Status add_lake(Exposition& exposition);
    Status add_successes(Exposition& exposition);
    Status add_consumers(Exposition& exposition);

    config::Settings settings_;
    std::optional<catalog::Connection> lake_;
    std::optional<catalog::Connection> box_;
};

}  // namespace boathouse::http
