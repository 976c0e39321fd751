// What PostgreSQL does with jsonb and DuckDB does not: changing values, comparing them, and || between them.
//
// DuckDB's JSON is a text. The functions here read it into a tree (json_tree.hpp), and give a text as PostgreSQL's
// jsonb writes it. || is DuckDB's own, taught that between JSON values, and between a list and an element, it means
// what it means in PostgreSQL.
//
// Private to src/engine/. install_postgres_json() is called once a database, before clients are let in.
#pragma once

#include <duckdb/main/extension/extension_loader.hpp>

namespace boathouse::engine {

void install_postgres_json(duckdb::ExtensionLoader& loader);

}  // namespace boathouse::engine
