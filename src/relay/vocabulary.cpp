#include "relay/vocabulary.hpp"

namespace boathouse::relay {
namespace {

Status read_names(catalog::Connection& postgres, const std::string& sql, NameSet& names) {
    auto rows = postgres.query(sql);
    if (!rows) return rows.error();
    for (const catalog::Row& row : *rows) names.insert(row.front().value_or(""));
    return {};
}

}  // namespace

Result<Vocabulary> read_vocabulary(catalog::Connection& postgres) {
    const auto relations_of = [](const std::string& schema) {
        return "SELECT relname FROM pg_catalog.pg_class WHERE relkind IN ('r', 'v') AND relnamespace = '" + schema +
               "'::pg_catalog.regnamespace";
    };
    Vocabulary vocabulary;
    if (auto read = read_names(postgres, relations_of("pg_catalog"), vocabulary.catalog_relations); !read)
        return read.error();
    if (auto read = read_names(postgres, relations_of("information_schema"), vocabulary.information_relations); !read)
        return read.error();
    return vocabulary;
}

}  // namespace boathouse::relay
