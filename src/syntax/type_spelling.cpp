// Types written with their schema, x::pg_catalog.int4, as psql and drivers write them to be sure: the schema goes, for
// DuckDB's types have none.
#include <algorithm>

#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

bool is_catalog(std::string_view word) {
    return word == "pg_catalog" || word == "\"pg_catalog\"";
}

void unqualify(Draft& draft, const PgQuery__TypeName& type) {
    const auto at = static_cast<std::size_t>(std::max(type.location, 0));
    const auto schema =
        std::find_if(draft.tokens.begin(), draft.tokens.end(), [&](const Token& token) { return token.begin >= at; });
    if (draft.tokens.end() - schema < 3 || !is_catalog(draft.word(*schema))) return;
    if (schema[1].kind != PG_QUERY__TOKEN__ASCII_46) return;
    draft.splices.remove(schema[0].begin, schema[1].end);
}

void unqualify_all(Draft& draft, const ProtobufCMessage& node) {
    if (const auto* type = as<PgQuery__TypeName>(&node, pg_query__type_name__descriptor)) unqualify(draft, *type);
    for_each_child(node, [&](const ProtobufCMessage& child) { unqualify_all(draft, child); });
}

}  // namespace

bool names_catalog(const Draft& draft) {
    return std::any_of(draft.tokens.begin(), draft.tokens.end(),
                       [&](const Token& token) { return is_catalog(draft.word(token)); });
}

Step rewrite_types(Draft& draft, const ProtobufCMessage& statement) {
    if (names_catalog(draft)) unqualify_all(draft, statement);
    return {};
}

}  // namespace boathouse::syntax
