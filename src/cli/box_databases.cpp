#include "cli/box_databases.hpp"

#include "catalog/box_database.hpp"
#include "cli/running_box.hpp"
#include "keeper/journal.hpp"

namespace boathouse::cli {

Result<BoxDatabases> connect_to_databases(config::Settings& settings) {
    if (auto adopted = adopt_running_box(settings); !adopted) return adopted.error();
    // Says by itself what is wrong where no box answers.
    if (auto reached = connect_to_box(settings); !reached) return reached.error();
    auto lake_endpoint = catalog::lake_endpoint(settings);
    if (!lake_endpoint) return lake_endpoint.error();
    auto box_endpoint = catalog::box_database_endpoint(settings);
    if (!box_endpoint) return box_endpoint.error();
    auto lake = catalog::Connection::open(*lake_endpoint);
    if (!lake) return lake.error();
    auto box = catalog::Connection::open(*box_endpoint);
    if (!box) return box.error();
    if (auto prepared = keeper::prepare_journal(*box); !prepared) return prepared.error();
    return BoxDatabases{std::move(*lake), std::move(*box)};
}

}  // namespace boathouse::cli
