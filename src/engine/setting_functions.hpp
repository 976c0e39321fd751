// current_setting() and set_config() with PostgreSQL's meaning, in place of DuckDB's own current_setting(): drivers
// call them in SELECT, where SHOW and SET cannot stand.
//
// Private to src/engine/. install_setting_functions() is called once a database; a connection that was given settings
// answers from them, any other (DuckLake's own) from DuckDB's.
#pragma once

#include <duckdb.hpp>

#include "engine/client_settings.hpp"

namespace boathouse::engine {

void install_setting_functions(duckdb::DatabaseInstance& database);

// `settings` outlives the connection.
void give_settings(duckdb::ClientContext& context, ClientSettings& settings);

}  // namespace boathouse::engine
