// What PostgreSQL needs to serve a large DuckLake catalog: the indexes that DuckLake leaves out, autovacuum
// settings for tables that grow by small commits, and costs that fit a catalog that lies in memory.
//
// Each index is one that the plans of DuckLake's own queries use on a catalog of 100,000 data files; figures and the
// candidates that were rejected are in docs/decisions/catalog-indexes.md, the measurement is bench/catalog_scale.py.
// Called by the engine's main thread at start. Blocking: an index on a large catalog takes seconds, the first time.
#pragma once

#include "base/error.hpp"
#include "catalog/connection.hpp"

namespace boathouse::catalog {

// Adds what is missing, touches nothing that is there. REQUIRES: the lake's tables exist.
Status tune_tables(Connection& connection);

}  // namespace boathouse::catalog
