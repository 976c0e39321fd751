// What the catalog's PostgreSQL and the lake in it look like from outside: sizes, counts, the newest snapshot.
//
// Holds one connection, opened at the first scrape and again after a failure. Used by one thread. Read straight from
// PostgreSQL, not through DuckDB, so a scrape takes no place in a query's way. An unreachable catalog is a value too:
// boathouse_catalog_up 0.
#pragma once

#include <optional>

#include "catalog/connection.hpp"
#include "http/exposition.hpp"

namespace boathouse::http {

class CatalogMetrics {
  public:
    explicit CatalogMetrics(catalog::Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

    void add_to(Exposition& exposition);

  private:
    Status connect();
    Status add_server(Exposition& exposition);
    Status add_archive(Exposition& exposition);
    Status add_lake(Exposition& exposition);

    catalog::Endpoint endpoint_;
    std::optional<catalog::Connection> connection_;
};

}  // namespace boathouse::http
