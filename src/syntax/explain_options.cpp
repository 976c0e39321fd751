// EXPLAIN with the options that PostgreSQL's tools give it: ANALYZE and FORMAT mean something to DuckDB, the others ask
// for what its plans show anyway (VERBOSE, COSTS, TIMING, SUMMARY) or have not (BUFFERS, WAL, SETTINGS): they go.
//
//   EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT …    EXPLAIN (ANALYZE, FORMAT json) SELECT …
//   EXPLAIN (ANALYZE off, VERBOSE) SELECT …             EXPLAIN SELECT …
//   EXPLAIN VERBOSE SELECT …                            EXPLAIN SELECT …
#include <algorithm>

#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

constexpr std::string_view kLeftOut[] = {"verbose", "costs", "buffers", "wal", "settings", "timing", "summary"};

// The word or number behind an option's name; empty for none.
std::string argument_of(const PgQuery__DefElem& option) {
    const ProtobufCMessage* const argument = unwrap(option.arg);
    if (const auto* word = as<PgQuery__String>(argument, pg_query__string__descriptor)) return word->sval;
    if (const auto* number = as<PgQuery__Integer>(argument, pg_query__integer__descriptor))
        return std::to_string(number->ival);
    return {};
}

bool is_off(const std::string& argument) {
    return argument == "off" || argument == "false" || argument == "0";
}

// The options that stay, as they go between the parentheses; nullopt where one is nobody's, which DuckDB shall tell.
std::optional<std::string> kept_options(const PgQuery__ExplainStmt& explain) {
    std::string kept;
    for (std::size_t i = 0; i < explain.n_options; ++i) {
        const auto* option = as<PgQuery__DefElem>(unwrap(explain.options[i]), pg_query__def_elem__descriptor);
        if (!option) return std::nullopt;
        const std::string_view name = option->defname;
        if (std::find(std::begin(kLeftOut), std::end(kLeftOut), name) != std::end(kLeftOut)) continue;
        const std::string argument = argument_of(*option);
        if (name != "analyze" && name != "format") return std::nullopt;
        if (name == "analyze" && is_off(argument)) continue;
        if (!kept.empty()) kept += ", ";
        kept += name == "analyze" ? "ANALYZE" : "FORMAT " + argument;
    }
    return kept;
}

// The index of the token with which the explained statement begins.
std::size_t begin_of_query(const std::vector<Token>& tokens) {
    std::size_t index = 1;
    if (tokens[index].kind == PG_QUERY__TOKEN__ASCII_40) {
        while (tokens[index].kind != PG_QUERY__TOKEN__ASCII_41) ++index;
        return index + 1;
    }
    while (tokens[index].kind == PG_QUERY__TOKEN__ANALYZE || tokens[index].kind == PG_QUERY__TOKEN__ANALYSE ||
           tokens[index].kind == PG_QUERY__TOKEN__VERBOSE)
        ++index;
    return index;
}

}  // namespace

void rewrite_explain(Draft& draft, const ProtobufCMessage& statement) {
    const auto* explain = as<PgQuery__ExplainStmt>(&statement, pg_query__explain_stmt__descriptor);
    if (!explain || explain->n_options == 0) return;
    const std::optional<std::string> kept = kept_options(*explain);
    if (!kept) return;
    const std::size_t query = begin_of_query(draft.tokens);
    draft.splices.replace(draft.tokens[1].begin, draft.tokens[query].begin, kept->empty() ? "" : "(" + *kept + ") ");
}

}  // namespace boathouse::syntax
