#include "relay/vocabulary.hpp"

#include "engine/session.hpp"
#include "pgwire/frontend.hpp"

namespace boathouse::relay {
namespace {

Status read_names(catalog::Connection& postgres, const std::string& sql, NameSet& names) {
    auto rows = postgres.query(sql);
    if (!rows) return rows.error();
    for (const catalog::Row& row : *rows) names.insert(row.front().value_or(""));
    return {};
}

Error unreadable(const engine::QueryError& error) {
    return {ErrorKind::internal, "DuckDB's functions cannot be listed: " + error.message};
}

// DataRow messages of one text column.
Status read_duckdb_functions(engine::Lake& lake, NameSet& names) {
    auto session = engine::Session::open(lake);
    if (!session) return unreadable(session.error());
    auto parsed = (*session)->parse("SELECT DISTINCT function_name FROM duckdb_functions()");
    if (!parsed) return unreadable(parsed.error());
    auto stream = (*session)->run(std::move(*parsed));
    if (!stream) return unreadable(stream.error());
    pgwire::Buffer rows;
    if (const auto encoded = (*stream)->encode(rows, {}); !encoded) return unreadable(encoded.error());
    std::string_view rest = rows.view();
    while (!rest.empty()) {
        std::size_t consumed = 0;
        const auto frame = pgwire::take_frame(rest, false, pgwire::kMessageBytesMax, consumed);
        if (!frame || !*frame) break;
        rest.remove_prefix(consumed);
        pgwire::Reader reader((*frame)->body);
        if (reader.i16() != 1) continue;
        const std::int32_t size = reader.i32();
        if (size >= 0) names.insert(std::string(reader.bytes(static_cast<std::size_t>(size))));
    }
    return {};
}

}  // namespace

Result<Vocabulary> read_vocabulary(catalog::Connection& postgres, engine::Lake& lake) {
    const auto relations_of = [](const std::string& schema) {
        return "SELECT relname FROM pg_catalog.pg_class WHERE relkind IN ('r', 'v') AND relnamespace = '" + schema +
               "'::pg_catalog.regnamespace";
    };
    Vocabulary vocabulary;
    if (auto read = read_names(postgres, relations_of("pg_catalog"), vocabulary.catalog_relations); !read)
        return read.error();
    if (auto read = read_names(postgres, relations_of("information_schema"), vocabulary.information_relations); !read)
        return read.error();
    if (auto read = read_names(postgres,
                               "SELECT DISTINCT proname FROM pg_catalog.pg_proc WHERE pronamespace = "
                               "'pg_catalog'::pg_catalog.regnamespace",
                               vocabulary.postgres_functions);
        !read)
        return read.error();
    if (auto read = read_duckdb_functions(lake, vocabulary.duckdb_functions); !read) return read.error();
    return vocabulary;
}

}  // namespace boathouse::relay
