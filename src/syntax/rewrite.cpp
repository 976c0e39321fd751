#include "syntax/rewrite.hpp"

#include <algorithm>
#include <optional>

#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

Step rewrite_tree(Draft& draft, const ProtobufCMessage& statement) {
    for (const auto family : {find_unneeded, refuse_missing, rewrite_names, rewrite_types, rewrite_samples,
                              rewrite_locking, rewrite_table_definition, rewrite_conflict, split_several}) {
        if (Step step = family(draft, statement); !step) return step;
    }
    return {};
}

// A long INSERT is all constants: a tree of it costs more than DuckDB's own parser, and says something only of clauses
// whose words are seen among the tokens.
bool needs_tree(const Draft& draft) {
    const std::vector<Token>& tokens = draft.tokens;
    if (tokens.empty()) return false;
    const PgQuery__Token first = tokens.front().kind;
    const bool changes_rows =
        first == PG_QUERY__TOKEN__INSERT || first == PG_QUERY__TOKEN__UPDATE || first == PG_QUERY__TOKEN__DELETE_P;
    if (!changes_rows) return true;
    return holds_reserved_names(draft) || names_catalog(draft) ||
           std::any_of(tokens.begin() + 1, tokens.end(), [](const Token& token) {
               return token.kind == PG_QUERY__TOKEN__CONFLICT || token.kind == PG_QUERY__TOKEN__FOR;
           });
}

// The statement that EXPLAIN explains, or the statement itself.
const ProtobufCMessage* subject_of(const ProtobufCMessage* statement) {
    if (const auto* explain = as<PgQuery__ExplainStmt>(statement, pg_query__explain_stmt__descriptor))
        return unwrap(explain->query);
    return statement;
}

}  // namespace

Rewriting<Rewritten> rewrite(std::string_view statement) {
    Rewritten result;
    result.text = statement;
    if (statement.size() > kTextBytesMax) return result;
    const std::optional<std::vector<Token>> tokens = scan(statement);
    if (!tokens || nesting_of(*tokens) > kNestingMax) return result;
    Draft draft{statement, *tokens, {}, {}, {}, {}, false, false};
    if (const Step step = rewrite_operators(draft); !step) return step.error();
    if (const Step step = rewrite_strings(draft); !step) return step.error();
    if (needs_tree(draft)) {
        const Parsed<Tree> tree = parse_nodes(statement);
        const ProtobufCMessage* const whole =
            tree && tree->root->n_stmts == 1 ? unwrap(tree->root->stmts[0]->stmt) : nullptr;
        if (const ProtobufCMessage* const node = subject_of(whole)) {
            result.is_postgres = true;
            rewrite_explain(draft, *whole);
            if (const Step step = rewrite_tree(draft, *node); !step) return step.error();
            result.column_names = name_columns(*node);
        }
    }
    Splices::Applied applied = draft.splices.apply(statement);
    result.text = std::move(applied.text);
    result.positions = std::move(applied.positions);
    result.notices = std::move(draft.notices);
    result.tag = std::move(draft.tag);
    result.done = std::move(draft.done);
    result.is_alone = draft.is_alone;
    result.is_several = draft.is_several;
    return result;
}

}  // namespace boathouse::syntax
