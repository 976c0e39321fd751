// A real lake in a real PostgreSQL for one test program: a ScratchPostgres, prepared as a box prepares its own, and the
// lake in it, with its files beside the cluster's.
//
// Not thread-safe. What fails ends the test by an exception.
#pragma once

#include <memory>

#include "catalog/scratch_postgres.hpp"
#include "config/settings.hpp"
#include "engine/lake.hpp"

namespace boathouse::engine {

// Those of a small box, for the data directory and the cluster that `settings` names.
config::Settings small_box(config::Settings settings);

struct ScratchLake {
    ScratchLake();

    catalog::ScratchPostgres postgres;
    const config::Settings settings;
    std::unique_ptr<Lake> lake;
};

}  // namespace boathouse::engine
