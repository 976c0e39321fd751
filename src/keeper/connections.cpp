#include "keeper/connections.hpp"

#include "catalog/box_database.hpp"
#include "keeper/journal.hpp"

namespace boathouse::keeper {

Result<Connections> open_connections(const config::Settings& settings) {
    auto lake_endpoint = catalog::lake_endpoint(settings);
    if (!lake_endpoint) return lake_endpoint.error();
    auto box_endpoint = catalog::box_database_endpoint(settings);
    if (!box_endpoint) return box_endpoint.error();
    auto lake = catalog::Connection::open(*lake_endpoint);
    if (!lake) return lake.error();
    auto box = catalog::Connection::open(*box_endpoint);
    if (!box) return box.error();
    if (auto prepared = prepare_journal(*box); !prepared) return prepared.error();
    return Connections{std::move(*lake), std::move(*box)};
}

}  // namespace boathouse::keeper
