// TABLESAMPLE SYSTEM (10): a percentage in PostgreSQL, a number of rows in DuckDB unless it says PERCENT.
#include <algorithm>

#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

void say_percent(Draft& draft, const PgQuery__RangeTableSample& sample) {
    const std::vector<std::string> method = names_of(sample.method, sample.n_method);
    if (method.empty() || (method.back() != "system" && method.back() != "bernoulli")) return;
    const auto at = static_cast<std::size_t>(std::max(sample.location, 0));
    const auto open = std::find_if(draft.tokens.begin(), draft.tokens.end(), [&](const Token& token) {
        return token.begin >= at && token.kind == PG_QUERY__TOKEN__ASCII_40;
    });
    const auto close = std::find_if(open, draft.tokens.end(),
                                    [](const Token& token) { return token.kind == PG_QUERY__TOKEN__ASCII_41; });
    if (close != draft.tokens.end()) draft.splices.insert(close->begin, " PERCENT");
}

void say_percent_everywhere(Draft& draft, const ProtobufCMessage& node) {
    if (const auto* sample = as<PgQuery__RangeTableSample>(&node, pg_query__range_table_sample__descriptor))
        say_percent(draft, *sample);
    for_each_child(node, [&](const ProtobufCMessage& child) { say_percent_everywhere(draft, child); });
}

}  // namespace

Step rewrite_samples(Draft& draft, const ProtobufCMessage& statement) {
    const bool samples = std::any_of(draft.tokens.begin(), draft.tokens.end(),
                                     [](const Token& token) { return token.kind == PG_QUERY__TOKEN__TABLESAMPLE; });
    if (samples) say_percent_everywhere(draft, statement);
    return {};
}

}  // namespace boathouse::syntax
