// SELECT … FOR UPDATE, FOR SHARE and their kin: the lake has no row locks, so the clause goes, and the client is told.
//
// A reader of the lake sees one snapshot, and writers that collide fail at COMMIT with 40001: what the clause protects
// against shows as that error.
#include "syntax/families.hpp"

namespace boathouse::syntax {

namespace {

bool begins_locking(const std::vector<Token>& tokens, std::size_t index) {
    if (tokens[index].kind != PG_QUERY__TOKEN__FOR || index + 1 == tokens.size()) return false;
    switch (tokens[index + 1].kind) {
        case PG_QUERY__TOKEN__UPDATE:
        case PG_QUERY__TOKEN__NO:
        case PG_QUERY__TOKEN__SHARE:
        case PG_QUERY__TOKEN__KEY:
            return true;
        default:
            return false;
    }
}

// The first token after the clause.
std::size_t end_of_locking(const std::vector<Token>& tokens, std::size_t index) {
    for (++index; index < tokens.size(); ++index) {
        switch (tokens[index].kind) {
            case PG_QUERY__TOKEN__ASCII_41:  // )
            case PG_QUERY__TOKEN__ASCII_59:  // ;
            case PG_QUERY__TOKEN__FOR:
            case PG_QUERY__TOKEN__LIMIT:
            case PG_QUERY__TOKEN__OFFSET:
            case PG_QUERY__TOKEN__FETCH:
                return index;
            default:
                break;
        }
    }
    return index;
}

bool has_locking(const ProtobufCMessage& node) {
    if (node.descriptor == &pg_query__locking_clause__descriptor) return true;
    bool found = false;
    for_each_child(node, [&](const ProtobufCMessage& child) { found = found || has_locking(child); });
    return found;
}

}  // namespace

Step rewrite_locking(Draft& draft, const ProtobufCMessage& statement) {
    bool any = false;
    for (std::size_t index = 0; index < draft.tokens.size(); ++index) {
        if (!begins_locking(draft.tokens, index)) continue;
        if (!any && !has_locking(statement)) return {};
        any = true;
        const std::size_t end = end_of_locking(draft.tokens, index);
        draft.splices.remove(draft.tokens[index].begin, draft.tokens[end - 1].end);
        index = end - 1;
    }
    if (any) {
        draft.notices.push_back(
            {false, "00000",
             "the lake has no row locks: FOR UPDATE and FOR SHARE are ignored, writers that collide "
             "fail at COMMIT"});
    }
    return {};
}

}  // namespace boathouse::syntax
